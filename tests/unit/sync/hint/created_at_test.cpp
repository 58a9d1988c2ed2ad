#include "ipnscast/sync/hint/created_at.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using Advice = CreatedAt::Advice;

namespace {
const nostr::Address kHere{30078, {}, "ipns-sync-a"};
const nostr::Address kThere{30078, {}, "ipns-sync-b"};
constexpr UnixSeconds kNow{1'790'000'000};
}  // namespace

TEST_CASE("two updates in one second get rising created_at and ask to be coalesced (R3)") {
  CreatedAtAllocator allocator;
  const auto first = allocator.take(kHere, kNow);
  CHECK(first.value == kNow);
  CHECK(first.advice == Advice::ready);
  const auto second = allocator.take(kHere, kNow);
  CHECK(second.value == UnixSeconds{kNow.value + 1});
  CHECK(second.advice == Advice::coalesce);
  CHECK(allocator.take(kHere, {kNow.value + 5}).advice == Advice::ready);
}

TEST_CASE("addresses do not hold each other up") {
  CreatedAtAllocator allocator;
  allocator.take(kHere, kNow);
  CHECK(allocator.take(kThere, kNow).advice == Advice::ready);
  nostr::Address other_kind = kHere;
  other_kind.kind = 30079;
  CHECK(allocator.take(other_kind, kNow).advice == Advice::ready);
}

TEST_CASE("after the clock jumps back created_at still rises (R4)") {
  CreatedAtAllocator allocator;
  const auto before = allocator.take(kHere, kNow);
  const auto after = allocator.take(kHere, {kNow.value - 600});
  CHECK(after.value.value == before.value.value + 1);
  CHECK(after.advice == Advice::coalesce);
}

TEST_CASE("a mark beyond the relays' limit asks to delete the event first, and takes nothing") {
  CreatedAtAllocator allocator;
  allocator.take(kHere, kNow);
  const UnixSeconds long_before{kNow.value - 5000};
  CHECK(allocator.take(kHere, long_before).advice == Advice::delete_first);
  CHECK(allocator.mark(kHere) == kNow);
  allocator.reset(kHere);
  const auto anew = allocator.take(kHere, long_before);
  CHECK(anew.advice == Advice::ready);
  CHECK(anew.value == long_before);
}

TEST_CASE("other devices' events raise the mark, far-future ones do not poison it (R4)") {
  CreatedAtAllocator allocator;
  CHECK(allocator.learn(kHere, {kNow.value + 10}, kNow));
  CHECK_FALSE(allocator.learn(kHere, {kNow.value + 10}, kNow));
  CHECK_FALSE(allocator.learn(kHere, {kNow.value + 9}, kNow));
  CHECK(allocator.take(kHere, kNow).value == UnixSeconds{kNow.value + 11});
  CHECK_FALSE(allocator.learn(kHere, {kNow.value + 901}, kNow));
  CHECK_FALSE(allocator.learn(kHere, {INT64_MAX}, {INT64_MIN + 1000}));
  CHECK(allocator.ahead_of_limit({kNow.value + 901}, kNow));
  CHECK(allocator.mark(kHere) == UnixSeconds{kNow.value + 11});
  CHECK(allocator.learn(kHere, {kNow.value + 900}, kNow));
}

TEST_CASE("marks come back after a restart and the table is bounded") {
  CreatedAtAllocator allocator({.relay_limit = Seconds(900), .max_addresses = 1});
  allocator.restore(kHere, kNow);
  CHECK(allocator.take(kHere, kNow).value == UnixSeconds{kNow.value + 1});
  CHECK_FALSE(allocator.learn(kThere, kNow, kNow));
}
