#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string_view>

#include "ipnscast/nostr/net/stream/proxy_url.h"
#include "ipnscast/tools/cli/command.h"
#include "ipnscast/tools/cli/logging.h"
#include "ipnscast/tools/cli/process_secrecy.h"
#include "ipnscast/tools/cli/setting_option.h"
#include "ipnscast/tools/usage/arguments.h"
#include "ipnscast/tools/usage/help.h"
#include "ipnscast/tools/usage/usage.h"

namespace ipnscast::tools {
namespace {

void add_global_options(CLI::App& app, Context& context) {
  app.add_flag("--json", context.json,
               "One JSON object (one a line for streams); errors as JSON too");
  app.add_option("--config", context.config_file, "Configuration file")->type_name("FILE");
  app.add_option("--state", context.state_dir, "State directory")->type_name("DIR");
  app.add_option(
         "--keys", context.keys_dir,
         "Directory of our keys (else IPNSCAST_KEYS, else keys in the state directory, else "
         "~/.local/share/ipnscast/keys)")
      ->type_name("DIR");
  app.add_option("--password-file", context.password_file,
                 "Password of encrypted keys: one line, mode 0600 (else IPNSCAST_PASSWORD, else "
                 "the terminal)")
      ->type_name("FILE");
  app.add_option_function<std::string>(
         "--timeout",
         [&context](const std::string& text) {
           const auto timeout = parse_duration(text);
           if (!timeout) refuse_value("--timeout", timeout.error().message);
           context.timeout = *timeout;
         },
         "Give up after this time (exit code 124)")
      ->type_name("TIME");
  add_setting(app, context, "--proxy", "relays.proxy")->type_name("URL");
  app.add_flag("-v,--verbose", context.verbose, "Say more on standard error; twice for everything")
      ->default_str("");  // CLI11 2.4 shows the count's first value otherwise
  app.set_version_flag("-V,--version", std::string("ipnscast ") + IPNSCAST_VERSION,
                       "Print the version");
}

void add_commands(CLI::App& app, Context& context) {
  // In the order of their names.
  add_announce(app, context);
  add_bench(app, context);
  add_bridge(app, context);
  add_cid(app, context);
  add_config(app, context);
  add_demo(app, context);
  add_doctor(app, context);
  add_event(app, context);
  add_forget(app, context);
  add_gateway(app, context);
  add_get(app, context);
  add_help(app, context);
  add_history(app, context);
  add_devices(app, context);
  add_init(app, context);
  add_key(app, context);
  add_name(app, context);
  add_nip44(app, context);
  add_pack(app, context);
  add_publish(app, context);
  add_record(app, context);
  add_relay(app, context);
  add_replay(app, context);
  add_resolve(app, context);
  add_share(app, context);
  add_status(app, context);
  add_unpack(app, context);
  add_up(app, context);
  add_watch(app, context);
}

// What was asked for before parsing failed, so that the failure is told in the right form.
bool wants_json(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json") return true;
  }
  return false;
}

// Runs the command that the arguments name. Its callback notes the exit code in the context.
void run(CLI::App& app, int argc, char** argv, Context& context) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_help = dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr;
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success) &&
        !(is_help && names_no_command(app))) {
      app.exit(error);  // --help, --version
      return;
    }
    context.json = wants_json(argc, argv);
    report_usage(context, usage_problem(app, error, {argv + 1, argv + argc}));
  } catch (const std::exception& error) {
    report(context, {Errc::internal, error.what()});
  }
}

// As with "| head": whoever has read enough wants no word about it.
bool reader_has_left() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

// What was printed has to have reached its reader: a full disk or a closed pipe is a failure.
void finish_output(Context& context) {
  std::cout.flush();
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
  if (written || context.exit != Exit::done) return;
  if (reader_has_left()) {
    context.exit = Exit::no;
  } else {
    report(context, {Errc::io, "standard output: cannot write"});
  }
}

}  // namespace
}  // namespace ipnscast::tools

int main(int argc, char** argv) {
  using namespace ipnscast::tools;
  keep_memory_to_ourselves();
  std::signal(SIGPIPE, SIG_IGN);
  Context context;
  CLI::App app("Tells you the moment an IPNS name changes, and brings you the verified content",
               "ipnscast");
  app.fallthrough();  // global options are taken before and after the command
  app.require_subcommand(1);
  app.formatter(help_pages());
  app.set_help_flag("-h,--help", "Print this page");
  add_global_options(app, context);
  add_commands(app, context);
  name_groups(app);
  app.parse_complete_callback([&app, &context] {
    check_no_empty_values(app);
    start_logging(asked_level(context), context.json);
  });
  run(app, argc, argv, context);
  finish_output(context);
  return static_cast<int>(context.exit);
}
