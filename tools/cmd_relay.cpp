#include <memory>
#include <nlohmann/json.hpp>

#include "nostr/server/relay_server.h"
#include "tools/command.h"
#include "tools/listen_address.h"
#include "tools/state_directory.h"
#include "tools/stop_signal.h"

namespace ipnscast::tools {
namespace {

struct ServeOptions {
  std::string listen = "127.0.0.1:7777";
  std::string directory;
  double rate = 0;
};

Result<nostr::server::RelayServerOptions> server_options(const Context& context,
                                                         const ServeOptions& options) {
  const auto listen = parse_listen_address(options.listen);
  if (!listen) return fail(listen.error().within("--listen"));
  nostr::server::RelayServerOptions out;
  out.address = listen->address;
  out.port = listen->port;
  out.relay.events_per_second = options.rate;
  out.directory = options.directory;
  if (out.directory.empty()) {
    const auto state = state_directory(context);
    if (!state) return fail(state.error());
    out.directory = *state / "relay";
  }
  return out;
}

void serve(Context& context, const ServeOptions& options) {
  StopSignal stop;
  auto wanted = server_options(context, options);
  if (!wanted) return report(context, wanted.error());
  const std::string directory = wanted->directory.string();
  auto loop = nostr::net::Loop::start();
  if (!loop) return report(context, loop.error());
  const auto relay = nostr::server::RelayServer::start(**loop, std::move(*wanted));
  if (!relay) return report(context, relay.error());
  const nlohmann::ordered_json ready = {{"url", (*relay)->url()}, {"dir", directory}};
  print_line(context.json ? ready.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                          : "relay at " + (*relay)->url());
  if (!stop.wait(context.timeout)) context.exit = Exit::deadline;
}

}  // namespace

void add_relay(CLI::App& app, Context& context) {
  CLI::App* relay = app.add_subcommand("relay", "The embedded Nostr relay, and what other relays really do");
  relay->require_subcommand(1);
  const auto options = std::make_shared<ServeOptions>();
  CLI::App* serving = relay->add_subcommand("serve", "Runs the relay until Ctrl-C");
  serving->add_option("--listen", options->listen, "Address and port; port 0 takes a free one")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  serving
      ->add_option("--dir", options->directory,
                   "Where events are kept (default: in the state directory)")
      ->type_name("DIR");
  serving
      ->add_option("--rate", options->rate,
                   "Events a second that one client may publish; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  serving->callback([&context, options] { serve(context, *options); });
  add_relay_probe(*relay, context);
}

}  // namespace ipnscast::tools
