#include <algorithm>
#include <cstdio>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/tools/look/rows.h"
#include "ipnscast/tools/look/status_facts.h"
#include "ipnscast/tools/reports/lost_rows.h"
#include "ipnscast/tools/reports/short_text.h"

namespace ipnscast::tools {
namespace {

// Of what waits; --json has all of it.
constexpr size_t kShownErrands = 20;

std::string elapsed(UnixMillis then, UnixMillis now) {
  return time_text(Milliseconds(std::max<int64_t>(now.value - then.value, 0)));
}

std::string age_of(UnixMillis then, UnixMillis now) {
  return now.value - then.value < 1'000 ? "now" : elapsed(then, now) + " ago";
}

// How things are written: short for eyes, whole for programs.
class Words {
 public:
  Words(const StatusFacts& facts, bool shortened) : shortened_(shortened) {
    std::vector<sync::IpnsName> all = facts.to_bridge;
    for (const auto& name : facts.state.names) all.push_back(name.name);
    for (const auto& name : facts.bridged) all.push_back(name.name);
    names_ = ShortNames(all);
  }
  std::string name(const sync::IpnsName& name) const {
    return shortened_ ? names_.of(name) : name.to_string();
  }
  std::string value(const std::string& value) const {
    return shortened_ ? short_value(value) : value;
  }
  std::string cid(const sync::Cid& cid) const {
    return shortened_ ? short_cid(cid) : cid.to_string();
  }

 private:
  bool shortened_;
  ShortNames names_;
};

Cell validity(const sync::Eol& eol, UnixMillis now) {
  const int64_t left = eol.seconds - now.value / 1'000;
  if (left < 0) return {"expired " + time_text(Seconds(-left)) + " ago", Colour::red};
  // Lifetimes of centuries are meant as "for ever".
  if (left > Seconds(std::chrono::hours(24 * 365 * 100)).count()) return {"valid for ever"};
  return {"valid for " + time_text(Seconds(left))};
}

std::string role_of(const sync::NameStatus& name) {
  if (name.own) return name.followed ? "published here, followed" : "published here";
  return name.handed_over ? "followed" : "followed, not handed over yet";
}

void add_known_names(std::vector<Row>& out, const StatusFacts& facts, const Words& words) {
  for (const auto& name : facts.state.names) {
    out.push_back({{"name"},
                   {words.name(name.name)},
                   {"sequence " + std::to_string(name.sequence.value)},
                   {words.value(name.value)},
                   validity(name.eol, facts.now),
                   {role_of(name)}});
  }
}

void add_bridged(std::vector<Row>& out, const StatusFacts& facts, const Words& words) {
  for (const auto& name : facts.bridged) {
    const bool owed = bridge::owed(name, facts.now) != bridge::Owed::nothing;
    out.push_back({{"bridged"},
                   {words.name(name.name)},
                   {"sequence " + std::to_string(name.record.sequence.value)},
                   {words.value(name.record.value)},
                   validity(name.record.eol, facts.now),
                   {owed        ? "to be announced"
                    : name.hint ? "announced " + elapsed(name.hint->at, facts.now) + " ago"
                                : "not announced"}});
  }
  for (const auto& name : facts.to_bridge) {
    const bool known = std::any_of(facts.bridged.begin(), facts.bridged.end(),
                                   [&](const auto& one) { return one.name == name; });
    if (!known) out.push_back({{"bridged"}, {words.name(name)}, {"no record yet"}});
  }
}

std::string numbers_of(const sync::GatewayStatus& gateway) {
  char counts[128];
  std::snprintf(counts, sizeof counts, "score %d  %s%.0f answers, %.0f failures, %.1f lies",
                gateway.score,
                gateway.median ? (std::to_string(gateway.median->count()) + " ms  ").c_str() : "",
                gateway.answers, gateway.failures, gateway.lies);
  return counts;
}

// What the one who works here, or did last, said of its sources. What only the past knows has no
// state.
void add_sources(std::vector<Row>& out, const StatusFacts& facts) {
  const auto& gateways = facts.state.gateways;
  const auto numbers = [&](const std::string& url) -> std::string {
    const auto found = std::find_if(gateways.begin(), gateways.end(),
                                    [&](const auto& one) { return one.url == url; });
    return found == gateways.end() ? "" : numbers_of(*found);
  };
  std::vector<std::string> told;
  const auto& outbox = facts.state.outbox.lacked;
  static const std::vector<sync::SourceState> kNone;
  const auto& sources = facts.state.metrics ? facts.state.metrics->sources : kNone;
  for (const sync::SourceState& source : sources) {
    const Cell state = facts.owner
                           ? (source.up ? Cell{"up", Colour::green} : Cell{"down", Colour::red})
                           : Cell{source.up ? "was up" : "was down"};
    const auto lacked = outbox.find(source.url);
    const std::string waiting =
        lacked == outbox.end() ? "" : "lacks " + counted(lacked->second, "event");
    const bool gateway = source.kind == "gateway";
    out.push_back({{source.kind}, {source.url}, state, {gateway ? numbers(source.url) : waiting}});
    told.push_back(source.url);
  }
  // Those whose state nobody has written down yet.
  for (const auto& [kind, url] : facts.configured) {
    if (std::find(told.begin(), told.end(), url) != told.end()) continue;
    const auto lacked = outbox.find(url);
    out.push_back(
        {{kind},
         {url},
         {facts.owner ? "not known yet" : "not used yet"},
         {lacked == outbox.end() ? numbers(url) : "lacks " + counted(lacked->second, "event")}});
    told.push_back(url);
  }
  for (const auto& gateway : gateways) {
    if (std::find(told.begin(), told.end(), gateway.url) == told.end())
      out.push_back({{"gateway"}, {gateway.url}, {"not used"}, {numbers_of(gateway)}});
  }
  for (const auto& [relay, count] : outbox) {
    if (std::find(told.begin(), told.end(), relay) == told.end())
      out.push_back({{"relay"}, {relay}, {"not used"}, {"lacks " + counted(count, "event")}});
  }
}

void add_outbox(std::vector<Row>& out, const StatusFacts& facts) {
  const nostr::OutboxView& outbox = facts.state.outbox;
  for (const nostr::WaitingEvent& event : outbox.first) {
    const UnixMillis accepted{event.accepted_at.value * 1'000};
    for (const auto& at : event.relays) {
      out.push_back({{"waiting"},
                     {to_hex(event.id.view())},
                     {"kind " + std::to_string(event.kind)},
                     {event.d ? "d " + *event.d : ""},
                     {at.relay.text()},
                     {at.state + (at.reason.empty() ? "" : ": " + at.reason), Colour::yellow},
                     {std::to_string(at.tries) + (at.tries == 1 ? " try" : " tries")},
                     {"for " + elapsed(accepted, facts.now)}});
    }
  }
  if (outbox.events > outbox.first.size())
    out.push_back({{"waiting"}, {counted(outbox.events - outbox.first.size(), "more event")}});
}

std::vector<Row> errand_rows(const StatusFacts& facts, const Words& words) {
  const sync::OwedWork& owed = facts.state.owed;
  std::vector<Row> out;
  for (const auto& record : owed.records)
    out.push_back({{"errand"}, {"record"}, {words.name(record.name)}, {"to " + record.place}});
  for (const auto& pin : owed.missing)
    out.push_back({{"errand"}, {"content"}, {words.cid(pin.root)}, {"to " + pin.node}});
  for (const auto& root : owed.unplaced)
    out.push_back({{"errand"}, {"content"}, {words.cid(root)}, {"to a node"}});
  for (const auto& pin : owed.unwanted)
    out.push_back({{"errand"}, {"unpin"}, {words.cid(pin.root)}, {"at " + pin.node}});
  if (out.size() > kShownErrands) {
    const size_t more = out.size() - kShownErrands;
    out.resize(kShownErrands);
    out.push_back({{"errand"}, {counted(more, "more errand")}});
  }
  return out;
}

void add_renewals(std::vector<Row>& out, const StatusFacts& facts, const Words& words) {
  for (const auto& name : facts.state.names) {
    const auto at = renewal_of(facts, name);
    if (!at) continue;
    const bool due = at->value <= facts.now.value;
    out.push_back(
        {{"renewal"},
         {words.name(name.name)},
         {due ? "due" : "in " + elapsed(facts.now, *at), due ? Colour::yellow : Colour::none},
         {facts.owner ? "" : "when watch, bridge or up runs"}});
  }
}

void add_operations(std::vector<Row>& out, const sync::Metrics& metrics) {
  for (const sync::Operation operation : sync::kOperations) {
    const sync::OperationMetrics& of = metrics.of(operation);
    if (of.count == 0) continue;
    out.push_back({{std::string(to_string(operation))},
                   {std::to_string(of.count)},
                   {std::to_string(of.failures) + " failed, " + std::to_string(of.slow) + " slow"},
                   {"p50 " + time_text(of.p50) + ", p95 " + time_text(of.p95) + ", p99 " +
                    time_text(of.p99)}});
  }
}

Row owner_row(const StatusFacts& facts) {
  if (!facts.owner) return {{"owner"}, {"nobody works in it now"}};
  return {{"owner"},
          {"process " + std::to_string(facts.owner->pid) +
           (facts.owner->command.empty() ? "" : ": " + facts.owner->command)}};
}

}  // namespace

void print_status(const StatusFacts& facts, const Screen& screen) {
  const Words words(facts, screen.terminal);
  print_rows(screen, {{{"state"}, {facts.state_dir.string()}}, owner_row(facts)});
  std::vector<Row> names;
  add_known_names(names, facts, words);
  add_bridged(names, facts, words);
  if (names.empty()) names.push_back({{"no names"}});
  print_rows(screen, names);
  for (const auto& [name, many] : facts.lost)
    print_rows(screen, {{{"lost"}, {lost_line(name, many), Colour::red}}});
  std::vector<Row> sources;
  add_sources(sources, facts);
  print_rows(screen, sources);
  std::vector<Row> waiting;
  add_outbox(waiting, facts);
  print_rows(screen, waiting);
  print_rows(screen, errand_rows(facts, words));
  std::vector<Row> renewals;
  add_renewals(renewals, facts, words);
  print_rows(screen, renewals);
  if (!facts.state.metrics) return;
  std::vector<Row> operations;
  add_operations(operations, *facts.state.metrics);
  print_rows(screen, operations);
  print_rows(screen, {{{"as of"}, {age_of(facts.state.metrics->at, facts.now)}}});
}

}  // namespace ipnscast::tools
