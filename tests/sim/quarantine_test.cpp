// Years of read-backs on a virtual clock: who loses what it acknowledged is put away, nobody else.
#include "ipnscast/nostr/pool/quarantine.h"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/sim_runs.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

constexpr Quarantine::Options kOptions;
constexpr Milliseconds kRounding{1'000};  // a standing is kept in seconds

struct PlayedRelay {
  RelayUrl url;
  int losses = 0;  // of a hundred events
  size_t held = 0;
  size_t asked = 0;
};

class Life {
 public:
  explicit Life(uint64_t seed) : rng_(seed) {
    const int count = roll(1, 8);
    for (int i = 0; i < count; ++i) {
      const int losses[] = {0, 0, roll(1, 20), roll(70, 99), 100};
      relays_.push_back(
          {*RelayUrl::parse("wss://r" + std::to_string(i) + ".example"), losses[roll(0, 4)], 0, 0});
      quarantine_->add(relays_.back().url);
    }
  }

  // An event is published, and what came of it is read back, at each relay.
  void publish() {
    now_ += Milliseconds(roll(1, 6) == 1 ? roll(1, 48 * 3'600'000) : roll(1, 600'000));
    if (roll(1, 50) == 1) restart();
    for (PlayedRelay& relay : relays_) {
      const bool held = quarantine_->holds(relay.url, now_);
      const bool lost = roll(1, 100) <= relay.losses;
      relay.held += held;
      ++relay.asked;
      const bool changed =
          lost ? quarantine_->lost(relay.url, now_) : quarantine_->kept(relay.url, now_);
      check(relay, held, lost, changed);
    }
    REQUIRE(counting() >= std::min(kOptions.floor, relays_.size()));
  }

  // From here on they keep what they acknowledge.
  void mend() {
    for (PlayedRelay& relay : relays_) relay.losses = 0;
  }

  size_t counting() const {
    return static_cast<size_t>(std::count_if(
        relays_.begin(), relays_.end(),
        [this](const PlayedRelay& relay) { return !quarantine_->holds(relay.url, now_); }));
  }
  const std::vector<PlayedRelay>& relays() const { return relays_; }
  RelayStanding standing(const PlayedRelay& relay) const {
    return quarantine_->standing(relay.url, now_);
  }

 private:
  int roll(int least, int most) { return std::uniform_int_distribution<int>(least, most)(rng_); }

  void check(const PlayedRelay& relay, bool was_held, bool lost, bool changed) const {
    const bool held = quarantine_->holds(relay.url, now_);
    REQUIRE(changed == (held != was_held));
    REQUIRE((!changed || held == lost));
    const RelayStanding standing = quarantine_->standing(relay.url, now_);
    REQUIRE(standing.losses <= kOptions.losses);
    REQUIRE(standing.left <= standing.next);
    REQUIRE(standing.next <= kOptions.last);
    if (changed && held) REQUIRE(standing.left >= kOptions.first);
  }

  // The process ends and the next one takes over what was kept.
  void restart() {
    auto next = std::make_unique<Quarantine>();
    for (const PlayedRelay& relay : relays_) next->add(relay.url);
    for (const PlayedRelay& relay : relays_) {
      RelayStanding standing = quarantine_->standing(relay.url, now_);
      standing.left =
          std::min(standing.next, Milliseconds(std::chrono::ceil<Seconds>(standing.left)));
      next->restore(relay.url, standing, now_);
      REQUIRE(next->standing(relay.url, now_).left - standing.left <= kRounding);
      REQUIRE(next->holds(relay.url, now_) == quarantine_->holds(relay.url, now_));
    }
    quarantine_ = std::move(next);
  }

  std::mt19937_64 rng_;
  Instant now_{};
  std::unique_ptr<Quarantine> quarantine_ = std::make_unique<Quarantine>();
  std::vector<PlayedRelay> relays_;
};

}  // namespace

TEST_CASE(
    "R15 by seed: liars are put away, a floor of relays counts, the honest always do, and who "
    "mends is back") {
  for (uint64_t seed = 1; seed <= sim_runs(500); ++seed) {
    INFO("seed " << seed);
    Life life(seed);
    for (int i = 0; i < 400; ++i) life.publish();
    const auto& relays = life.relays();
    const auto sound =
        std::count_if(relays.begin(), relays.end(), [](const auto& r) { return r.losses == 0; });
    for (const PlayedRelay& relay : relays) {
      if (relay.losses == 0) CHECK(relay.held == 0);
      // With enough others to count, a liar counts for a few events at a time only.
      if (relay.losses == 100 && sound >= 2) CHECK(2 * relay.held > relay.asked);
    }
    life.mend();
    for (int i = 0; i < 100; ++i) life.publish();
    CHECK(life.counting() == relays.size());
    for (const PlayedRelay& relay : relays) CHECK(life.standing(relay) == RelayStanding{});
  }
}
