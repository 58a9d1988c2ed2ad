#include "ipnscast/nostr/relay/frame_batch.h"

#include <map>
#include <random>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

SecretKey key_of(uint8_t number) { return *SecretKey::from_bytes(Bytes(32, number)); }

// A version of an address; its content is the claimed sequence, or text that is none.
Event version(int64_t created_at, const std::string& sequence, const std::string& d = "a",
              uint8_t key = 7) {
  return sign_event(key_of(key), {{created_at}, 30078, {{"d", d}}, sequence});
}

Event forged(Event event) {
  event.sig.bytes[50] ^= 1;
  return event;
}

std::optional<uint64_t> sequence_of(const Event& event) {
  if (event.content.empty() || event.content.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  return std::stoull(event.content);
}

RelayFrame frame_of(const Event& event, uint64_t relay = 1, const SubscriptionId& id = "s") {
  return {relay, to_frame(RelayMessage(EventMessage{id, event}))};
}

std::shared_ptr<NewestRule> rule_for(Filter filter) {
  return std::make_shared<NewestRule>(
      sequence_of, std::make_shared<FilterSet>(std::vector<Filter>{std::move(filter)}));
}

// A worker with one subscription "s" for kind 30078.
struct Bench {
  Bench() { rules.set("s", rule); }

  std::vector<CheckedRelayFrame> check(std::vector<RelayFrame> frames) {
    std::vector<CheckedRelayFrame> out;
    batch.check(std::move(frames), [&](CheckedRelayFrame one) { out.push_back(std::move(one)); });
    return out;
  }
  std::vector<Verdict> verdicts(std::vector<RelayFrame> frames) {
    std::vector<Verdict> out;
    for (const auto& one : check(std::move(frames))) out.push_back(one.result.verdict);
    return out;
  }

  std::shared_ptr<NewestRule> rule = rule_for({.kinds = {30078}});
  NewestRules rules;
  VerifiedSet verified;
  FrameBatch batch{verified, rules};
};

constexpr auto kVerified = Verdict::verified;
constexpr auto kSkipped = Verdict::skipped;
constexpr auto kForged = Verdict::bad_signature;

}  // namespace

TEST_CASE("a burst of 1000 versions of an address costs one verification") {
  Bench bench;
  std::vector<RelayFrame> frames;
  for (int i = 0; i < 1000; ++i)
    frames.push_back(frame_of(version(1700000000 + i, std::to_string(i + 1))));
  const auto out = bench.verdicts(std::move(frames));
  CHECK(bench.batch.signatures() == 1);
  CHECK(std::count(out.begin(), out.end(), kSkipped) == 999);
  CHECK(out.back() == kVerified);
}

TEST_CASE("a forged newest version does not hide a true older one") {
  Bench bench;
  CHECK(bench.verdicts({frame_of(version(10, "1")), frame_of(version(20, "2")),
                        frame_of(forged(version(30, "3")))}) ==
        std::vector{kSkipped, kVerified, kForged});
  CHECK(bench.batch.signatures() == 2);
  // Nor does one whose id is wrong.
  Event wrong_id = version(40, "9");
  wrong_id.content = "10";
  CHECK(bench.verdicts({frame_of(version(21, "5")), frame_of(wrong_id)}) ==
        std::vector{kVerified, Verdict::bad_id});
}

TEST_CASE("many forged newest versions cost one verification each and hide nothing") {
  Bench bench;
  std::vector<RelayFrame> frames{frame_of(version(10, "1"))};
  for (int i = 0; i < 50; ++i)
    frames.push_back(frame_of(forged(version(100 + i, std::to_string(100 + i)))));
  frames.push_back(frame_of(version(11, "2")));
  const auto out = bench.verdicts(std::move(frames));
  CHECK(out.front() == kSkipped);
  CHECK(out.back() == kVerified);
  CHECK(bench.batch.signatures() == 51);
}

TEST_CASE("two devices with one key and skewed clocks: the higher sequence is never skipped") {
  Bench bench;
  CHECK(bench.verdicts({frame_of(version(10, "7")), frame_of(version(20, "6"))}) ==
        std::vector{kVerified, kVerified});
}

TEST_CASE("the same created_at: the higher sequence covers, whichever id is lower") {
  for (int round = 0; round < 8; ++round) {
    Bench bench;
    const std::string d = std::to_string(round);
    CHECK(bench.verdicts({frame_of(version(10, "1", d)), frame_of(version(10, "2", d))}) ==
          std::vector{kSkipped, kVerified});
  }
}

TEST_CASE("the same sequence twice is a conflict that the subscriber has to see") {
  Bench bench;
  CHECK(bench.verdicts({frame_of(version(10, "3")), frame_of(version(20, "3"))}) ==
        std::vector{kVerified, kVerified});
}

TEST_CASE("an unreadable sequence is verified and covers nothing") {
  Bench bench;
  CHECK(bench.verdicts({frame_of(version(10, "sealed")), frame_of(version(20, "5")),
                        frame_of(version(30, "")), frame_of(version(9, "4"))}) ==
        std::vector{kVerified, kVerified, kVerified, kSkipped});
}

TEST_CASE("addresses, authors, relays and subscriptions do not cover each other in a batch") {
  Bench bench;
  bench.rules.set("other", rule_for({.kinds = {30078}}));
  CHECK(bench.verdicts({frame_of(version(10, "1")), frame_of(version(20, "2", "b")),
                        frame_of(version(20, "2", "a", 8)), frame_of(version(21, "2"), 2),
                        frame_of(version(22, "2"), 1, "other")}) == std::vector(5, kVerified));
}

TEST_CASE("a page of a catch-up follows its subscription's rule and loses no regular event") {
  Bench bench;
  bench.rules.set("s", rule_for({.kinds = {1, 30078}}));
  const auto regular = [](int64_t created_at) {
    return sign_event(key_of(7), {{created_at}, 1, {}, std::to_string(created_at)});
  };
  // The newest is verified before an older one is left out, also behind it in the page.
  CHECK(bench.verdicts({frame_of(version(10, "1"), 1, "p:s"), frame_of(regular(11), 1, "p:s"),
                        frame_of(version(20, "2"), 1, "p:s"), frame_of(regular(9), 1, "p:s"),
                        frame_of(version(8, "1"), 1, "p:s")}) ==
        std::vector{kSkipped, kVerified, kVerified, kVerified, kSkipped});
  CHECK(bench.batch.signatures() == 3);
  // A forged newest one covers nothing, and the page's own subscription is another than "p".
  CHECK(bench.verdicts({frame_of(version(10, "5", "b"), 1, "p:s"),
                        frame_of(forged(version(30, "9", "b")), 1, "p:s"),
                        frame_of(version(10, "6", "c"), 1, "p:other"),
                        frame_of(version(11, "7", "c"), 1, "p:other")}) ==
        std::vector{kVerified, kForged, kVerified, kVerified});
  // What the live subscription was handed covers what comes in a later page.
  const Event newest = version(40, "10", "d");
  CHECK(bench.verdicts({frame_of(newest)}) == std::vector{kVerified});
  bench.rule = bench.rules.find("s");
  bench.rule->delivered(newest);
  CHECK(bench.verdicts({frame_of(version(39, "9", "d"), 1, "p:s"),
                        frame_of(version(41, "9", "d"), 1, "p:s")}) ==
        std::vector{kSkipped, kVerified});
}

TEST_CASE("an event that the filters do not match covers nothing") {
  Bench bench;
  bench.rules.set("s", rule_for({.kinds = {30078}, .until = UnixSeconds{15}}));
  CHECK(bench.verdicts({frame_of(version(10, "1")), frame_of(version(20, "2"))}) ==
        std::vector{kVerified, kVerified});
}

TEST_CASE("without a rule every event is verified") {
  Bench bench;
  CHECK(bench.verdicts(
            {frame_of(version(10, "1"), 1, "plain"), frame_of(version(20, "2"), 1, "plain")}) ==
        std::vector{kVerified, kVerified});
}

TEST_CASE("across batches and relays only what was delivered covers") {
  Bench bench;
  const Event newest = version(20, "2");
  CHECK(bench.verdicts({frame_of(newest)}) == std::vector{kVerified});
  // Verified, and then its connection was lost before it reached the subscriber.
  CHECK(bench.verdicts({frame_of(version(10, "1"), 2)}) == std::vector{kVerified});
  bench.rule->delivered(version(11, "1"));
  CHECK(bench.verdicts({frame_of(version(12, "1"), 2)}) == std::vector{kVerified});
  CHECK(bench.verdicts({frame_of(newest, 3)}) == std::vector{Verdict::duplicate});
  bench.rule->delivered(newest);
  CHECK(bench.verdicts({frame_of(version(13, "1"), 2)}) == std::vector{kSkipped});
  CHECK(bench.verdicts({frame_of(version(21, "1"), 2)}) == std::vector{kVerified});
}

TEST_CASE("copies in one batch cost one verification and no parse") {
  Bench bench;
  const Event event = version(10, "1");
  std::vector<RelayFrame> frames;
  for (uint64_t relay = 1; relay <= 10; ++relay) frames.push_back(frame_of(event, relay));
  const auto out = bench.verdicts(std::move(frames));
  CHECK(out.front() == kVerified);
  CHECK(std::count(out.begin(), out.end(), Verdict::duplicate) == 9);
  CHECK(bench.batch.signatures() == 1);
}

TEST_CASE("a forged copy under the newest one's id comes first: nothing is lost") {
  Bench bench;
  const Event newest = version(20, "2");
  CHECK(bench.verdicts({frame_of(forged(newest)), frame_of(version(10, "1")), frame_of(newest)}) ==
        std::vector{kForged, kVerified, kVerified});
}

TEST_CASE("EVENT, EOSE, OK and nonsense come back in the order of the frames") {
  Bench bench;
  const auto out = bench.check({frame_of(version(10, "1")),
                                {1, "[\"EOSE\",\"s\"]"},
                                {2, "nonsense"},
                                frame_of(version(20, "2")),
                                {1, "[\"CLOSED\",\"s\",\"error: x\"]"}});
  REQUIRE(out.size() == 5);
  CHECK(out[0].result.verdict == kSkipped);
  CHECK(std::holds_alternative<EoseMessage>(*out[1].result.message));
  CHECK(out[2].result.verdict == Verdict::malformed);
  CHECK(out[2].relay == 2);
  CHECK(out[3].result.verdict == kVerified);
  CHECK(std::holds_alternative<ClosedMessage>(*out[4].result.message));
}

// What a subscriber that verifies everything would end with, by address: the highest sequence, the
// latest created_at, and every event without a readable sequence.
struct Outcome {
  uint64_t sequence = 0;
  int64_t created_at = 0;
  std::vector<EventId> unreadable;
  bool operator==(const Outcome&) const = default;

  void take(const Event& event) {
    created_at = std::max(created_at, event.created_at.value);
    if (const auto claimed = sequence_of(event)) {
      sequence = std::max(sequence, *claimed);
    } else {
      unreadable.push_back(event.id);
    }
  }
};

TEST_CASE("seeded: skipping gives a subscriber what verifying everything gives") {
  // A pool of signed versions, so that thousands of runs need few signatures.
  std::vector<Event> events;
  for (int i = 0; i < 120; ++i) {
    const std::string sequence = i % 9 == 0 ? "sealed" + std::to_string(i) : std::to_string(i % 11);
    events.push_back(version(100 + (i * 7) % 13, sequence, i % 2 == 0 ? "a" : "b",
                             static_cast<uint8_t>(1 + i % 3)));
  }
  uint64_t skipped = 0;
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    Bench bench;
    std::map<Address, Outcome> expected;
    std::map<Address, Outcome> got;
    std::vector<RelayFrame> all;
    for (size_t n = random() % 40 + 1; n > 0; --n) {
      const Event& event = events[random() % events.size()];
      if (random() % 4 == 0) {
        all.push_back(frame_of(forged(event), 1 + random() % 3));
        continue;
      }
      all.push_back(frame_of(event, 1 + random() % 3));
      expected[*address_of(event)].take(event);
    }
    while (!all.empty()) {
      const size_t size = std::min<size_t>(all.size(), random() % 12 + 1);
      std::vector<RelayFrame> frames(all.begin(), all.begin() + static_cast<ptrdiff_t>(size));
      all.erase(all.begin(), all.begin() + static_cast<ptrdiff_t>(size));
      const auto texts = frames;
      const auto out = bench.check(std::move(frames));
      REQUIRE(out.size() == texts.size());
      for (size_t i = 0; i < out.size(); ++i) {
        CHECK(out[i].relay == texts[i].relay);
        if (out[i].result.verdict == kSkipped) ++skipped;
        if (out[i].result.verdict == kSkipped || out[i].result.verdict == kForged) continue;
        const auto message = parse_relay_message(texts[i].text);
        const Event& event = std::get<EventMessage>(*message).event;
        REQUIRE(verify(event));
        got[*address_of(event)].take(event);
        bench.rule->delivered(event);
      }
    }
    CHECK(got == expected);
  }
  CHECK(skipped > 3000);
}
