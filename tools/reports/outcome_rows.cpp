#include "ipnscast/tools/reports/outcome_rows.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/tools/cli/json_text.h"

namespace ipnscast::tools {
namespace {

using OutcomePlace = sync::Outcome::Place;

const char* word(OutcomePlace::Kind kind) {
  switch (kind) {
    case OutcomePlace::Kind::node:
      return "node";
    case OutcomePlace::Kind::router:
      return "router";
    case OutcomePlace::Kind::relay:
      return "relay";
  }
  return "relay";
}

const char* word(OutcomePlace::What what) {
  switch (what) {
    case OutcomePlace::What::content:
      return "content";
    case OutcomePlace::What::record:
      return "record";
    case OutcomePlace::What::hint:
      return "hint";
  }
  return "hint";
}

using Receipts = std::optional<std::vector<sync::Device>>;

void print_json(const Context& context, const sync::Outcome& outcome, bool retraction,
                const Receipts& receipts) {
  nlohmann::ordered_json out = {{"name", outcome.name.to_string()}};
  if (!retraction) {
    out["cid"] = outcome.cid.to_string();
    out["sequence"] = std::to_string(outcome.sequence.value);
  }
  out[retraction ? "retraction" : "hint"] = nullptr;
  if (outcome.hint) out[retraction ? "retraction" : "hint"] = to_hex(outcome.hint->view());
  out["quorum_met"] = outcome.quorum_met;
  if (!retraction) {
    out["queued"] = outcome.queued;
    out["settled"] = outcome.settled;
    out["hidden_left_out"] = outcome.hidden_left_out;
    out["displaced"] = context.displaced;
  }
  out["complete"] = outcome.complete();
  out["relays_acknowledged"] = outcome.relays_acknowledged;
  auto& places = out["places"] = nlohmann::ordered_json::array();
  for (const OutcomePlace& place : outcome.places) {
    places.push_back({{"kind", word(place.kind)},
                      {"url", place.url},
                      {"what", word(place.what)},
                      {"ok", place.ok},
                      {"goes_on", !place.ok && !place.settled},
                      {"detail", place.detail},
                      {"ms", place.took.count()}});
  }
  if (receipts) {
    auto& applied = out["applied"] = nlohmann::ordered_json::array();
    for (const sync::Device& device : *receipts)
      applied.push_back({{"id", device.id}, {"name", device.name}});
  }
  print_line(dump(out));
}

void print_human(const sync::Outcome& outcome, bool retraction, const Receipts& receipts) {
  print_line("name      " + outcome.name.to_string());
  if (!retraction) {
    print_line("cid       " + outcome.cid.to_string());
    print_line("sequence  " + std::to_string(outcome.sequence.value));
    if (outcome.hidden_left_out > 0)
      print_line("left out  " + std::to_string(outcome.hidden_left_out) +
                 (outcome.hidden_left_out == 1 ? " hidden file or directory"
                                               : " hidden files or directories") +
                 " (--hidden publishes them too)");
  }
  for (const OutcomePlace& place : outcome.places) {
    std::string line = word(place.kind);
    line.resize(8, ' ');
    line += place.ok ? "ok  " : "--  ";
    line += word(place.what);
    line.resize(21, ' ');
    print_line(line + place.url + "  " + place.detail + "  " + std::to_string(place.took.count()) +
               " ms");
  }
  if (!receipts) return;
  for (const sync::Device& device : *receipts)
    print_line("device  ok  applied  " + shown_text(device.label()));
}

// The URLs of places that are not through, each once.
std::string urls(const sync::Outcome& outcome, bool settled) {
  std::string out;
  for (const OutcomePlace& place : outcome.places) {
    if (place.ok || place.settled != settled || out.find(place.url) != out.npos) continue;
    out += (out.empty() ? "" : ", ") + place.url;
  }
  return out;
}

// What goes on, and what does not.
std::string the_rest(const sync::Outcome& outcome) {
  const std::string open = urls(outcome, false);
  const std::string refused = urls(outcome, true);
  std::string out;
  if (!open.empty()) out = "goes on with the next command that runs long enough: " + open;
  if (!refused.empty()) out += (out.empty() ? "" : "; ") + ("not sent again: " + refused);
  return out;
}

// Why the record is nowhere, although somebody looked at it. Nothing: it is somewhere, or nobody
// did.
std::optional<std::string> record_refused(const sync::Outcome& outcome) {
  std::string out;
  for (const OutcomePlace& place : outcome.places) {
    if (place.what != OutcomePlace::What::record) continue;
    if (place.ok || place.newer) return std::nullopt;
    if (place.refused && out.empty()) out = place.url + " " + place.detail;
  }
  if (out.empty()) return std::nullopt;
  return "no node or router took the record, so nobody who asks them finds it: " + out +
         " (this machine's clock says " + rfc3339(system_now().wall) + ")";
}

// The end of a publish that the relays, or the nodes where there are none, did not take.
void report_missed(Context& context, const sync::Outcome& outcome) {
  const auto& places = outcome.places;
  if (const auto why = record_refused(outcome)) {
    report(context, {Errc::refused, *why + "; mend that and publish again"});
    context.exit = Exit::quorum;
    return;
  }
  const bool somewhere =
      std::any_of(places.begin(), places.end(), [](const OutcomePlace& p) { return p.ok; });
  const auto refused = [](const OutcomePlace& p) {
    return p.kind != OutcomePlace::Kind::relay || (!p.ok && p.settled);
  };
  const bool relays = std::any_of(places.begin(), places.end(), [](const OutcomePlace& p) {
    return p.kind == OutcomePlace::Kind::relay;
  });
  if (relays && std::all_of(places.begin(), places.end(), refused)) {
    report(context, {Errc::refused, "refused by all relays, not sent again"});
    if (somewhere) context.exit = Exit::quorum;
  } else if (somewhere) {
    report(context, {Errc::busy, "the quorum was missed; " + the_rest(outcome)});
    context.exit = Exit::quorum;
  } else {
    report(context, {Errc::unreachable, "nothing was reachable; " + the_rest(outcome)});
  }
}

void print(Context& context, const sync::Outcome& outcome, bool retraction,
           const Receipts& receipts) {
  context.json ? print_json(context, outcome, retraction, receipts)
               : print_human(outcome, retraction, receipts);
  if (outcome.queued) {
    report(context, {Errc::busy, "queued, no node has the content yet; " + the_rest(outcome)});
    context.exit = Exit::quorum;
  } else if (!outcome.quorum_met) {
    report_missed(context, outcome);
  } else if (!context.json && !outcome.complete()) {
    print_line("not everywhere yet: " + the_rest(outcome));
  }
}

}  // namespace

void print_outcome(Context& context, const sync::Outcome& outcome, const Receipts& receipts) {
  print(context, outcome, false, receipts);
}

void print_retraction(Context& context, const sync::Outcome& outcome) {
  print(context, outcome, true, std::nullopt);
}

}  // namespace ipnscast::tools
