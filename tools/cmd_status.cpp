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
    return print_line(dump(out));
  }
  print_line("state  " + session->state_dir().string());
  for (const auto& name : names) {
    print_line(name.name.to_string() + "  sequence " + std::to_string(name.sequence.value) + "  " +
               printable(name.value) + "  until " + name.eol.to_string() +
               (name.stale ? "  stale" : "") + (name.handed_over ? "" : "  not handed over yet"));
  }
  if (names.empty()) print_line("no names");
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  app.add_subcommand("status", "What is known of each name that is followed")->callback([&context] {
    status(context);
  });
}

}  // namespace ipnscast::tools
