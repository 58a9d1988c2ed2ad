// What others have or have not heard of what this device published.
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/writers/writer_bench.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test::writer_bench;

TEST_CASE("a relay that shows an older state later is told again, once a minute at most (R3)") {
  Bench bench;
  bench.tell(writer_input::Places{{"relay"}, {"relay"}, true});
  bench.take_in(record(5, "base"));
  bench.publish("ours");
  const SeenRecord ours = *bench.disk.known;
  const auto older = writer_input::Saw{record(5, "base"), "relay"};
  // What it shows while ours is on its way is what it had before.
  bench.tell(older);
  CHECK(bench.again.empty());
  bench.tell(writer_input::Saw{ours, "relay"});
  bench.pass(Milliseconds(10'000));
  CHECK(bench.again.empty());
  // A hint with a later time took the place of ours.
  bench.tell(older);
  REQUIRE(bench.again == std::vector<std::string>{"relay"});
  for (int i = 0; i < 10; ++i) {
    bench.tell(older);
    bench.pass(Milliseconds(5'000));
  }
  CHECK(bench.again.size() == 1);
  bench.pass(Milliseconds(15'000));
  CHECK(bench.again.size() == 2);
  // Not once the name has gone on.
  bench.tell(writer_input::Saw{record(7, "theirs"), "relay"});
  bench.tell(older);
  bench.pass(std::chrono::minutes(5));
  CHECK(bench.again.size() == 2);
}

TEST_CASE("a publish that was queued and overtaken gives way, and that is told (R35)") {
  Bench bench;
  bench.take_in(record(5, "base"));
  bench.answers = false;
  bench.publish("ours");
  CHECK(bench.answered.at(0).result == Answered::queued);
  CHECK(bench.sent.empty());
  bench.answers = true;
  // Also where ours would win by its later end of life: the other writer may be gone.
  const auto theirs = record(6, "theirs", vector({{kThey, {1, {6}}}}), -100);
  bench.tell(writer_input::Saw{theirs, "node"});
  REQUIRE(bench.reports.size() == 1);
  CHECK(bench.disk.known == theirs);
  bench.pass(std::chrono::minutes(3));
  CHECK(bench.sent.empty());
}

TEST_CASE(
    "of two values under one sequence the better one gives way where every node has the other and "
    "no relay told of it; who waits is told (R33, R34)") {
  const auto theirs = record(6, "theirs", vector({{kThey, {1, {6}}}}), -100);
  const auto publish = [&](Bench& bench, bool relay) {
    bench.tell(writer_input::Places{{"one", "two"}, {}, relay});
    bench.take_in(record(5, "base"));
    bench.publish("ours", {.wait = true});
    REQUIRE(bench.sent.size() == 1);
    bench.tell(writer_input::Saw{theirs, "one"});
    bench.pass(Milliseconds(1'000));
    CHECK(bench.answered.empty());
  };
  {
    Bench bench;
    publish(bench, false);
    bench.tell(writer_input::Saw{theirs, "two"});
    bench.pass(Milliseconds(1'500));
    REQUIRE(bench.answered.size() == 1);
    CHECK(bench.answered[0].result == Answered::conflict);
    CHECK(bench.answered[0].winner == theirs);
    CHECK(bench.disk.known == theirs);
    CHECK_FALSE(bench.disk.owed);
    CHECK(bench.own().state == OwnPublish::State::lost);
    CHECK(bench.reports.empty());  // the answer tells of it
  }
  {
    Bench bench;
    publish(bench, true);  // others heard it, to whom it is the better one
    bench.tell(writer_input::Saw{theirs, "two"});
    bench.pass(Milliseconds(1'500));
    REQUIRE(bench.answered.size() == 1);
    CHECK(bench.answered[0].result == Answered::published);
    CHECK_FALSE(bench.answered[0].settled);
    CHECK(bench.disk.known->version() == Version{{6}, "ours"});
  }
  {
    Bench bench;
    publish(bench, false);
    bench.tell(writer_input::Saw{*bench.disk.known, "two"});  // somebody has it
    bench.pass(Milliseconds(1'500));
    CHECK(bench.answered.at(0).result == Answered::published);
    CHECK(bench.disk.known->version() == Version{{6}, "ours"});
  }
}

TEST_CASE("a publish that was queued goes out when everybody was asked and nobody overtook it") {
  Bench bench;
  bench.take_in(record(5, "base"));
  bench.answers = false;
  bench.publish("one");
  bench.publish("two");
  bench.answers = true;
  bench.tell(writer_input::Places{{}});
  bench.tell(writer_input::Places{{"node"}});
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.sent[0].version() == Version{{7}, "two"});
}
