#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/reports/device_rows.h"
#include "ipnscast/tools/session/session.h"
#include "ipnscast/tools/session/shared_client.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kRelaysAnswer{5'000};

void devices(Context& context) {
  const TimeLimit limit(context);
  const auto session = Session::open(context);
  if (!session) return;
  auto config = session->sync_config();
  if (!config) return report(context, config.error());
  if (config->relays.empty())
    return report_usage(context, "no relay is configured: " + session->how_to_set("relays.urls"));
  if (!config->signer) return report(context, session->no_key());
  config->gateways.clear();
  const auto client = open_or_attach(std::move(*config), limit.left(kRelaysAnswer));
  if (!client) return report(context, client.error());
  const auto found =
      (*client)->devices(std::chrono::steady_clock::now() + limit.left(kRelaysAnswer));
  if (!found) return report(context, {Errc::unreachable, found.error().message});
  if (context.json) return print_line(dump({{"devices", facts_of(*found)}}));
  for (const std::string& row : device_rows(*found)) print_line(row);
  if (found->empty())
    print_line("no device has said anything: a running watch does, unless devices.announce is off");
}

}  // namespace

void add_devices(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand(
      "devices", "The devices that share our key, and which versions they have taken in");
  command->callback([&context] { devices(context); });
}

}  // namespace ipnscast::tools
