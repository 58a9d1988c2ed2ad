// The parts of a relay's state machine, each alone.
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/pool/outage_watch.h"
#include "ipnscast/nostr/pool/quarantine.h"
#include "ipnscast/nostr/relay/auth.h"
#include "ipnscast/nostr/relay/catch_up.h"
#include "ipnscast/nostr/relay/due_times.h"
#include "ipnscast/nostr/relay/publish_outcome.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

constexpr UnixSeconds kNow{1'790'000'000};
const CatchUp::Options kOptions;

Filter history() {
  Filter out;
  out.kinds = {1078};
  return out;
}

RelayUrl url(int number) {
  return *RelayUrl::parse("ws://relay-" + std::to_string(number) + ".example");
}

PublicKey key(uint8_t number) {
  PublicKey out;
  out.bytes[0] = number;
  return out;
}

Instant at(int64_t seconds) { return Instant(Seconds(100'000 + seconds)); }
Now now_at(int64_t seconds) { return {at(seconds), {(kNow.value + seconds) * 1000}}; }

void take(CatchUp& catch_up, int64_t newest, int64_t oldest, bool in_page) {
  for (int64_t t = newest; t >= oldest; --t) catch_up.took({t}, 300, kNow, in_page);
}

}  // namespace

TEST_CASE("R5 an answer that was cut short is completed in pages, and only then the mark moves") {
  CatchUp catch_up(CatchUp::share({history()}), kOptions, {});
  catch_up.begin(kNow);
  take(catch_up, 1000, 981, false);
  auto page = catch_up.ended(false, kNow);
  REQUIRE(page);
  CHECK(page->until == UnixSeconds{981});
  CHECK_FALSE(catch_up.covered());
  catch_up.took({2000}, 300, kNow, false);  // live, beside the pages
  take(catch_up, 981, 962, true);
  page = catch_up.ended(true, kNow);
  REQUIRE(page);
  CHECK(page->until == UnixSeconds{962});
  take(catch_up, 962, 960, true);
  CHECK_FALSE(catch_up.ended(true, kNow));
  CHECK(catch_up.complete());
  CHECK(catch_up.covered() == UnixSeconds{2000});
}

TEST_CASE("R5 a connection that breaks between the pages leaves the mark where it was") {
  CatchUp catch_up(CatchUp::share({history()}), kOptions, UnixSeconds{500'000});
  catch_up.begin(kNow);
  take(catch_up, 600'000, 599'981, false);
  REQUIRE(catch_up.ended(false, kNow));
  const auto again = catch_up.begin(kNow);
  CHECK(again[0].since == UnixSeconds{0});  // a week before the mark
  CHECK(catch_up.covered() == UnixSeconds{500'000});
}

TEST_CASE("pages end with a relay that always has more, one second at a time") {
  CatchUp::Options options;
  options.max_pages = 50;
  CatchUp catch_up(CatchUp::share({history()}), options, {});
  catch_up.begin(kNow);
  for (int i = 0; i < 20; ++i) catch_up.took(kNow, 300, kNow, false);
  auto page = catch_up.ended(false, kNow);
  size_t pages = 0;
  std::optional<UnixSeconds> last;
  while (page) {
    REQUIRE(++pages <= 50);
    REQUIRE((!last || *page->until < *last));
    last = page->until;
    for (int i = 0; i < 20; ++i) catch_up.took(kNow, 300, kNow, true);  // ignores `until`
    page = catch_up.ended(true, kNow);
  }
  CHECK(pages == 50);
  CHECK_FALSE(catch_up.complete());
  CHECK_FALSE(catch_up.covered());
}

TEST_CASE("the first connection of a day looks a week back, the others ten minutes") {
  CatchUp catch_up(CatchUp::share({history()}), kOptions, kNow);
  CHECK(catch_up.begin(kNow)[0].since == UnixSeconds{kNow.value - 7 * 86'400});
  catch_up.ended(false, kNow);
  CHECK(catch_up.begin({kNow.value + 3600})[0].since == UnixSeconds{kNow.value - 600});
  CHECK(catch_up.begin({kNow.value + 90'000})[0].since == UnixSeconds{kNow.value - 7 * 86'400});
  CHECK(catch_up.begin({kNow.value - 90'000})[0].since == UnixSeconds{kNow.value - 7 * 86'400});
}

TEST_CASE("what has a limit or asks for ids is not completed, and addressable kinds have no mark") {
  Filter limited = history();
  limited.limit = 20;
  Filter ids;
  ids.ids = {EventId{}};
  for (const Filter& filter : {limited, ids}) {
    CatchUp catch_up(CatchUp::share({filter}), kOptions, {});
    catch_up.begin(kNow);
    take(catch_up, 1000, 981, false);
    CHECK_FALSE(catch_up.ended(false, kNow));
    CHECK(catch_up.complete());
  }
  Filter hints;
  hints.kinds = {30078, 30079};
  CatchUp catch_up(CatchUp::share({hints}), kOptions, kNow);
  CHECK_FALSE(catch_up.begin(kNow)[0].since);
}

TEST_CASE("with several filters each is completed from the top") {
  Filter other;
  other.kinds = {2078};
  CatchUp catch_up(CatchUp::share({history(), other}), kOptions, {});
  catch_up.begin(kNow);
  take(catch_up, 1000, 981, false);
  auto page = catch_up.ended(false, kNow);
  REQUIRE(page);
  CHECK(page->kinds == std::vector<int>{1078});
  CHECK_FALSE(page->until);
  page = catch_up.ended(true, kNow);
  REQUIRE(page);
  CHECK(page->kinds == std::vector<int>{2078});
  CHECK_FALSE(catch_up.ended(true, kNow));
}

TEST_CASE("NIP-42 several keys are proved on one connection, each for the latest challenge") {
  RelayAuth auth({key(1), key(2)});
  CHECK(auth.useful_for({key(2), key(9)}) == std::vector<PublicKey>{key(2)});
  CHECK(auth.useful_for({key(9)}) == std::vector<PublicKey>{key(1)});
  CHECK_FALSE(auth.want(key(2), at(0)));  // no challenge yet
  auto signs = auth.challenged("c", at(0));
  REQUIRE(signs.size() == 1);
  CHECK(signs[0].challenge == "c");
  REQUIRE(auth.want(key(1), at(0)));
  Event event;
  event.id.bytes[0] = 1;
  event.tags = {{"challenge", "c"}};
  CHECK(auth.signed_by(key(2), event, at(0)).send);
  CHECK(auth.challenged("c", at(0)).empty());
  CHECK(auth.state(key(2)) == RelayAuth::State::sent);  // repeated, it changes nothing
  event.id.bytes[0] = 2;
  CHECK(auth.signed_by(key(1), event, at(0)).send);
  EventId first;
  first.bytes[0] = 1;
  const auto answer = auth.ok(first, true);
  REQUIRE(answer);
  CHECK(answer->key == key(2));
  CHECK(auth.state(key(2)) == RelayAuth::State::proved);
  CHECK(auth.ok(event.id, false)->key == key(1));
  CHECK(auth.state(key(1)) == RelayAuth::State::refused);
  CHECK_FALSE(auth.want(key(1), at(0)));  // no loop
  auth.reset();
  CHECK(auth.state(key(2)) == RelayAuth::State::unproved);
}

TEST_CASE("R15 a relay that loses what it acknowledged stops counting, but never the last two") {
  Quarantine quarantine;
  for (int i = 0; i < 4; ++i) quarantine.add(url(i));
  CHECK_FALSE(quarantine.lost(url(0), at(0)));
  CHECK_FALSE(quarantine.lost(url(0), at(1)));
  CHECK(quarantine.lost(url(0), at(2)));
  CHECK(quarantine.holds(url(0), at(3)));
  CHECK_FALSE(quarantine.holds(url(0), at(3700)));
  for (int i = 0; i < 3; ++i) quarantine.lost(url(1), at(10));
  CHECK(quarantine.holds(url(1), at(11)));
  for (int i = 0; i < 9; ++i) quarantine.lost(url(2), at(12));
  CHECK_FALSE(quarantine.holds(url(2), at(13)));
  quarantine.lost(url(0), at(3700));  // again, and for longer
  CHECK(quarantine.holds(url(0), at(3700 + 7000)));
  CHECK_FALSE(quarantine.kept(url(1), at(20)));
  CHECK_FALSE(quarantine.kept(url(1), at(21)));
  CHECK(quarantine.kept(url(1), at(22)));  // and is back
  CHECK_FALSE(quarantine.holds(url(1), at(22)));
}

TEST_CASE("R15 a relay's standing is taken over by the next process, within its bounds") {
  Quarantine first;
  for (int i = 0; i < 3; ++i) first.add(url(i));
  for (int i = 0; i < 2; ++i) first.lost(url(0), at(0));
  Quarantine second;
  for (int i = 0; i < 3; ++i) second.add(url(i));
  second.restore(url(0), first.standing(url(0), at(0)), at(100));
  CHECK(second.lost(url(0), at(100)));  // the third one
  const RelayStanding held = second.standing(url(0), at(700));
  CHECK(held.left == Seconds(3000));
  Quarantine third;
  for (int i = 0; i < 3; ++i) third.add(url(i));
  third.restore(url(0), held, at(0));
  CHECK(third.holds(url(0), at(2999)));
  CHECK_FALSE(third.holds(url(0), at(3000)));
  third.restore(url(1), held, at(0));  // two are left to count
  CHECK_FALSE(third.holds(url(1), at(1)));
  third.restore(url(9), held, at(0));
  CHECK(third.standing(url(9), at(0)) == RelayStanding{});
}

TEST_CASE("R2 a refusal is for good only by a prefix that speaks of the event") {
  Event event;
  event.created_at = kNow;
  const auto permanent = [&](std::string_view reason, UnixSeconds now = kNow) {
    const RelayOutcome out = outcome_of_ok(event, false, reason, now);
    REQUIRE(out.state == PublishState::refused);
    return out.permanent;
  };
  for (const char* reason : {"invalid: bad id", "blocked: not you", "restricted: members only",
                             "pow: 20 bits", "mute: nobody listens"}) {
    INFO(reason);
    CHECK(permanent(reason));
  }
  for (const char* reason :
       {"database is locked", "", "error: disk", "rate-limited: slow", "auth-required: who",
        "Internal: oops", "unsupported: later", "invalid: created_at too late",
        "invalid: event is too far in the future"}) {
    INFO(reason);
    CHECK_FALSE(permanent(reason));
  }
  CHECK_FALSE(permanent("invalid: created_at", {kNow.value - 1}));  // our clock was ahead
}

TEST_CASE("a duplicate counts where an address keeps one version only once it was read back") {
  Event event;
  event.kind = 1;
  CHECK(outcome_of_ok(event, false, "duplicate: have it", kNow).stored());
  CHECK(outcome_of_ok(event, true, "duplicate: have it", kNow).settled());
  for (const int kind : {0, 10002, 30078}) {
    event.kind = kind;
    for (const bool accepted : {false, true}) {
      const RelayOutcome out = outcome_of_ok(event, accepted, "duplicate: have it", kNow);
      CHECK(out.state == PublishState::duplicate);
      CHECK_FALSE(out.stored());
      CHECK_FALSE(out.settled());
    }
  }
}

TEST_CASE("most relays lost within seconds is our own outage, one after the other is theirs") {
  OutageWatch watch;
  for (uint64_t i = 1; i <= 5; ++i) CHECK_FALSE(watch.opened(i));
  watch.closed(1, now_at(0));
  watch.closed(2, now_at(60));
  watch.closed(3, now_at(120));
  CHECK_FALSE(watch.offline());
  watch.closed(4, now_at(121));
  CHECK(watch.offline());
  watch.closed(4, now_at(122));  // failed tries change nothing
  CHECK(watch.opened(4));
  CHECK_FALSE(watch.offline());
}

TEST_CASE("a quorum is a number, all, or named relays beside the number") {
  PublishReport report;
  report.relays[url(1)].state = PublishState::acknowledged;
  report.relays[url(2)].state = PublishState::refused;
  report.relays[url(3)].state = PublishState::duplicate;
  CHECK(Quorum{2, false, {}}.reached(report));
  CHECK_FALSE(Quorum{3, false, {}}.reached(report));
  CHECK_FALSE(Quorum{1, true, {}}.reached(report));
  CHECK(Quorum{1, false, {url(3)}}.reached(report));
  CHECK_FALSE(Quorum{1, false, {url(2)}}.reached(report));
  report.relays[url(3)].quarantined = true;
  CHECK_FALSE(Quorum{2, false, {}}.reached(report));
  CHECK_FALSE(Quorum{0, false, {url(3)}}.reached(report));
  report.relays[url(1)].read_back = ReadBack::missing;
  CHECK_FALSE(Quorum{1, false, {}}.reached(report));
}

TEST_CASE("a quorum that the relays cannot reach is told beforehand") {
  const std::vector<RelayUrl> two = {url(1), url(2)};
  CHECK(Quorum{2, false, {}}.fits(two));
  CHECK(Quorum{1, true, {}}.fits({}));
  CHECK(Quorum{0, false, {url(2)}}.fits(two));
  CHECK_FALSE(Quorum{3, false, {}}.fits(two));
  const auto absent = Quorum{0, false, {url(3)}}.fits(two);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == Errc::invalid);
}

TEST_CASE("due times give what is due in order, and forget what was set anew") {
  DueTimes<int> due;
  due.set(1, at(10));
  due.set(2, at(5));
  due.set(3, at(7));
  due.set(3, at(20));
  CHECK(due.earliest() == at(5));
  CHECK(due.take_due(at(10)) == std::vector<int>{2, 1});
  CHECK(due.earliest() == at(20));
  due.set(3, std::nullopt);
  CHECK_FALSE(due.earliest());
}
