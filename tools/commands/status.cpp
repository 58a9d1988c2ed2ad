#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/state/state_view.h"
#include "ipnscast/sync/writer/lost_view.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/reports/lost_rows.h"
#include "ipnscast/tools/session/session.h"
#include "ipnscast/tools/session/state_directory.h"

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
  out["own"] = status.own;
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
  return "gateway  " + gateway.url + "  score " + std::to_string(gateway.score) + "  " +
         (gateway.median ? std::to_string(gateway.median->count()) + " ms  " : "") + counts;
}

nlohmann::ordered_json facts_of(const nostr::OutboxView& outbox) {
  auto events = nlohmann::ordered_json::array();
  for (const nostr::WaitingEvent& event : outbox.first) {
    nlohmann::ordered_json row = {{"id", to_hex(event.id.view())}, {"kind", event.kind}};
    row["d"] = event.d ? nlohmann::ordered_json(*event.d) : nlohmann::ordered_json();
    row["accepted_at"] = sync::Eol{event.accepted_at.value, 0}.to_string();
    auto& relays = row["relays"] = nlohmann::ordered_json::array();
    for (const auto& at : event.relays) {
      relays.push_back({{"relay", at.relay.text()},
                        {"state", at.state},
                        {"reason", at.reason},
                        {"tries", at.tries}});
    }
    events.push_back(std::move(row));
  }
  return {{"waiting", outbox.events}, {"events", std::move(events)}};
}

void print_outbox(const nostr::OutboxView& outbox) {
  for (const nostr::WaitingEvent& event : outbox.first) {
    for (const auto& at : event.relays) {
      print_line("waiting  " + to_hex(event.id.view()) + "  kind " + std::to_string(event.kind) +
                 (event.d ? "  d " + *event.d : "") + "  " + at.relay.text() + "  " + at.state +
                 (at.reason.empty() ? "" : ": " + at.reason) + "  " + std::to_string(at.tries) +
                 (at.tries == 1 ? " try" : " tries"));
    }
  }
  if (outbox.events > outbox.first.size())
    print_line("waiting  " + std::to_string(outbox.events - outbox.first.size()) + " more events");
}

double in_milliseconds(std::chrono::microseconds took) {
  return static_cast<double>(took.count()) / 1'000;
}

nlohmann::ordered_json facts_of(const sync::Metrics& metrics) {
  nlohmann::ordered_json out = {{"at", rfc3339(metrics.at)},
                                {"target_ms", sync::kOperationTarget.count()}};
  out["meets_target"] = metrics.measured() ? nlohmann::ordered_json(metrics.meets_target())
                                           : nlohmann::ordered_json();
  auto& sources = out["sources"] = nlohmann::ordered_json::array();
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
    return nlohmann::ordered_json{{"hits", of.hits}, {"misses", of.misses}};
  };
  out["records"] = cache(metrics.records);
  out["blocks"] = cache(metrics.blocks);
  return out;
}

void print_metrics(const sync::Metrics& metrics) {
  for (const sync::SourceState& source : metrics.sources)
    print_line("source   " + source.kind + "  " + source.url + (source.up ? "  up" : "  down") +
               ", at " + rfc3339(metrics.at));
  for (const sync::Operation operation : sync::kOperations) {
    const sync::OperationMetrics& of = metrics.of(operation);
    if (of.count == 0) continue;
    char line[160];
    std::snprintf(
        line, sizeof line,
        "%-8s %8llu  %llu failed, %llu slow  p50 %.2f ms, p95 %.2f ms, p99 %.2f ms",
        std::string(to_string(operation)).c_str(), static_cast<unsigned long long>(of.count),
        static_cast<unsigned long long>(of.failures), static_cast<unsigned long long>(of.slow),
        in_milliseconds(of.p50), in_milliseconds(of.p95), in_milliseconds(of.p99));
    print_line(line);
  }
}

void status(Context& context) {
  const auto session = Session::open(context);
  if (!session) return;
  if (const Status there = check_state_is_there(context); !there)
    return report(context, there.error());
  const auto state = sync::read_state(session->state_dir());
  if (!state) return report(context, state.error());
  const auto lost = sync::count_lost(session->state_dir());
  if (!lost) return report(context, lost.error());
  if (context.json) {
    nlohmann::ordered_json out = {{"state", session->state_dir().string()}};
    auto& list = out["names"] = nlohmann::ordered_json::array();
    for (const auto& name : state->names) list.push_back(facts_of(name));
    auto& displaced = out["lost"] = nlohmann::ordered_json::array();
    for (const auto& [name, many] : *lost)
      displaced.push_back({{"name", name.to_string()}, {"displaced", many}});
    auto& gateways = out["gateways"] = nlohmann::ordered_json::array();
    for (const auto& gateway : state->gateways) gateways.push_back(facts_of(gateway));
    out["outbox"] = facts_of(state->outbox);
    out["metrics"] = state->metrics ? facts_of(*state->metrics) : nlohmann::ordered_json();
    return print_line(dump(out));
  }
  print_line("state  " + session->state_dir().string());
  for (const auto& name : state->names) {
    print_line(name.name.to_string() + "  sequence " + std::to_string(name.sequence.value) + "  " +
               name.value + "  until " + name.eol.to_string() + (name.stale ? "  stale" : "") +
               (name.own           ? "  published here"
                : name.handed_over ? ""
                                   : "  not handed over yet"));
  }
  if (state->names.empty()) print_line("no names");
  for (const auto& [name, many] : *lost) print_line("lost  " + lost_line(name, many));
  for (const auto& gateway : state->gateways) print_line(line_of(gateway));
  print_outbox(state->outbox);
  if (state->metrics) print_metrics(*state->metrics);
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  app.add_subcommand(
         "status",
         "What is known of each name that is followed and of each gateway, and what waits "
         "for relays")
      ->callback([&context] { status(context); });
}

}  // namespace ipnscast::tools
