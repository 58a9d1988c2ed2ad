#include "ipnscast/sync/resolve/race.h"

#include <map>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

constexpr int kNothing = -1;  // "not found", a failure or a forged record
constexpr int kNever = -1;    // no answer at all

struct Entrant {
  int tier = 1;
  int latency = 100;  // ms from being asked
  int sequence = kNothing;
};

struct Seen {
  int at;  // ms
  std::string what;
  int sequence = kNothing;
};

Instant at(int ms) { return Instant{} + std::chrono::hours(1) + Milliseconds(ms); }

// Runs a race on a virtual clock and notes what it said and when.
std::vector<Seen> run(const std::vector<Entrant>& entrants, RaceOptions options = {}) {
  std::vector<int> tiers;
  for (const Entrant& entrant : entrants) tiers.push_back(entrant.tier);
  Race race(tiers, options, at(0));
  std::multimap<int, size_t> answers;
  std::vector<Seen> seen;
  int now = 0;
  const auto sequence_of = [&](std::optional<size_t> source) {
    return source ? entrants[*source].sequence : kNothing;
  };
  const auto take = [&](const std::vector<RaceAction>& actions) {
    for (const RaceAction& action : actions) {
      if (const auto* ask = std::get_if<Ask>(&action)) {
        const int latency = entrants[ask->source].latency;
        if (latency != kNever) answers.emplace(now + latency, ask->source);
        seen.push_back({now, "ask " + std::to_string(ask->source)});
      } else if (const auto* stop = std::get_if<Stop>(&action)) {
        seen.push_back({now, "stop " + std::to_string(stop->source)});
      } else if (const auto* result = std::get_if<RaceResult>(&action)) {
        seen.push_back({now, result->late ? "late" : "result", sequence_of(result->source)});
      } else if (const auto* not_yet = std::get_if<NotYet>(&action)) {
        seen.push_back({now, "not yet", sequence_of(not_yet->best)});
      } else {
        seen.push_back({now, "finished", sequence_of(std::get<RaceFinished>(action).best)});
      }
    }
  };
  take(race.begin());
  while (!race.finished()) {
    const auto tick = race.next_tick();
    REQUIRE(tick);
    const int tick_ms = static_cast<int>(std::chrono::ceil<Milliseconds>(*tick - at(0)).count());
    if (!answers.empty() && answers.begin()->first <= tick_ms) {
      now = answers.begin()->first;
      const size_t source = answers.begin()->second;
      answers.erase(answers.begin());
      std::optional<Standing> record;
      if (entrants[source].sequence != kNothing) {
        record = Standing{{static_cast<uint64_t>(entrants[source].sequence)}, {}, {}};
      }
      take(race.answer(source, record, at(now)));
    } else {
      REQUIRE(tick_ms >= now);
      REQUIRE((tick_ms > now || seen.empty() || seen.size() < 1000));
      now = tick_ms;
      take(race.tick(at(now)));
    }
  }
  CHECK_FALSE(race.next_tick());
  return seen;
}

const Seen* find(const std::vector<Seen>& seen, const std::string& what) {
  for (const Seen& entry : seen) {
    if (entry.what == what) return &entry;
  }
  return nullptr;
}

void check_seen(const std::vector<Seen>& seen, const std::string& what, int when,
                int sequence = kNothing) {
  const Seen* entry = find(seen, what);
  INFO(what);
  REQUIRE(entry != nullptr);
  CHECK(entry->at == when);
  CHECK(entry->sequence == sequence);
}

RaceOptions with_floor(uint64_t floor) { return {.floor = Sequence{floor}}; }

}  // namespace

TEST_CASE(
    "all five nodes are asked at once and the first that reaches the floor wins (S0-15, S1-06)") {
  const auto seen = run({{1, 90, 7}, {1, 40, 6}, {1, 60, 7}, {1, 500, 7}, {1, 30}}, with_floor(7));
  for (int i = 0; i < 5; ++i) check_seen(seen, "ask " + std::to_string(i), 0);
  check_seen(seen, "result", 60, 7);
  check_seen(seen, "finished", 500, 7);
}

TEST_CASE("without a floor the highest sequence within the settle time is the answer (S0-16)") {
  const auto seen = run({{1, 50, 3}, {1, 150, 5}, {1, 1500, 4}});
  check_seen(seen, "result", 185, 5);
  CHECK(find(seen, "late") == nullptr);
}

TEST_CASE("the settle time is not waited for when everyone has answered") {
  check_seen(run({{1, 50, 3}, {1, 80}}), "result", 80, 3);
}

TEST_CASE("a late answer with a higher sequence is an improvement, an older one is not (S0-17)") {
  const auto seen = run({{1, 10, 3}, {1, 3000, 9}, {1, 4000, 8}});
  check_seen(seen, "result", 145, 3);
  check_seen(seen, "late", 3000, 9);
  check_seen(seen, "finished", 4000, 9);
}

TEST_CASE("when all nodes are down the caller knows by the last failure, or by 2 s (R21, S1-16)") {
  check_seen(run({{1, 20}, {1, 30}}), "finished", 30);
  const auto silent = run({{1, kNever}, {1, kNever}});
  check_seen(silent, "not yet", 2000);
  check_seen(silent, "stop 0", 5000);
  check_seen(silent, "finished", 5000);
}

TEST_CASE("\"not yet\" carries the best below the floor, and the floor is still heard of later") {
  const auto seen = run({{1, 100, 4}, {1, 2500, 5}}, with_floor(5));
  check_seen(seen, "not yet", 2000, 4);
  check_seen(seen, "late", 2500, 5);
}

TEST_CASE("public gateways are asked after the hedge delay only") {
  const auto seen = run({{1, kNever}, {2, 100, 2}});
  check_seen(seen, "ask 1", 300);
  check_seen(seen, "result", 535, 2);
  CHECK(find(run({{1, 100, 2}, {2, 100, 2}}), "ask 1") == nullptr);
}

TEST_CASE(
    "public gateways are asked at once when the own nodes have nothing that is good enough "
    "(S0-28)") {
  check_seen(run({{1, 30}, {1, 40}, {2, 100, 2}}), "ask 2", 40);
  check_seen(run({{1, 30, 1}, {2, 100, 2}}, with_floor(2)), "result", 130, 2);
  check_seen(run({{2, 100, 2}}), "ask 0", 0);
}

TEST_CASE(
    "the slow path never holds the caller up, and may still improve for a minute (S1-20, S1-05)") {
  const auto seen = run({{1, 50, 3}, {3, 30000, 4}});
  check_seen(seen, "result", 50, 3);
  check_seen(seen, "late", 30000, 4);
  check_seen(run({{1, 50, 3}, {3, kNever}}), "finished", 60000, 3);
  check_seen(run({{1, 50}, {3, 700, 4}}), "result", 700, 4);
  CHECK(run({{1, 50, 3}}).back().at == 50);  // removable by configuration: S1-25
}

TEST_CASE(
    "on first contact all gateways are asked and the best at the foreground deadline counts") {
  const auto all = run({{1, 10, 3}, {2, 900, 5}}, {.first_contact = true});
  check_seen(all, "ask 1", 0);
  check_seen(all, "result", 900, 5);
  check_seen(run({{1, 10, 3}, {2, kNever}}, {.first_contact = true}), "result", 2000, 3);
}

TEST_CASE("a name without any gateway is finished before it begins") {
  check_seen(run({}), "finished", 0);
}

TEST_CASE(
    "with equal sequences the later end of life wins, then the greater signed bytes (S0-18)") {
  const Standing older{{5}, {100, 0}, {9}};
  const Standing later{{5}, {100, 1}, {1}};
  const Standing greater{{5}, {100, 1}, {1, 0}};
  CHECK(later > older);
  CHECK(greater > later);
}

TEST_CASE(
    "in 20000 random races the answer comes as early as the fastest healthy source allows "
    "(S1-23)") {
  const auto seed = make_rng()();
  INFO("seed " << seed);
  Rng rng(seed);
  const auto below = [&](int n) { return static_cast<int>(rng() % static_cast<uint64_t>(n)); };
  for (int trial = 0; trial < 20000; ++trial) {
    std::vector<Entrant> entrants(1 + static_cast<size_t>(below(6)));
    for (Entrant& entrant : entrants) {
      entrant.tier = 1 + below(3);
      entrant.latency = below(5) == 0 ? kNever : below(4) == 0 ? below(70'000) : below(2'000);
      entrant.sequence = below(3) == 0 ? kNothing : below(6);
    }
    const int floor = below(6);
    const auto seen = run(entrants, with_floor(static_cast<uint64_t>(floor)));

    // The oracle: when each source is asked, then the least time at which one that reaches the
    // floor answers.
    int first_tier_through = 0;
    int first_tier_wins = INT32_MAX;
    for (const Entrant& e : entrants) {
      if (e.tier != 1) continue;
      first_tier_through =
          std::max(first_tier_through, e.latency == kNever ? INT32_MAX : e.latency);
    }
    int expected = INT32_MAX;
    for (const Entrant& e : entrants) {
      if (e.tier == 2 || e.latency == kNever || e.sequence < floor) continue;
      if (e.latency < (e.tier == 1 ? 5'001 : 60'001)) expected = std::min(expected, e.latency);
      first_tier_wins = expected;
    }
    const int second_asked = std::min(300, first_tier_through);
    if (first_tier_wins > second_asked) {
      for (const Entrant& e : entrants) {
        if (e.tier != 2 || e.latency == kNever || e.sequence < floor) continue;
        if (second_asked + e.latency <= 5'000)
          expected = std::min(expected, second_asked + e.latency);
      }
    }
    const Seen* result = find(seen, "result");
    const Seen* not_yet = find(seen, "not yet");
    const Seen* late = find(seen, "late");
    CAPTURE(trial, floor, expected);
    if (expected <= 2'000) {
      REQUIRE(result != nullptr);
      REQUIRE(result->at == expected);
      REQUIRE(not_yet == nullptr);
    } else {
      REQUIRE(result == nullptr);
      const bool all_failed_early = seen.back().at <= 2'000;
      REQUIRE((all_failed_early || (not_yet != nullptr && not_yet->at == 2'000)));
      REQUIRE((late == nullptr) == (expected == INT32_MAX));
      if (late != nullptr) REQUIRE(late->at == expected);
    }
    int last = kNothing;
    for (const Seen& entry : seen) {
      if (entry.what != "result" && entry.what != "late") continue;
      REQUIRE(entry.sequence > last);
      last = entry.sequence;
    }
    REQUIRE(seen.back().what == "finished");
    REQUIRE(seen.back().at <= 60'000);
  }
}
