#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/bridge/stack.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tools/cli/descriptor_limit.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/password.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/session/bridge_settings.h"
#include "ipnscast/tools/session/kept_records.h"
#include "ipnscast/tools/session/relay_settings.h"
#include "ipnscast/tools/usage/arguments.h"

namespace ipnscast::tools {
namespace {

constexpr int kHighestPort = 65'535;

struct UpOptions {
  std::optional<int> port_base;
  std::string directory;
};

// Puts --port-base on top of the ports that are configured. Errc::invalid.
Status take_ports(bridge::StackOptions& stack, const UpOptions& options) {
  const std::pair<uint16_t*, const char*> ports[] = {{&stack.relay_port, "relay.listen"},
                                                     {&stack.gateway_port, "node.listen"},
                                                     {&stack.rpc_port, "the node RPC"},
                                                     {&stack.metrics_port, "http.metrics"}};
  for (const auto& [port, of] : ports) {
    if (!options.port_base) continue;
    if (*port + *options.port_base > kHighestPort)
      return fail(Errc::invalid, "--port-base: too high for the port of " + std::string(of));
    *port = static_cast<uint16_t>(*options.port_base == 0 ? 0 : *port + *options.port_base);
  }
  return {};
}

void print_ready(const Context& context, const bridge::Stack& stack,
                 const bridge::StackOptions& options) {
  const std::string author = nostr::encode_npub(stack.bridge_key());
  if (context.json) {
    nlohmann::ordered_json bridge;
    if (stack.bridge() != nullptr) {
      bridge = {{"author", author}, {"names", nlohmann::json::array()}};
      for (const auto& name : options.bridge.names) bridge["names"].push_back(name.to_string());
    }
    return print_line(dump({{"relay", stack.relay_url()},
                            {"gateway", stack.gateway_url()},
                            {"rpc", stack.rpc_url()},
                            {"metrics", stack.metrics_url()},
                            {"bridge", bridge},
                            {"dir", options.directory.string()}}));
  }
  print_line("relay      " + stack.relay_url());
  print_line("gateway    " + stack.gateway_url() + "  (blocks, records, delegated routing)");
  print_line("node RPC   " + stack.rpc_url() + "  (as Kubo's)");
  if (!stack.metrics_url().empty())
    print_line("metrics    " + stack.metrics_url() + "  (/metrics for Prometheus)");
  if (stack.bridge() != nullptr) {
    print_line("bridge     names: " + std::to_string(options.bridge.names.size()) +
               ", announcing as " + author);
  } else {
    print_line("bridge     off: no names are configured (bridge.names)");
  }
  print_line("files in   " + options.directory.string());
  print_line("");
  print_line("Other commands use it with this in their configuration:");
  print_line("  [relays]");
  print_line("  urls = [\"" + stack.relay_url() + "\"]");
  print_line("  [gateways]");
  print_line("  nodes = [\"" + stack.gateway_url() + "\", \"" + stack.rpc_url() + "\"]");
  if (stack.bridge() != nullptr) {
    print_line("and hear the bridge when they trust it:");
    print_line("  [trust]");
    print_line("  authors = [\"" + author + "\"]");
  }
  print_line("Ctrl-C ends it.");
}

void up(Context& context, const UpOptions& options) {
  StopSignal stop;
  raise_descriptor_limit();
  const auto session = Session::open(context);
  if (!session) return;
  bridge::StackOptions wanted;
  wanted.password = password_source(context);
  wanted.directory = options.directory.empty() ? session->state_dir() / "up"
                                               : std::filesystem::path(options.directory);
  const bridge::Settings& settings = session->settings();
  if (Status filled = fill_bridge_options(settings, wanted.bridge); !filled)
    return report(context, filled.error());
  wanted.relay = relay_options(settings.relay);
  wanted.relay_port = wanted.relay.port;
  wanted.node.address = settings.node.listen.address;
  wanted.gateway_port = settings.node.listen.port;
  wanted.node.max_bytes = settings.node.max_bytes;
  wanted.node.writers = settings.node.writers;
  wanted.metrics_address = settings.metrics ? settings.metrics->address : "";
  wanted.metrics_port = settings.metrics ? settings.metrics->port : 0;
  // What the stack itself renews, its node takes.
  if (!wanted.node.writers.empty() && settings.bridge.keep_alive) {
    for (const sync::IpnsKey& key : session->open_keys()) wanted.node.writers.insert(key.name());
  }
  if (Status taken = take_ports(wanted, options); !taken)
    return report_usage(context, taken.error().message);
  const auto stack = bridge::Stack::start(wanted);
  if (!stack) return report(context, stack.error());
  const auto kept = keep_records(*session, wanted.directory / "keep-alive",
                                 {{(*stack)->gateway_url(), 1, {}}, {(*stack)->rpc_url(), 1, {}}});
  if (!kept) return report(context, kept.error());
  print_ready(context, **stack, wanted);
  if (!stop.wait(TimeLimit(context).left())) context.exit = Exit::deadline;
}

}  // namespace

void add_up(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand(
      "up", "Runs relay, node and bridge in one process on loopback, until Ctrl-C");
  const auto options = std::make_shared<UpOptions>();
  add_number(*command, "--port-base", options->port_base, {0, kHighestPort - 8'081},
             "Added to the ports of relay (7777), gateway (8081), node RPC (5002) and metrics "
             "(9464); 0 takes free ones");
  command
      ->add_option("--dir", options->directory,
                   "Where everything is kept (default: up/ in the state directory)")
      ->type_name("DIR");
  command->callback([&context, options] { up(context, *options); });
}

}  // namespace ipnscast::tools
