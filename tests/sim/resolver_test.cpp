#include "ipnscast/tests/sim/resolver_world.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::FakeGateway;
using ipnscast::test::Gateways;
using ipnscast::test::kNever;
using World = ipnscast::test::ResolverWorld;

namespace {

using Kind = ResolveUpdate::Kind;

void check_said(const World::Said& said, int at, Kind kind, int sequence) {
  CHECK(said.at == at);
  CHECK(said.kind == kind);
  CHECK(said.sequence == sequence);
}

}  // namespace

TEST_CASE("a record is fresh for its TTL, 60 s at most, and then asked for again (S1-09, S1-27)") {
  World world(Gateways{{.sequence = 1}});
  world.know_dialects();
  world.resolve();
  world.gateways[0].sequence = 2;
  world.pass(59'000);
  check_said(world.resolve().front(), 0, Kind::record, 1);
  world.pass(2'000);
  CHECK(world.resolve().front().sequence == 2);
  CHECK(world.gateways[0].asked == 2);
  world.gateways[0].ttl = Seconds(5);
  world.gateways[0].sequence = 3;
  world.resolve({.fresh = true});
  world.pass(6'000);
  world.resolve();
  CHECK(world.gateways[0].asked == 4);
}

TEST_CASE("a floor that the cached record does not reach goes past the cache") {
  World world(Gateways{{.sequence = 1}});
  world.know_dialects();
  world.resolve();
  world.gateways[0].sequence = 2;
  CHECK(world.resolve({.floor = Sequence{2}}).front().sequence == 2);
}

TEST_CASE("\"not found\" is believed for 30 s, unless a hint knows better (S1-09)") {
  World world(Gateways{{}, {}});
  world.know_dialects();
  world.resolve();
  world.pass(10'000);
  check_said(world.resolve().front(), 0, Kind::finished, -1);
  CHECK(world.gateways[0].asked == 1);
  world.gateways[1].sequence = 4;
  CHECK(world.resolve({.floor = Sequence{4}}).front().sequence == 4);
  CHECK(world.gateways[0].asked == 2);
}

TEST_CASE("a dead gateway is left alone for 30 s after three failures, then asked once (S1-19)") {
  World world(Gateways{{.refuses = true}, {.sequence = 1}});
  world.know_dialects();
  for (int i = 0; i < 10; ++i) world.resolve({.fresh = true});
  CHECK(world.gateways[0].asked == 3);
  world.pass(31'000);
  for (int i = 0; i < 10; ++i) world.resolve({.fresh = true});
  CHECK(world.gateways[0].asked == 4);
  world.pass(31'000);
  world.gateways[0] = {.sequence = 9};
  CHECK(world.resolve({.fresh = true}).front().sequence == 9);
}

TEST_CASE("a gateway that may be tried again, but that no race needed, stays free for the next") {
  World world(Gateways{{.sequence = 1}, {.tier = 2, .refuses = true}});
  world.know_dialects();
  world.gateways[0].refuses = true;
  for (int i = 0; i < 3; ++i) world.resolve({.fresh = true});
  CHECK(world.gateways[1].asked == 3);
  world.gateways[0].refuses = false;
  world.pass(31'000);
  CHECK(world.resolve({.fresh = true}).front().sequence == 1);
  CHECK(world.gateways[1].asked == 3);  // admitted, and not needed
  world.gateways[0].sequence = -1;
  world.gateways[1] = {.tier = 2, .sequence = 5};
  CHECK(world.resolve({.fresh = true}).front().sequence == 5);
}

TEST_CASE("a gateway that never answers counts as failing too") {
  World world(Gateways{{.latency = kNever}, {.sequence = 1}});
  world.know_dialects();
  for (int i = 0; i < 5; ++i) {
    const auto said = world.resolve({.fresh = true});
    CHECK(said.front().at <= 200);
  }
  CHECK(world.gateways[0].asked == 3);
}

TEST_CASE(
    "in 2000 random worlds every resolution has a word by 2 s and an end by 60 s, and never goes "
    "back") {
  const auto seed = make_rng()();
  INFO("seed " << seed);
  Rng rng(seed);
  const auto below = [&](int n) { return static_cast<int>(rng() % static_cast<uint64_t>(n)); };
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<FakeGateway> gateways(1 + static_cast<size_t>(below(5)));
    for (FakeGateway& gateway : gateways) {
      gateway.tier = 1 + below(3);
      gateway.latency = below(4) == 0 ? kNever : below(3) == 0 ? below(50'000) : below(1'500);
      gateway.sequence = below(3) == 0 ? -1 : below(5);
      gateway.refuses = below(5) == 0;
    }
    int best = -1;
    for (const FakeGateway& gateway : gateways) {
      const bool heard = !gateway.refuses && gateway.latency != kNever && gateway.latency < 300;
      if (gateway.tier == 1 && heard) best = std::max(best, gateway.sequence);
    }
    const int floor = below(5);
    World world(gateways);
    if (below(2) == 0) world.know_dialects();
    const auto said = world.resolve({.floor = Sequence{static_cast<uint64_t>(floor)}});
    CAPTURE(trial, floor);
    REQUIRE(said.front().at <= 2'000);
    REQUIRE(said.back().kind == Kind::finished);
    REQUIRE(said.back().at <= 60'000);
    if (best >= floor) REQUIRE(said.front().sequence >= floor);
    int last = -1;
    for (const auto& word : said) {
      REQUIRE(word.sequence >= last);
      last = word.sequence;
    }
  }
}
