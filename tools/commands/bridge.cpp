#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/bridge/http/metrics_server.h"
#include "ipnscast/bridge/moved_state.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tools/cli/descriptor_limit.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/session/bridge_options.h"
#include "ipnscast/tools/session/kept_records.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kUnprinted = 65'536;

using Announcements = Inbox<bridge::Announcement>;

// The configuration is usable: what the bridge is going to do.
void print_plan(const Context& context, const bridge::BridgeOptions& options) {
  const std::string author = nostr::encode_npub(options.signer->public_key());
  if (context.json) {
    nlohmann::ordered_json line = {{"event", "watching"},
                                   {"author", author},
                                   {"names", nlohmann::json::array()},
                                   {"relays", nlohmann::json::array()},
                                   {"gateways", nlohmann::json::array()}};
    for (const auto& name : options.names) line["names"].push_back(name.to_string());
    for (const auto& relay : options.relays) line["relays"].push_back(relay.text());
    for (const auto& gateway : options.gateways) line["gateways"].push_back(gateway.url);
    return print_line(dump(line));
  }
  print_line("watching names: " + std::to_string(options.names.size()) +
             ", gateways: " + std::to_string(options.gateways.size()) +
             ", relays: " + std::to_string(options.relays.size()) + ", announcing as " + author);
}

void print_announcement(const Context& context, const bridge::Announcement& announced) {
  const std::string name = announced.name.to_string();
  const std::string sequence = std::to_string(announced.hint.sequence.value);
  const std::string time = rfc3339(announced.hint.at);
  const char* const what = announced.repair ? "repair" : announced.renewal ? "renewal" : "change";
  if (context.json) {
    return print_line(dump({{"event", what},
                            {"name", name},
                            {"sequence", sequence},
                            {"value", announced.hint.value},
                            {"cid", announced.cid.to_string()},
                            {"time", time}}));
  }
  print_line(time + "  " + what + "  " + name + "  " + sequence + "  " + announced.hint.value);
}

// None where the configuration wants none, or the address is taken: a bridge that nobody can look
// at still bridges.
std::unique_ptr<bridge::MetricsServer> serve_metrics(nostr::net::Loop& loop,
                                                     const std::optional<bridge::ListenAddress>& at,
                                                     const bridge::Bridge& bridge) {
  if (!at) return nullptr;
  auto server = bridge::MetricsServer::start(
      loop, {.address = at->address, .port = at->port, .title = "ipnscast bridge"},
      [&bridge] { return bridge.telemetry(); });
  if (server) {
    log_info("bridge", "metrics at " + (*server)->url());
    return std::move(*server);
  }
  log_warning("bridge", "no metrics: " + server.error().message +
                            "; set http.metrics to another address, or to \"\" for none");
  return nullptr;
}

void run(Context& context, const Session& session, bridge::BridgeOptions options) {
  StopSignal stop;
  if (const Status moved = bridge::move_state(options.publisher_dir, options.state_dir); !moved)
    return report(context, moved.error());
  raise_descriptor_limit();
  Announcements announcements(kUnprinted);
  options.on_announced = [&announcements](const bridge::Announcement& announced) {
    announcements.try_push(bridge::Announcement(announced));
  };
  const auto loop = nostr::net::Loop::start();
  if (!loop) return report(context, loop.error());
  options.loop = loop->get();
  const auto bridge = bridge::Bridge::open(options);
  if (!bridge) return report(context, bridge.error());
  const auto metrics = serve_metrics(**loop, session.settings().metrics, **bridge);
  const auto kept = keep_records(session, session.state_dir() / "keep-alive", options.gateways);
  if (!kept) return report(context, kept.error());
  print_plan(context, options);
  const OnStopSignal on_stop(stop, [&announcements] { announcements.close(); });
  const auto deadline = TimeLimit(context).end();
  while (auto announced = deadline ? announcements.pop_until(*deadline) : announcements.pop())
    print_announcement(context, *announced);
  if (!announcements.closed()) context.exit = Exit::deadline;
  (*bridge)->close();
  for (const auto& announced : announcements.drain()) print_announcement(context, announced);
}

void bridge_command(Context& context, bool check_config) {
  context.daemon = true;
  const auto session = Session::open(context);
  if (!session) return;
  auto options = bridge_options(*session);
  if (!options) {
    report(context, options.error());
    context.exit = Exit::usage;
    return;
  }
  if (check_config) return print_plan(context, *options);
  run(context, *session, std::move(*options));
}

}  // namespace

void add_bridge(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand(
      "bridge", "The daemon: watches the names in bridge.names and announces their changes");
  const auto check_config = std::make_shared<bool>(false);
  command->add_flag("--check-config", *check_config,
                    "Only say whether the configuration is usable");
  command->callback([&context, check_config] { bridge_command(context, *check_config); });
}

}  // namespace ipnscast::tools
