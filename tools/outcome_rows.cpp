#include "tools/outcome_rows.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nostr/base/hex.h"
#include "tools/json_text.h"

namespace ipnscast::tools {
namespace {

using Place = sync::Outcome::Place;

const char* word(Place::Kind kind) {
  switch (kind) {
    case Place::Kind::node:
      return "node";
    case Place::Kind::router:
      return "router";
    case Place::Kind::relay:
      return "relay";
  }
  return "relay";
}

void print_json(const sync::Outcome& outcome) {
  nlohmann::ordered_json out = {{"name", outcome.name.to_string()},
                                {"cid", outcome.cid.to_string()},
                                {"sequence", std::to_string(outcome.sequence.value)},
                                {"hint", to_hex(outcome.hint.view())},
                                {"quorum_met", outcome.quorum_met},
                                {"complete", outcome.complete()},
                                {"relays_acknowledged", outcome.relays_acknowledged}};
  auto& places = out["places"] = nlohmann::ordered_json::array();
  for (const Place& place : outcome.places) {
    places.push_back({{"kind", word(place.kind)},
                      {"url", place.url},
                      {"ok", place.ok},
                      {"detail", place.detail},
                      {"ms", place.took.count()}});
  }
  print_line(dump(out));
}

void print_human(const sync::Outcome& outcome) {
  print_line("name      " + outcome.name.to_string());
  print_line("cid       " + outcome.cid.to_string());
  print_line("sequence  " + std::to_string(outcome.sequence.value));
  for (const Place& place : outcome.places) {
    std::string line = word(place.kind);
    line.resize(8, ' ');
    line += place.ok ? "ok  " : "--  ";
    print_line(line + place.url + "  " + printable(place.detail) + "  " +
               std::to_string(place.took.count()) + " ms");
  }
}

}  // namespace

void print_outcome(Context& context, const sync::Outcome& outcome) {
  context.json ? print_json(outcome) : print_human(outcome);
  if (!context.json && outcome.quorum_met && !outcome.complete())
    print_line("not everywhere yet: the rest goes on with the next command that runs long enough");
  if (outcome.quorum_met) return;
  const bool somewhere = std::any_of(outcome.places.begin(), outcome.places.end(),
                                     [](const Place& p) { return p.ok; });
  if (somewhere) {
    report(context, {Errc::busy,
                     "the quorum was missed; what is not done yet goes on with the next "
                     "command that runs long enough"});
    context.exit = Exit::quorum;
  } else {
    report(context, {Errc::unreachable, "nothing was reachable; it is kept and sent later"});
  }
}

}  // namespace ipnscast::tools
