#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tools/cli/descriptor_limit.h"
#include "ipnscast/tools/cli/setting_option.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/session/relay_settings.h"
#include "ipnscast/tools/session/session.h"
#include "ipnscast/tools/usage/arguments.h"

namespace ipnscast::tools {
namespace {

void serve(Context& context, const std::string& directory) {
  StopSignal stop;
  raise_descriptor_limit();
  const auto session = Session::open(context);
  if (!session) return;
  auto wanted = relay_options(session->settings().relay);
  wanted.directory =
      directory.empty() ? session->state_dir() / "relay" : std::filesystem::path(directory);
  const std::string kept_in = wanted.directory.string();
  auto loop = nostr::net::Loop::start();
  if (!loop) return report(context, loop.error());
  const auto relay = nostr::server::RelayServer::start(**loop, std::move(wanted));
  if (!relay) return report(context, relay.error());
  const nlohmann::ordered_json ready = {{"url", (*relay)->url()}, {"dir", kept_in}};
  print_line(context.json ? ready.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                          : "relay at " + (*relay)->url());
  if (!stop.wait(TimeLimit(context).left())) context.exit = Exit::deadline;
}

void add_serve_options(CLI::App& serving, Context& context, std::string& directory) {
  serving.add_option("--dir", directory, "Where events are kept (default: in the state directory)")
      ->type_name("DIR");
  add_setting(serving, context, "--listen", "relay.listen");
  add_setting(serving, context, "--max-bytes", "relay.max_bytes");
  add_setting(serving, context, "--writers", "relay.writers")->type_name("KEY");
  add_setting(serving, context, "--owner-private", "relay.owner_private");
  add_setting(serving, context, "--url", "relay.urls")->type_name("URL");
  add_setting(serving, context, "--rate", "relay.rate");
  add_setting(serving, context, "--request-rate", "relay.request_rate");
  add_setting(serving, context, "--max-clients", "relay.max_clients");
  add_setting(serving, context, "--max-clients-per-address", "relay.max_clients_per_address");
  add_setting(serving, context, "--max-waiting", "relay.max_waiting");
}

}  // namespace

void add_relay(CLI::App& app, Context& context) {
  CLI::App* relay =
      app.add_subcommand("relay", "The embedded Nostr relay, and what other relays really do");
  relay->require_subcommand(1);
  const auto directory = std::make_shared<std::string>();
  CLI::App* serving = relay->add_subcommand("serve", "Runs the relay until Ctrl-C");
  add_serve_options(*serving, context, *directory);
  serving->callback([&context, directory] { serve(context, *directory); });
  add_relay_probe(*relay, context);
}

}  // namespace ipnscast::tools
