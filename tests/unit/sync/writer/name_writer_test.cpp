// The writer's rules, a row of the design each.
#include "ipnscast/sync/writer/clock_check.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/writers/writer_bench.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test::writer_bench;

namespace {

Bench deciding() { return Bench({.decider = true}); }

// On top of 5:base, with 6:ours reserved and on its way to the decider.
void reserve(Bench& bench, writer_input::Publish how = {}) {
  bench.take_in(record(5, "base", vector({{kThey, {1, {5}}}})));
  bench.publish("ours", how);
  REQUIRE(bench.decide);
  CHECK(bench.own().state == OwnPublish::State::tentative);
  CHECK(bench.sent.empty());
  CHECK(bench.answered.empty());
}

}  // namespace

TEST_CASE("a publish that is not made on what is there is refused and names the winner (R33)") {
  Bench bench;
  bench.tell(writer_input::Saw{record(5, "theirs"), "node"});
  bench.publish("ours");
  REQUIRE(bench.answered.size() == 1);
  CHECK(bench.answered[0].result == Answered::conflict);
  CHECK(bench.answered[0].winner == record(5, "theirs"));
  bench.publish("ours", {.based_on = Version{{4}, "older"}});
  CHECK(bench.answered[1].result == Answered::conflict);
  bench.publish("ours", {.based_on = Version{{6}, "nobody shows this"}});
  CHECK(bench.answered[2].result == Answered::conflict);
  CHECK(bench.disk.own.empty());
  bench.publish("ours", {.based_on = Version{{5}, "theirs"}});
  CHECK(bench.answered[3].result == Answered::published);
  CHECK(bench.own().sequence() == Sequence{6});
  CHECK(bench.disk.base->version == Version{{6}, "ours"});
}

TEST_CASE("a renewal by anybody leaves the base where it is: the next publish goes ahead") {
  Bench bench;
  bench.take_in(record(5, "base", vector({{kThey, {1, {5}}}})));
  bench.tell(writer_input::Saw{record(5, "base", {}, 100), "node"});  // Kubo signed it again
  CHECK(bench.disk.known->vector == vector({{kThey, {1, {5}}}}));
  bench.tell(writer_input::Saw{record(7, "base"), "node"});
  bench.publish("ours");
  REQUIRE(bench.answered.size() == 1);
  CHECK(bench.answered[0].result == Answered::published);
  CHECK(bench.own().sequence() == Sequence{8});
  CHECK(bench.own().seen.vector == vector({{kThey, {1, {5}}}, {kUs, {1, {8}}}}));
}

TEST_CASE("what the decider stored is published; before that nobody is told of it (R34)") {
  Bench bench = deciding();
  reserve(bench);
  CHECK(bench.decide->instead_of == record(5, "base").record.bytes);
  bench.says(Said::stored);
  CHECK(bench.own().state == OwnPublish::State::settled);
  REQUIRE(bench.answered.size() == 1);
  CHECK(bench.answered[0].result == Answered::published);
  CHECK(bench.answered[0].settled);
  CHECK_FALSE(bench.answered[0].undecided);
  CHECK(bench.sent.size() == 1);
}

TEST_CASE("the decider has ours, or what was built on it: it was stored") {
  Bench bench = deciding();
  reserve(bench);
  bench.says(Said::refused, bench.own().seen);
  CHECK(bench.answered.at(0).settled);

  Bench other = deciding();
  reserve(other);
  const auto later = record(7, "later", vector({{kUs, {1, {6}}}, {kThey, {2, {7}}}}));
  other.says(Said::refused, later);
  CHECK(other.answered.at(0).result == Answered::published);
  CHECK(other.disk.known == later);
  CHECK(other.reports.empty());
}

TEST_CASE("the decider has nothing, or what is no better than the base: it is asked once more") {
  Bench bench = deciding();
  reserve(bench);
  bench.says(Said::refused);
  REQUIRE(bench.decide);
  CHECK_FALSE(bench.decide->instead_of);
  bench.says(Said::refused, record(3, "ancient"));
  REQUIRE(bench.decide);
  CHECK(bench.decide->instead_of == record(3, "ancient").record.bytes);
  bench.says(Said::stored);
  CHECK(bench.answered.at(0).settled);
}

TEST_CASE("the decider has the base renewed: ours goes above it under the same count") {
  Bench bench = deciding();
  reserve(bench);
  bench.says(Said::refused, record(5, "base", {}, 50));
  REQUIRE(bench.decide);
  CHECK(bench.decide->record.sequence == Sequence{6});
  CHECK(bench.decide->instead_of == record(5, "base", {}, 50).record.bytes);
  bench.says(Said::refused, record(9, "base"));
  REQUIRE(bench.decide);
  CHECK(bench.decide->record.sequence == Sequence{10});
  CHECK(bench.own().count == 1);
  bench.says(Said::stored);
  CHECK(bench.answered.at(0).version == Version{{10}, "ours"});
}

TEST_CASE("the decider has somebody else's: the publish is refused, its count never given again") {
  Bench bench = deciding();
  reserve(bench);
  const auto theirs = record(6, "theirs", vector({{kThey, {2, {6}}}}));
  bench.says(Said::refused, theirs);
  REQUIRE(bench.answered.size() == 1);
  CHECK(bench.answered[0].result == Answered::conflict);
  CHECK(bench.answered[0].winner == theirs);
  CHECK(bench.disk.own.empty());
  CHECK(bench.disk.count == 1);
  CHECK(bench.disk.known == theirs);
  CHECK(bench.sent.empty());
  bench.tell(writer_input::TakenIn{theirs});
  bench.publish("again");
  CHECK(bench.own().count == 2);
}

TEST_CASE("the decider is silent: after ten seconds the publish goes ahead, undecided") {
  Bench bench = deciding();
  reserve(bench);
  bench.says(Said::nothing);
  CHECK(bench.ask_decider);
  bench.pass(std::chrono::seconds(15));
  REQUIRE(bench.answered.size() == 1);
  CHECK(bench.answered[0].result == Answered::published);
  CHECK(bench.answered[0].undecided);
  CHECK(bench.own().state == OwnPublish::State::sent);
}

TEST_CASE("compare-and-set that never reached the decider leaves nothing behind (R34)") {
  Bench bench = deciding();
  reserve(bench, {.expect = Sequence{5}});
  bench.says(Said::nothing, {}, true);
  CHECK(bench.answered.at(0).result == Answered::unreachable);
  CHECK(bench.disk.own.empty());
}

TEST_CASE("compare-and-set that may be stored is asked about until it is known (R34)") {
  Bench bench = deciding();
  reserve(bench, {.expect = Sequence{5}});
  bench.says(Said::nothing);
  bench.pass(std::chrono::seconds(15));
  CHECK(bench.answered.at(0).result == Answered::perhaps);
  CHECK(bench.own().state == OwnPublish::State::tentative);
  // A further publish asks first, and waits for the answer.
  bench.publish("next");
  bench.pass(std::chrono::seconds(15));
  CHECK(bench.answered.at(1).result == Answered::unreachable);
  bench.restart();
  REQUIRE(bench.ask_decider);
  bench.tell(writer_input::DeciderHas{bench.ask_decider->job, true, bench.own().seen});
  CHECK(bench.own().state == OwnPublish::State::settled);
  CHECK(bench.sent.size() == 1);
}

TEST_CASE("a reserved publish that a crash left and that was overtaken is reported (R35)") {
  Bench bench = deciding();
  reserve(bench);
  bench.restart();
  REQUIRE(bench.ask_decider);
  const auto theirs = record(6, "theirs", vector({{kThey, {2, {6}}}}));
  bench.tell(writer_input::DeciderHas{bench.ask_decider->job, true, theirs});
  REQUIRE(bench.reports.size() == 1);
  CHECK(bench.reports[0].ours.value() == "ours");
  CHECK(bench.own().state == OwnPublish::State::lost);
}

TEST_CASE("two values under one sequence: the loser is told once, also after a crash (R33)") {
  Bench bench;
  bench.take_in(record(5, "base", vector({{kThey, {1, {5}}}})));
  bench.publish("ours");
  const auto theirs = record(6, "theirs", vector({{kThey, {2, {6}}}}), 10);
  bench.tell(writer_input::Saw{theirs, "node"});
  REQUIRE(bench.reports.size() == 1);
  CHECK(bench.reports[0].conflict);
  CHECK(bench.reports[0].common == Version{{5}, "base"});
  CHECK(bench.reports[0].ours.theirs == theirs);
  bench.restart();
  bench.tell(writer_input::Saw{theirs, "node"});
  CHECK(bench.reports.size() == 1);
  CHECK(bench.own().state == OwnPublish::State::lost);
  bench.tell(writer_input::Acknowledge{});
  CHECK(bench.disk.own.empty());
}

TEST_CASE("the winner of a contested sequence is not renewed but published as the next one") {
  Bench bench;
  bench.tell(writer_input::Places{{"node"}, {}, true});  // a relay was told of it
  bench.publish("ours", {.expect = Sequence{0}});
  bench.tell(writer_input::Saw{record(1, "theirs", vector({{kThey, {1, {1}}}}), -10), "node"});
  bench.tell(writer_input::Renew{});
  CHECK(bench.last_signed->sequence == Sequence{1});
  bench.pass(std::chrono::seconds(29));
  CHECK(bench.last_signed->sequence == Sequence{1});
  bench.pass(std::chrono::seconds(2));
  CHECK(bench.last_signed->sequence == Sequence{2});
  CHECK(bench.last_signed->value == "ours");
  CHECK(bench.last_signed->vector == vector({{kUs, {1, {1}}}}));
  CHECK(bench.disk.own.size() == 1);
  CHECK(bench.disk.base->version == Version{{2}, "ours"});
  CHECK(bench.reports.empty());
}

TEST_CASE("what displaced ours without containing it is a loss, what contains it is not (S3-09)") {
  Bench bench;
  bench.publish("one");
  bench.publish("two");
  bench.tell(writer_input::Saw{record(3, "theirs", vector({{kUs, {2, {2}}}})), "node"});
  CHECK(bench.reports.empty());
  CHECK(bench.own().state == OwnPublish::State::settled);
  // Somebody who had not seen the second one replaced it all.
  bench.tell(writer_input::Saw{record(4, "others", vector({{kUs, {1, {1}}}})), "node"});
  REQUIRE(bench.reports.size() == 1);
  CHECK(bench.reports[0].ours.value() == "two");
  CHECK(bench.reports[0].ours.certain);

  Bench other;
  other.publish("one");
  other.tell(writer_input::Saw{record(2, "of a Kubo"), "node"});
  REQUIRE(other.reports.size() == 1);
  CHECK_FALSE(other.reports[0].ours.certain);
  other.tell(writer_input::TakenIn{record(2, "of a Kubo")});
  other.publish("on top");
  CHECK(other.own().value() == "on top");
}

TEST_CASE("replacing carries what this device knew, so that the replaced writer is told") {
  Bench bench;
  bench.take_in(record(5, "base", vector({{kThey, {1, {5}}}})));
  bench.tell(writer_input::Saw{record(6, "theirs", vector({{kThey, {2, {6}}}})), "node"});
  bench.publish("ours", {.replace = true});
  CHECK(bench.own().sequence() == Sequence{7});
  CHECK(bench.own().seen.vector->of(tag(kThey))->count == 1);

  // A job knows nothing and leaves no trace of itself.
  Bench job({.job = true});
  job.tell(writer_input::Saw{record(6, "theirs", vector({{kThey, {2, {6}}}})), "node"});
  job.publish("site");
  CHECK(job.answered.at(0).result == Answered::conflict);
  job.publish("site", {.replace = true});
  CHECK(job.answered.at(1).result == Answered::published);
  CHECK(job.last_signed->vector == vector({{kThey, {0, {6}}}}));
  CHECK(job.disk.own.empty());
}

TEST_CASE("our tag above our count proves that somebody runs on a copy; nothing else does") {
  Bench bench;
  bench.publish("ours");
  bench.tell(writer_input::Saw{record(2, "x", vector({{kUs, {1, {1}}}})), "node"});
  CHECK(bench.clones == 0);
  bench.tell(writer_input::Saw{record(3, "y", vector({{kUs, {2, {3}}}})), "node"});
  CHECK(bench.clones == 1);
  bench.tell(writer_input::Identity{tag(9)});
  bench.tell(writer_input::TakenIn{record(3, "y", vector({{kUs, {2, {3}}}}))});
  bench.publish("after");
  CHECK(bench.last_signed->vector == vector({{kUs, {2, {3}}}, {9, {1, {4}}}}));
}

TEST_CASE("whose clock is wrong is told by a witness, never guessed (R36)") {
  const UnixSeconds now{1'790'000'000};
  const UnixSeconds year{now.value + 365 * 86'400};
  CHECK(judge_clock(now, {now.value + 900}, {}) == ClockVerdict::fine);
  CHECK(judge_clock(now, {now.value - 86'400}, {}) == ClockVerdict::fine);
  CHECK(judge_clock(now, year, {}) == ClockVerdict::no_witness);
  CHECK(judge_clock(now, year, UnixSeconds{now.value + 600}) == ClockVerdict::mark_was_wrong);
  CHECK(judge_clock(now, year, UnixSeconds{year.value + 5}) == ClockVerdict::clock_is_wrong);
  CHECK(judge_clock({INT64_MIN}, {INT64_MAX}, {}) == ClockVerdict::no_witness);
}
