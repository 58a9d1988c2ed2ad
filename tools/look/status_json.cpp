#include <cmath>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/look/status_facts.h"

namespace ipnscast::tools {
namespace {

using Json = nlohmann::ordered_json;

// null where there is nothing.
template <typename Value, typename Form>
Json given_or_null(const std::optional<Value>& value, const Form& form) {
  return value ? Json(form(*value)) : Json();
}

Json name_facts(const StatusFacts& facts, const sync::NameStatus& status) {
  Json out = {{"name", status.name.to_string()},
              {"sequence", std::to_string(status.sequence.value)},
              {"value", status.value}};
  out["cid"] = given_or_null(status.cid, [](const sync::Cid& cid) { return cid.to_string(); });
  out["validity"] = status.eol.to_string();
  out["stale"] = status.stale;
  out["handed_over"] = status.handed_over;
  out["own"] = status.own;
  out["followed"] = status.followed;
  out["renews"] = given_or_null(renewal_of(facts, status), rfc3339);
  out["source"] = status.followed ? Json(to_string(status.source.kind)) : Json();
  out["author"] = given_or_null(status.author, nostr::encode_npub);
  out["seen"] = status.followed ? Json(rfc3339(status.seen)) : Json();
  return out;
}

Json bridged_facts(const StatusFacts& facts) {
  auto out = Json::array();
  for (const bridge::AnnouncedName& name : facts.bridged) {
    Json row = {{"name", name.name.to_string()},
                {"sequence", std::to_string(name.record.sequence.value)},
                {"value", name.record.value},
                {"validity", name.record.eol.to_string()}};
    row["announced"] = given_or_null(name.hint, [](const auto& hint) { return rfc3339(hint.at); });
    row["owed"] = bridge::owed(name, facts.now) != bridge::Owed::nothing;
    out.push_back(std::move(row));
  }
  return out;
}

Json gateway_facts(const sync::GatewayStatus& gateway) {
  const auto tenths = [](double count) { return std::round(count * 10) / 10; };
  Json out = {{"url", gateway.url},
              {"score", gateway.score},
              {"answers", tenths(gateway.answers)},
              {"failures", tenths(gateway.failures)},
              {"lies", tenths(gateway.lies)}};
  out["median_ms"] =
      given_or_null(gateway.median, [](Milliseconds median) { return median.count(); });
  return out;
}

Json outbox_facts(const nostr::OutboxView& outbox) {
  auto events = Json::array();
  for (const nostr::WaitingEvent& event : outbox.first) {
    Json row = {{"id", to_hex(event.id.view())}, {"kind", event.kind}};
    row["d"] = given_or_null(event.d, [](const std::string& d) { return d; });
    row["accepted_at"] = sync::Eol{event.accepted_at.value, 0}.to_string();
    auto& relays = row["relays"] = Json::array();
    for (const auto& at : event.relays) {
      relays.push_back({{"relay", at.relay.text()},
                        {"state", at.state},
                        {"reason", at.reason},
                        {"tries", at.tries}});
    }
    events.push_back(std::move(row));
  }
  return {{"waiting", outbox.events}, {"relays", outbox.lacked}, {"events", std::move(events)}};
}

Json errand_facts(const sync::OwedWork& owed) {
  auto out = Json::array();
  for (const sync::OwedRecord& record : owed.records) {
    out.push_back({{"what", "record"}, {"name", record.name.to_string()}, {"place", record.place}});
  }
  for (const sync::Pin& pin : owed.missing)
    out.push_back({{"what", "content"}, {"cid", pin.root.to_string()}, {"place", pin.node}});
  for (const sync::Cid& root : owed.unplaced)
    out.push_back({{"what", "content"}, {"cid", root.to_string()}, {"place", nullptr}});
  for (const sync::Pin& pin : owed.unwanted)
    out.push_back({{"what", "unpin"}, {"cid", pin.root.to_string()}, {"place", pin.node}});
  return out;
}

double in_milliseconds(std::chrono::microseconds took) {
  return static_cast<double>(took.count()) / 1'000;
}

Json metrics_facts(const sync::Metrics& metrics) {
  Json out = {{"at", rfc3339(metrics.at)}, {"target_ms", sync::kOperationTarget.count()}};
  out["meets_target"] = metrics.measured() ? Json(metrics.meets_target()) : Json();
  auto& sources = out["sources"] = Json::array();
  for (const sync::SourceState& source : metrics.sources)
    sources.push_back({{"kind", source.kind}, {"url", source.url}, {"up", source.up}});
  for (const sync::Operation operation : sync::kOperations) {
    const sync::OperationMetrics& of = metrics.of(operation);
    out["operations"][std::string(to_string(operation))] = {{"count", of.count},
                                                            {"failures", of.failures},
                                                            {"slow", of.slow},
                                                            {"p50_ms", in_milliseconds(of.p50)},
                                                            {"p95_ms", in_milliseconds(of.p95)},
                                                            {"p99_ms", in_milliseconds(of.p99)}};
  }
  const auto cache = [](const sync::CacheMetrics& of) {
    return Json{{"hits", of.hits}, {"misses", of.misses}};
  };
  out["records"] = cache(metrics.records);
  out["blocks"] = cache(metrics.blocks);
  return out;
}

}  // namespace

nlohmann::ordered_json status_json(const StatusFacts& facts) {
  Json out = {{"state", facts.state_dir.string()}};
  out["owner"] = given_or_null(facts.owner, [](const store::LockHolder& owner) {
    return Json{{"pid", owner.pid}, {"command", owner.command}};
  });
  auto& names = out["names"] = Json::array();
  for (const auto& name : facts.state.names) names.push_back(name_facts(facts, name));
  out["bridged"] = bridged_facts(facts);
  auto& lost = out["lost"] = Json::array();
  for (const auto& [name, many] : facts.lost)
    lost.push_back({{"name", name.to_string()}, {"displaced", many}});
  auto& gateways = out["gateways"] = Json::array();
  for (const auto& gateway : facts.state.gateways) gateways.push_back(gateway_facts(gateway));
  out["outbox"] = outbox_facts(facts.state.outbox);
  out["errands"] = errand_facts(facts.state.owed);
  out["metrics"] = facts.state.metrics ? metrics_facts(*facts.state.metrics) : Json();
  return out;
}

}  // namespace ipnscast::tools
