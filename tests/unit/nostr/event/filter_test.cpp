#include <random>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/event/filter_set.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

Event sample() {
  Event event;
  event.id = EventId::from(Bytes(32, 1));
  event.pubkey = PublicKey::from(Bytes(32, 2));
  event.created_at = {100};
  event.kind = 30078;
  event.tags = {{"d", "one"}, {"t", "x"}, {"t", "y"}, {"T", "z"}, {"long", "v"}, {"p"}};
  return event;
}

Errc refusal(std::string_view json, const FilterLimits& limits = {}) {
  const auto filter = parse_filter(json, limits);
  return filter ? Errc::internal : filter.error().code;
}

}  // namespace

TEST_CASE("within a filter everything must hold") {
  const Event event = sample();
  CHECK(matches({}, event));
  CHECK(matches({.kinds = {1, 30078}}, event));
  CHECK_FALSE(matches({.kinds = {1}}, event));
  CHECK(matches({.authors = {event.pubkey}, .kinds = {30078}}, event));
  CHECK_FALSE(matches({.authors = {PublicKey{}}, .kinds = {30078}}, event));
  CHECK(matches({.ids = {event.id}}, event));
  CHECK_FALSE(matches({.ids = {EventId{}}}, event));
  CHECK(matches({.tags = {{'t', {"y"}}, {'d', {"other", "one"}}}}, event));
  CHECK_FALSE(matches({.tags = {{'t', {"y"}}, {'d', {"other"}}}}, event));
  CHECK_FALSE(matches({.tags = {{'t', {"z"}}}}, event));
  CHECK(matches({.tags = {{'T', {"z"}}}}, event));
  CHECK_FALSE(matches({.tags = {{'l', {"v"}}}}, event));
  CHECK_FALSE(matches({.tags = {{'p', {""}}}}, event));
}

TEST_CASE("an addressable event without a d tag is at the address that is empty") {
  const Filter empty{.tags = {{'d', {"", "x"}}}};
  const FilterSet set({empty});
  const auto found = [&](const Event& event) {
    CHECK(set.matches(event) == matches(empty, event));
    return matches(empty, event);
  };
  Event event = sample();
  CHECK_FALSE(found(event));
  event.tags = {{"t", "x"}};
  CHECK(found(event));
  event.tags = {{"d"}};
  CHECK(found(event));
  event.tags = {{"d", ""}};
  CHECK(found(event));
  event.tags = {};
  event.kind = 10078;  // no kind with a d
  CHECK_FALSE(found(event));
  event.kind = 30078;
  CHECK_FALSE(matches({.tags = {{'d', {"x"}}}}, event));
}

TEST_CASE("since and until include their own second, and limit is no condition") {
  const Event event = sample();
  CHECK(matches({.since = UnixSeconds{100}, .until = UnixSeconds{100}, .limit = 0}, event));
  CHECK_FALSE(matches({.since = UnixSeconds{101}}, event));
  CHECK_FALSE(matches({.until = UnixSeconds{99}}, event));
}

TEST_CASE("between filters one is enough, and none is not") {
  const Event event = sample();
  CHECK(matches_any({{.kinds = {1}}, {.kinds = {30078}}}, event));
  CHECK_FALSE(matches_any({{.kinds = {1}}, {.kinds = {2}}}, event));
  CHECK_FALSE(matches_any({}, event));
}

TEST_CASE("a set of filters says of an event what a search through all of them says, by seed") {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    const auto few = [&](size_t most, auto make) {
      std::vector<decltype(make())> out;
      for (size_t i = rng() % (most + 1); i > 0; --i) out.push_back(make());
      return out;
    };
    const auto word = [&] { return std::string(1, static_cast<char>('a' + rng() % 6)); };
    const auto id = [&] { return EventId::from(Bytes(32, static_cast<uint8_t>(rng() % 5))); };
    const auto author = [&] { return PublicKey::from(Bytes(32, static_cast<uint8_t>(rng() % 5))); };
    const auto kind = [&] { return static_cast<int>(rng() % 4); };
    const auto letter = [&] { return "dtpT"[rng() % 4]; };
    std::vector<Filter> filters;
    for (size_t i = rng() % 5; i > 0; --i) {
      Filter& filter = filters.emplace_back();
      if (rng() % 6 == 0) filter.ids = few(3, id);
      if (rng() % 2 == 0) filter.authors = few(3, author);
      if (rng() % 2 == 0) filter.kinds = few(3, kind);
      for (size_t tag = rng() % 3; tag > 0; --tag) filter.tags[letter()] = few(4, word);
      if (rng() % 4 == 0) filter.since = UnixSeconds{static_cast<int64_t>(rng() % 4)};
      if (rng() % 4 == 0) filter.until = UnixSeconds{static_cast<int64_t>(rng() % 4)};
    }
    const FilterSet set(filters);
    for (int i = 0; i < 40; ++i) {
      Event event;
      event.id = id();
      event.pubkey = author();
      event.kind = kind();
      event.created_at = {static_cast<int64_t>(rng() % 4)};
      event.tags = few(4, [&] {
        return rng() % 5 == 0 ? Tag{std::string(1, letter())}
                              : Tag{std::string(1, letter()), word(), word()};
      });
      event.tags.push_back({"long", word()});
      event.tags.push_back({});
      REQUIRE(set.matches(event) == matches_any(filters, event));
    }
  }
}

TEST_CASE("a filter survives its JSON") {
  const Filter filter{.ids = {EventId::from(Bytes(32, 1))},
                      .authors = {PublicKey::from(Bytes(32, 2)), PublicKey::from(Bytes(32, 3))},
                      .kinds = {0, 65535},
                      .tags = {{'d', {"a\"b", ""}}, {'p', {std::string(64, 'a')}}, {'Z', {"z"}}},
                      .since = UnixSeconds{1},
                      .until = UnixSeconds{2},
                      .limit = 3};
  CHECK(*parse_filter(to_json(filter)) == filter);
  CHECK(to_json(Filter{}) == "{}");
  CHECK(*parse_filter(" { } ") == Filter{});
  CHECK(parse_filter(R"({"limit":4294967296})")->limit == 4294967295u);
}

TEST_CASE("R19: a filter of another shape is refused, never widened") {
  const std::string hex(64, 'a');
  CHECK(refusal("[]") == Errc::parse);
  CHECK(refusal(R"({"kinds":[]})") == Errc::parse);
  CHECK(refusal(R"({"kinds":[1.0]})") == Errc::parse);
  CHECK(refusal(R"({"kinds":[65536]})") == Errc::parse);
  CHECK(refusal(R"({"kinds":["1"]})") == Errc::parse);
  CHECK(refusal(R"({"kinds":1})") == Errc::parse);
  CHECK(refusal(R"({"kinds":[1],"kinds":[2]})") == Errc::parse);
  CHECK(refusal(R"({"ids":["aa"]})") == Errc::parse);
  CHECK(refusal(R"({"authors":[")" + std::string(64, 'A') + R"("]})") == Errc::parse);
  CHECK(refusal(R"({"authors":[")" + hex + R"("]})") == Errc::internal);
  CHECK(refusal(R"({"#e":["x"]})") == Errc::parse);
  CHECK(refusal(R"({"#p":[")" + hex + R"("]})") == Errc::internal);
  CHECK(refusal(R"({"#d":[1]})") == Errc::parse);
  CHECK(refusal(R"({"since":1.5})") == Errc::parse);
  CHECK(refusal(R"({"until":"1"})") == Errc::parse);
  CHECK(refusal(R"({"limit":-1})") == Errc::parse);
  CHECK(refusal(R"({"search":"x"})") == Errc::unsupported);
  CHECK(refusal(R"({"#dd":["x"]})") == Errc::unsupported);
  CHECK(refusal(R"({"#1":["x"]})") == Errc::unsupported);
  CHECK(refusal(R"({"#d":["a","b","c"]})", {.max_items = 2}) == Errc::too_large);
  CHECK(refusal(R"({"#d":["a","b","c"]})", {.max_bytes = 10}) == Errc::too_large);
}
