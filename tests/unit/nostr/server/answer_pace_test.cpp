#include "ipnscast/nostr/server/answer_pace.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast::nostr::server;

namespace {

constexpr ServerConnectionId kAlice{1};
constexpr ServerConnectionId kBob{2};
constexpr size_t kFull = AnswerPace::kFull;

}  // namespace

TEST_CASE("what a full connection asks is held in order until it was drained") {
  AnswerPace pace;
  pace.opened(kAlice);
  pace.opened(kBob);
  pace.handed_over(kAlice, kFull - 1);
  CHECK(pace.take_full().empty());
  CHECK_FALSE(pace.holds(kAlice));
  pace.handed_over(kAlice, 1);
  pace.handed_over(kAlice, 1);
  CHECK(pace.take_full() == std::vector{kAlice});
  CHECK(pace.take_full().empty());
  CHECK(pace.holds(kAlice));
  CHECK_FALSE(pace.holds(kBob));
  CHECK_FALSE(pace.hold(kAlice, "first"));
  CHECK_FALSE(pace.hold(kAlice, "second"));
  CHECK_FALSE(pace.next(kAlice));

  pace.drained(kAlice);
  CHECK(pace.next(kAlice) == "first");
  CHECK(pace.holds(kAlice));  // what comes now does not overtake the second
  pace.handed_over(kAlice, kFull);
  CHECK_FALSE(pace.next(kAlice));
  CHECK(pace.take_full() == std::vector{kAlice});
  pace.drained(kAlice);
  CHECK(pace.next(kAlice) == "second");
  CHECK_FALSE(pace.next(kAlice));
  CHECK_FALSE(pace.holds(kAlice));
}

TEST_CASE("one that asks on and on is no longer read, and one that has gone leaves nothing") {
  AnswerPace pace;
  pace.opened(kAlice);
  pace.handed_over(kAlice, kFull);
  const std::string frame(AnswerPace::kMaxHeld / 2, 'x');
  CHECK_FALSE(pace.hold(kAlice, frame));
  CHECK_FALSE(pace.hold(kAlice, frame));
  CHECK(pace.hold(kAlice, "x"));
  pace.closed(kAlice);
  CHECK_FALSE(pace.holds(kAlice));
  pace.handed_over(kAlice, kFull);
  CHECK_FALSE(pace.holds(kAlice));
}
