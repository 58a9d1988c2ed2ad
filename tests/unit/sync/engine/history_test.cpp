// Versions before the newest one.
#include "ipnscast/tests/unit/sync/engine/engine_bench.h"

using namespace ipnscast;
using namespace ipnscast::test;
using Fate = HeardVersion::Fate;

namespace {

std::vector<HeardVersion> history(Bench& b) { return *load_history(*b.state, kName, 100); }

std::optional<Fate> fate_of(Bench& b, uint64_t sequence) {
  for (const HeardVersion& one : history(b))
    if (one.version.sequence == Sequence{sequence}) return one.fate;
  return std::nullopt;
}

// Whatever is fetched is there at once.
void fetch_all(Bench& b) {
  while (const auto fetch = b.next<action::Fetch>())
    b.feed(input::Fetched{kName, fetch->job, std::nullopt});
}

Change take_one(Bench& b) {
  fetch_all(b);
  const Change change = b.delivered();
  b.acknowledge();
  return change;
}

std::vector<uint64_t> take_all(Bench& b) {
  std::vector<uint64_t> out;
  for (;;) {
    fetch_all(b);
    const auto deliver = b.next<action::Deliver>();
    if (!deliver) return out;
    out.push_back(deliver->change.sequence.value);
    b.feed(input::Handled{kName, deliver->job, {}});
  }
}

// Sequence 5 is with the handler, 6 to 8 were heard since, and 6 is offered.
void three_wait(Bench& b) {
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  fetch_all(b);
  b.arrive(b.record(7, 7));
  b.arrive(b.record(8, 8));
  REQUIRE(b.delivered().sequence == Sequence{6});
}

}  // namespace

TEST_CASE("every version that is proved is noted, with what became of it") {
  Bench b;
  three_wait(b);
  b.acknowledge();
  CHECK(take_all(b) == std::vector<uint64_t>{8});
  CHECK(fate_of(b, 5) == Fate::taken);
  CHECK(fate_of(b, 6) == Fate::taken);
  CHECK(fate_of(b, 7) == Fate::skipped);
  CHECK(fate_of(b, 8) == Fate::taken);
  b.arrive(b.record(9, 9));
  fetch_all(b);
  CHECK(fate_of(b, 9) == Fate::waiting);
  b.delivered();
  b.feed(input::Handled{kName, b.last_delivery, Handled::reject("no good")});
  CHECK(fate_of(b, 9) == Fate::refused);
  b.arrive(b.record(10, 9));
  CHECK(fate_of(b, 10) == Fate::refused);
}

TEST_CASE("what is noted of a version is committed with its row, not on its own") {
  Bench b;
  b.settled_at(5, 5);
  b.auto_commit = false;
  b.arrive(b.record(6, 6));
  const auto commit = b.next<action::Commit>();
  REQUIRE(commit);
  CHECK(commit->rows.size() == 1);
  REQUIRE(commit->notes.size() == 1);
  CHECK(commit->notes[0].record->sequence == Sequence{6});
  CHECK_FALSE(b.next<action::Commit>());
}

TEST_CASE("a version that was heard while commits failed is not missing from the history") {
  Bench b;
  b.settled_at(5, 5);
  b.auto_commit = false;
  b.arrive(b.record(6, 6));
  b.arrive(b.record(7, 7));
  auto failed = b.next<action::Commit>();
  REQUIRE(failed);
  b.feed(input::Committed{failed->job, fail(Errc::io, "disk full")});
  b.pass(Milliseconds(2'000));
  const auto again = b.next<action::Commit>();
  REQUIRE(again);
  REQUIRE(again->notes.size() == 2);
  CHECK(again->notes[0].number == 2);
  CHECK(again->notes[1].number == 3);
}

TEST_CASE(
    "the same value under a higher sequence is another version, and nothing new to hand over") {
  Bench b;
  b.every_version = true;
  b.settled_at(5, 5);
  b.arrive(b.record(6, 5));
  CHECK(take_all(b).empty());
  CHECK(fate_of(b, 6) == Fate::taken);
  b.arrive(b.record(7, 7));
  CHECK(take_all(b) == std::vector<uint64_t>{7});
}

TEST_CASE("with every_version those that were replaced come too, in order") {
  Bench b;
  b.every_version = true;
  three_wait(b);
  b.acknowledge();
  const Change seven = take_one(b);
  CHECK(seven.sequence == Sequence{7});
  CHECK(seven.previous == cid(6));
  CHECK(seven.cid == cid(7));
  CHECK_FALSE(seven.replay);
  CHECK(take_all(b) == std::vector<uint64_t>{8});
  CHECK(b.committed->passed == b.committed->heard);
  CHECK_FALSE(b.engine->busy(kName));
}

TEST_CASE("with every_version a newer version waits for the one that failed") {
  Bench b;
  b.every_version = true;
  three_wait(b);
  b.refuse();
  b.arrive(b.record(9, 9));
  fetch_all(b);
  CHECK_FALSE(b.next<action::Deliver>());
  b.pass(Milliseconds(1'000));
  fetch_all(b);
  const Change again = b.delivered();
  CHECK(again.sequence == Sequence{6});
  CHECK(again.attempt == 2);
  b.acknowledge();
  CHECK(take_all(b) == std::vector<uint64_t>{7, 8, 9});
}

TEST_CASE("a crash loses none of the versions that wait") {
  Bench b;
  b.every_version = true;
  three_wait(b);
  b.restart();
  b.actions.clear();
  b.watch();
  CHECK(take_all(b) == std::vector<uint64_t>{6, 7, 8});
}

TEST_CASE("a version that was refused does not hold up those behind it") {
  Bench b;
  b.every_version = true;
  three_wait(b);
  b.feed(input::Handled{kName, b.last_delivery, Handled::reject("no good")});
  fetch_all(b);
  const Change seven = b.delivered();
  CHECK(seven.previous == cid(5));
  b.feed(input::Handled{kName, b.last_delivery, Handled::reject("no good")});
  CHECK(take_all(b) == std::vector<uint64_t>{8});
  CHECK(fate_of(b, 6) == Fate::refused);
  CHECK(fate_of(b, 7) == Fate::refused);
}

TEST_CASE("a version whose content is gone comes without it, and is told") {
  Bench b;
  b.every_version = true;
  three_wait(b);
  b.acknowledge();
  const auto refuse_fetches = [&] {
    while (const auto fetch = b.next<action::Fetch>()) {
      if (fetch->current) {
        b.feed(input::Fetched{kName, fetch->job, std::nullopt});
      } else {
        b.feed(input::FetchFailed{kName, fetch->job, {Errc::not_found, "gone"}});
      }
    }
  };
  for (int i = 0; i < 299; ++i) {
    refuse_fetches();
    b.pass(Milliseconds(1'000));
  }
  CHECK_FALSE(b.next<action::Deliver>());
  b.pass(Milliseconds(1'000));
  const Change seven = b.delivered();
  CHECK(seven.sequence == Sequence{7});
  CHECK_FALSE(seven.cid);
  const auto alarm = b.next<action::Alarm>();
  REQUIRE(alarm);
  CHECK(alarm->text.find("without") != std::string::npos);
  b.acknowledge();
  CHECK(take_all(b) == std::vector<uint64_t>{8});
}

TEST_CASE("more than are kept do not wait, and it is told how many were dropped") {
  EngineOptions options;
  options.history_versions = 3;
  Bench b(options);
  b.every_version = true;
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  fetch_all(b);
  for (uint8_t i = 7; i <= 12; ++i) b.arrive(b.record(i, i));
  b.delivered();
  b.acknowledge();
  CHECK(take_all(b) == std::vector<uint64_t>{10, 11, 12});
  const auto alarm = b.next<action::Alarm>();
  REQUIRE(alarm);
  CHECK(alarm->text.find("3 versions were dropped") == 0);
}

TEST_CASE("without every_version those that wait are passed over for good") {
  Bench b;
  three_wait(b);
  b.acknowledge();
  CHECK(take_all(b) == std::vector<uint64_t>{8});
  b.restart();
  b.actions.clear();
  b.every_version = true;
  b.watch();
  CHECK(take_all(b).empty());
}

TEST_CASE("a replay hands over what was heard, oldest first and marked, and then what is new") {
  Bench b;
  three_wait(b);
  b.acknowledge();
  REQUIRE(take_all(b) == std::vector<uint64_t>{8});
  b.feed(input::Replay{kName, 2});
  b.arrive(b.record(9, 9));
  Change change = take_one(b);
  CHECK(change.sequence == Sequence{6});
  CHECK(change.replay);
  CHECK_FALSE(change.previous);
  change = take_one(b);
  CHECK(change.sequence == Sequence{7});
  CHECK(change.previous == cid(6));
  CHECK(take_one(b).sequence == Sequence{8});
  change = take_one(b);
  CHECK(change.sequence == Sequence{9});
  CHECK_FALSE(change.replay);
  CHECK(change.previous == cid(8));
  CHECK(take_all(b).empty());
  CHECK_FALSE(b.committed->replay);
}

TEST_CASE("a replay goes on after a crash, and a failed hand-over of it is tried again") {
  Bench b;
  three_wait(b);
  b.acknowledge();
  REQUIRE(take_all(b) == std::vector<uint64_t>{8});
  b.feed(input::Replay{kName, 1});
  CHECK(take_one(b).sequence == Sequence{5});
  fetch_all(b);
  CHECK(b.delivered().sequence == Sequence{6});
  b.refuse();
  b.restart();
  b.actions.clear();
  b.watch();
  fetch_all(b);
  CHECK(b.delivered().sequence == Sequence{6});
  b.refuse();
  b.pass(Milliseconds(1'000));
  CHECK(take_all(b) == std::vector<uint64_t>{6, 7, 8});
  CHECK(b.committed->handed->sequence == Sequence{8});
}

TEST_CASE("what is under way when a replay begins is a part of it, and a second one begins anew") {
  Bench b;
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  fetch_all(b);
  REQUIRE(b.delivered().sequence == Sequence{6});
  b.feed(input::Replay{kName, 1});
  b.acknowledge();
  CHECK(take_one(b).sequence == Sequence{5});
  fetch_all(b);
  const Change six = b.delivered();
  CHECK(six.sequence == Sequence{6});
  CHECK(six.replay);
  b.feed(input::Replay{kName, 1});
  b.acknowledge();
  CHECK(take_all(b) == std::vector<uint64_t>{5, 6});
  b.feed(input::Unwatch{kName});
  CHECK_FALSE(b.committed->replay);
}

TEST_CASE("who pulls gets every version, and the replay, one at a time") {
  Bench b;
  b.pulls = true;
  b.every_version = true;
  const auto pull = [&] {
    fetch_all(b);
    b.feed(input::Take{kName});
    const uint64_t sequence = b.delivered().sequence.value;
    b.acknowledge();
    return sequence;
  };
  b.watch();
  const auto resolve = b.next<action::Resolve>();
  REQUIRE(resolve);
  b.finish(*resolve, b.record(5, 5));
  for (uint8_t i = 6; i <= 8; ++i) b.arrive(b.record(i, i));
  for (uint64_t i = 5; i <= 8; ++i) CHECK(pull() == i);
  b.feed(input::Replay{kName, 3});
  CHECK(pull() == 7);
  CHECK(pull() == 8);
}
