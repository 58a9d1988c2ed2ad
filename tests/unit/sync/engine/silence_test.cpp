#include "ipnscast/sync/engine/silence.h"

#include "ipnscast/tests/unit/sync/engine/engine_bench.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

std::vector<action::Alarm> alarms(Bench& bench) {
  std::vector<action::Alarm> out;
  while (auto alarm = bench.next<action::Alarm>()) out.push_back(std::move(*alarm));
  return out;
}

bool says(const action::Alarm& alarm, const std::string& text) {
  return alarm.text.find(text) != std::string::npos;
}

void answer_nothing(Bench& bench) {
  while (const auto job = bench.next<action::Resolve>()) {
    input::ResolveUpdate in{kName, job->job, {}, kNode, 0, true, true};
    in.nobody = true;
    bench.feed(std::move(in));
  }
  while (const auto poll = bench.next<action::Poll>()) {
    input::PollDone in{kName, poll->job, {}, kNode};
    in.failed = true;
    bench.feed(std::move(in));
  }
}

}  // namespace

TEST_CASE("a silence is told after three seconds and once, and so is its end (G3)") {
  Silence silence;
  const Instant start = Instant() + std::chrono::hours(1);
  CHECK_FALSE(silence.next());
  silence.connected(true, start);
  silence.asked(false, start);
  CHECK_FALSE(silence.lasts(start));
  silence.connected(false, start + Seconds(1));
  CHECK(silence.next() == start + Seconds(4));
  CHECK_FALSE(silence.word(start + Milliseconds(3'999)));
  const auto word = silence.word(start + Seconds(4));
  REQUIRE(word);
  CHECK_FALSE(word->over);
  CHECK_FALSE(silence.word(start + Seconds(5)));
  CHECK_FALSE(silence.next());
  silence.asked(true, start + Seconds(9));
  const auto end = silence.word(start + Seconds(9));
  REQUIRE(end);
  CHECK(end->over);
  CHECK(end->lasted == Seconds(8));
  CHECK_FALSE(silence.word(start + Seconds(10)));
}

TEST_CASE("a short interruption is nobody's business") {
  Silence silence;
  const Instant start = Instant() + std::chrono::hours(1);
  silence.connected(false, start);
  silence.asked(false, start);
  silence.connected(true, start + Seconds(2));
  CHECK_FALSE(silence.word(start + Seconds(9)));
}

TEST_CASE("who follows names is told when every source is dead, and when one is back (G3)") {
  Bench bench;
  bench.feed(SourceHealth{kRelay, true});
  bench.settled_at(1, 1);
  bench.feed(SourceHealth{kRelay, false});
  // Whether anybody is left, is asked at once.
  CHECK_FALSE(bench.actions.empty());
  answer_nothing(bench);
  answer_nothing(bench);
  bench.pass(Milliseconds(2'900));
  CHECK(alarms(bench).empty());
  bench.pass(Milliseconds(200));
  auto said = alarms(bench);
  REQUIRE(said.size() == 1);
  CHECK_FALSE(said[0].name);
  CHECK(says(said[0], "no source has answered"));
  CHECK(says(said[0], kRelay.endpoint));
  SECTION("the relay is back") {
    bench.feed(SourceHealth{kRelay, true});
    said = alarms(bench);
    REQUIRE(said.size() == 1);
    CHECK(says(said[0], "answers again"));
  }
  SECTION("a gateway is back, which is seen within seconds") {
    bench.pass(Seconds(6));
    const auto poll = bench.next<action::Poll>();
    REQUIRE(poll);
    bench.feed(input::PollDone{kName, poll->job, {}, kNode});
    said = alarms(bench);
    REQUIRE(said.size() == 1);
    CHECK(says(said[0], "answers again"));
  }
}

TEST_CASE("a name that nobody has a record of is told, once, unless names are secret") {
  EngineOptions options;
  SECTION("as it is") {}
  SECTION("names are secret") { options.secret_names = true; }
  Bench bench(options);
  bench.watch();
  for (int i = 0; i < 3; ++i) {
    while (const auto job = bench.next<action::Resolve>())
      bench.feed(input::ResolveUpdate{kName, job->job, {}, kNode, 0, true, true});
    while (const auto poll = bench.next<action::Poll>())
      bench.feed(input::PollDone{kName, poll->job, {}, kNode});
    if (i == 0) CHECK(alarms(bench).empty());  // it may be new
    bench.pass(std::chrono::minutes(6));
  }
  const auto said = alarms(bench);
  REQUIRE(said.size() == (options.secret_names ? 0 : 1));
  if (!said.empty()) CHECK(says(said[0], "no source has a record of this name yet"));
}

TEST_CASE("why a new value is not handed over is told, once for each reason (G10)") {
  Bench bench;
  bench.settled_at(1, 1);
  bench.arrive(bench.record(2, 2));
  const auto fail_with = [&](Errc code, const char* message) {
    const auto fetch = bench.next<action::Fetch>();
    REQUIRE(fetch);
    bench.feed(input::FetchFailed{kName, fetch->job, {code, message}});
    auto said = alarms(bench);
    bench.pass(std::chrono::minutes(6));
    answer_nothing(bench);
    (void)alarms(bench);
    return said;
  };
  auto said = fail_with(Errc::not_found, "no gateway has it");
  REQUIRE(said.size() == 1);
  CHECK(said[0].name == kName);
  CHECK(says(said[0], "no gateway has it"));
  CHECK(says(said[0], "sequence 2"));
  CHECK(says(said[0], value_of(cid(2))));
  CHECK(fail_with(Errc::not_found, "no gateway has it").empty());
  said = fail_with(Errc::too_large, "a chain of more than 32 names");
  REQUIRE(said.size() == 1);
  CHECK(says(said[0], "more than 32 names"));
  // Another value is another matter.
  while (bench.next<action::Fetch>()) {
  }
  bench.arrive(bench.record(3, 3));
  CHECK(fail_with(Errc::not_found, "no gateway has it").size() == 1);
}
