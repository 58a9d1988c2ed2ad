#include "ipnscast/nostr/server/subscription_index.h"

#include <random>
#include <set>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/relay_stage.h"

using namespace ipnscast;
using namespace ipnscast::test;
using Index = SubscriptionIndex;

namespace {

using Name = std::pair<uint64_t, std::string>;

std::vector<Name> names(const std::vector<const Index::Subscription*>& found) {
  std::vector<Name> out;
  for (const auto* one : found) out.emplace_back(one->connection.value, one->id);
  std::sort(out.begin(), out.end());
  return out;
}

std::string one_of(Rng& rng, std::initializer_list<const char*> words) {
  return *(words.begin() + rng() % words.size());
}

Filter random_filter(Rng& rng) {
  Filter out;
  if (rng() % 2 == 0) out.kinds = {static_cast<int>(1 + rng() % 3)};
  if (rng() % 2 == 0) out.authors = {key(static_cast<uint8_t>(1 + rng() % 3)).public_key()};
  if (rng() % 3 == 0) out.tags['d'] = {one_of(rng, {"a", "b"}), one_of(rng, {"a", "c"})};
  if (rng() % 3 == 0) out.tags['t'] = {one_of(rng, {"x", "y"})};
  if (rng() % 5 == 0) out.since = UnixSeconds{kTime + static_cast<int64_t>(rng() % 3)};
  return out;
}

}  // namespace

TEST_CASE(
    "the index of subscriptions finds what a look at all of them finds, as they come and go") {
  const uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  Rng rng(seed);
  std::vector<Event> events;
  for (int i = 0; i < 40; ++i) {
    std::vector<Tag> tags = {{"t", one_of(rng, {"x", "y", "z"})},
                             {"d", one_of(rng, {"a", "b", "d"})}};
    if (rng() % 2 == 0) tags.pop_back();
    events.push_back(event_of(key(static_cast<uint8_t>(1 + i % 3)), 1 + static_cast<int>(rng() % 3),
                              kTime + static_cast<int64_t>(rng() % 4), tags));
  }
  Index index;
  std::map<Name, std::vector<Filter>> all;
  for (int step = 0; step < 3000; ++step) {
    const uint64_t connection = 1 + rng() % 5;
    const std::string id = std::to_string(rng() % 8);
    if (rng() % 3 != 0) {
      std::vector<Filter> filters(1 + rng() % 3);
      for (Filter& filter : filters) filter = random_filter(rng);
      if (rng() % 4 == 0) filters[0] = Filter{.ids = {events[rng() % events.size()].id}};
      index.add({connection}, id, filters);
      all[{connection, id}] = filters;
    } else if (rng() % 50 != 0) {
      CHECK(index.remove({connection}, id) == (all.erase({connection, id}) == 1));
    } else {
      index.remove_all({connection});
      std::erase_if(all, [&](const auto& one) { return one.first.first == connection; });
    }
    const Event& event = events[rng() % events.size()];
    std::vector<Name> expected;
    for (const auto& [name, filters] : all) {
      if (matches_any(filters, event)) expected.push_back(name);
    }
    REQUIRE(names(index.matching(event)) == expected);
    REQUIRE(index.size() == all.size());
  }
}

TEST_CASE("S24: an event looks at those who may want it, not at 200,000 other subscriptions") {
  Index index;
  PublicKey author;
  for (uint64_t connection = 1; connection <= 1000; ++connection) {
    for (int i = 0; i < 200; ++i) {
      author.bytes[0] = static_cast<uint8_t>(connection);
      author.bytes[1] = static_cast<uint8_t>(connection >> 8);
      author.bytes[2] = static_cast<uint8_t>(i);
      Filter filter = kinds({30078});
      filter.authors = {author};
      index.add({connection}, std::to_string(i), {filter});
    }
  }
  Event event = event_of(key(1), 30078, kTime, {{"d", "x"}, {"t", "ipns-sync"}});
  event.pubkey = author;
  CHECK(index.matching(event).size() == 1);
  CHECK(index.examined() == 1);
}

TEST_CASE("values of one connection's filters are counted, and a replaced subscription's are not") {
  Index index;
  Filter filter = kinds({1, 2});
  filter.tags['d'] = {"a", "b", "c"};
  index.add({1}, "a", {filter, kinds({7})});
  index.add({1}, "b", {kinds({7})});
  index.add({2}, "a", {kinds({7})});
  CHECK(index.items({1}, "") == 7);
  CHECK(index.items({1}, "a") == 1);
  CHECK(index.count({1}) == 2);
  CHECK(index.count({3}) == 0);
}
