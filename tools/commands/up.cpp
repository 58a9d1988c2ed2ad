#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/bridge/stack.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tools/cli/descriptor_limit.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/password.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/session/bridge_options.h"
#include "ipnscast/tools/session/kept_records.h"
#include "ipnscast/tools/session/node_settings.h"
#include "ipnscast/tools/session/relay_settings.h"
#include "ipnscast/tools/usage/arguments.h"

namespace ipnscast::tools {
namespace {

constexpr int kHighestPort = 65'535;

struct UpOptions {
  std::optional<int> port_base;
  std::string directory;
};

void take_ports(bridge::StackOptions& stack, const UpOptions& options) {
  if (!options.port_base) return;
  for (uint16_t* port :
       {&stack.relay_port, &stack.gateway_port, &stack.rpc_port, &stack.metrics_port})
    *port = static_cast<uint16_t>(*options.port_base == 0 ? 0 : *port + *options.port_base);
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
  Status filled = fill_bridge_options(session->settings(), wanted.bridge);
  if (filled) filled = fill_relay_options(session->settings().relay, wanted.relay);
  if (filled) filled = fill_node_options(session->settings().node, wanted.node);
  if (!filled) {
    report(context, filled.error());
    context.exit = Exit::usage;
    return;
  }
  // What the stack itself renews, its node takes.
  if (!wanted.node.writers.empty() && session->settings().bridge.keep_alive) {
    for (const sync::IpnsKey& key : session->open_keys()) wanted.node.writers.insert(key.name());
  }
  wanted.relay_port = wanted.relay.port;
  if (wanted.relay_port + options.port_base.value_or(0) > kHighestPort)
    return report_usage(context, "--port-base \"" + std::to_string(*options.port_base) +
                                     "\" is too high for the port of relay.listen");
  wanted.gateway_port = wanted.node.gateway_port;
  if (wanted.gateway_port + options.port_base.value_or(0) > kHighestPort)
    return report_usage(context, "--port-base \"" + std::to_string(*options.port_base) +
                                     "\" is too high for the port of node.listen");
  take_ports(wanted, options);
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
             "Added to the ports 7777 (relay), 8081 (gateway) and 5002 (node RPC); 0 takes free "
             "ones");
  command
      ->add_option("--dir", options->directory,
                   "Where everything is kept (default: up/ in the state directory)")
      ->type_name("DIR");
  command->callback([&context, options] { up(context, *options); });
}

}  // namespace ipnscast::tools
