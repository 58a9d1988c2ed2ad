#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/json_text.h"
#include "tools/session.h"

namespace ipnscast::tools {
namespace {

nlohmann::ordered_json facts_of(const sync::NameStatus& status) {
  nlohmann::ordered_json out = {{"name", status.name.to_string()},
                                {"sequence", std::to_string(status.sequence.value)},
                                {"value", status.value}};
  out["cid"] = status.cid ? nlohmann::ordered_json(status.cid->to_string()) : nullptr;
  out["validity"] = status.eol.to_string();
  out["stale"] = status.stale;
  out["handed_over"] = status.handed_over;
  return out;
}

nlohmann::ordered_json facts_of(const sync::GatewayStatus& gateway) {
  const auto tenths = [](double count) { return std::round(count * 10) / 10; };
  nlohmann::ordered_json out = {{"url", gateway.url},
                                {"score", gateway.score},
                                {"answers", tenths(gateway.answers)},
                                {"failures", tenths(gateway.failures)},
                                {"lies", tenths(gateway.lies)}};
  out["median_ms"] =
      gateway.median ? nlohmann::ordered_json(gateway.median->count()) : nlohmann::ordered_json();
  return out;
}

std::string line_of(const sync::GatewayStatus& gateway) {
  char counts[96];
  std::snprintf(counts, sizeof counts, "%.0f answers, %.0f failures, %.1f lies", gateway.answers,
                gateway.failures, gateway.lies);
  return "gateway  " + printable(gateway.url) + "  score " + std::to_string(gateway.score) + "  " +
         (gateway.median ? std::to_string(gateway.median->count()) + " ms  " : "") + counts;
}

// What is known is local: no relay and no gateway is needed to tell it.
Result<std::unique_ptr<sync::Client>> open_offline(const Session& session) {
  auto config = session.sync_config();
  if (!config) return fail(config.error());
  config->relays.clear();
  config->gateways.clear();
  return sync::Client::open(std::move(*config));
}

void status(Context& context) {
  const auto session = Session::open(context);
  if (!session) return;
  const auto client = open_offline(*session);
  if (!client) return report(context, client.error());
  const auto names = (*client)->status();
  if (context.json) {
    nlohmann::ordered_json out = {{"state", session->state_dir().string()}};
    auto& list = out["names"] = nlohmann::ordered_json::array();
    for (const auto& name : names) list.push_back(facts_of(name));
    auto& gateways = out["gateways"] = nlohmann::ordered_json::array();
    for (const auto& gateway : (*client)->gateways()) gateways.push_back(facts_of(gateway));
    return print_line(dump(out));
  }
  print_line("state  " + session->state_dir().string());
  for (const auto& name : names) {
    print_line(name.name.to_string() + "  sequence " + std::to_string(name.sequence.value) + "  " +
               printable(name.value) + "  until " + name.eol.to_string() +
               (name.stale ? "  stale" : "") + (name.handed_over ? "" : "  not handed over yet"));
  }
  if (names.empty()) print_line("no names");
  for (const auto& gateway : (*client)->gateways()) print_line(line_of(gateway));
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  app.add_subcommand("status", "What is known of each name that is followed, and of each gateway")
      ->callback([&context] { status(context); });
}

}  // namespace ipnscast::tools
