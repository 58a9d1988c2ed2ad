// What becomes of a change by what its handler answers.
#include <stdexcept>

#include "ipnscast/sync/engine/validated.h"
#include "ipnscast/tests/unit/sync/engine/engine_bench.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

void answer(Bench& b, const Handled& what) { b.feed(input::Handled{kName, b.last_delivery, what}); }

// Sequence 5 is handed over, 6 is offered.
void offered(Bench& b) {
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  b.fetched();
  REQUIRE(b.delivered().sequence == Sequence{6});
}

void rejected(Bench& b) {
  offered(b);
  answer(b, Handled::reject("no good"));
}

}  // namespace

TEST_CASE("a handler may return a verdict, a status or nothing") {
  const Change change{.name = kName};
  int calls = 0;
  const OnChange quiet = [&](const Change&) { ++calls; };
  const OnChange status = [](const Change&) { return Status(fail(Errc::io, "disk full")); };
  const OnChange verdict = [](const Change&) { return Handled::reject("no good"); };
  CHECK(quiet(change).is_applied());
  CHECK(calls == 1);
  CHECK(status(change).verdict() == Handled::Verdict::retry);
  CHECK(status(change).why().message == "disk full");
  CHECK(verdict(change).is_reject());
  CHECK_FALSE(OnChange());
  CHECK_FALSE(OnChange(std::function<Status(const Change&)>()));
  CHECK_FALSE(OnChange(std::function<void(const Change&)>()));
}

TEST_CASE("a handler that fails is called again after 1 s, doubling to 5 min, and counts along") {
  Bench b;
  offered(b);
  int attempt = 1;
  for (const int64_t wait :
       {1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 64'000, 128'000, 256'000, 300'000, 300'000}) {
    b.refuse();
    b.pass(Milliseconds(wait - 1));
    CHECK_FALSE(b.next<action::Deliver>());
    b.pass(Milliseconds(1));
    CHECK(b.delivered().attempt == ++attempt);
  }
}

TEST_CASE("a handler that was mended is called at once, after a restart and when it is replaced") {
  Bench b;
  offered(b);
  for (int i = 0; i < 8; ++i) {
    b.refuse();
    b.pass(Milliseconds(300'000));
    b.delivered();
  }
  b.refuse();
  b.watch();
  CHECK(b.delivered().attempt == 1);
  b.refuse();
  b.restart();
  b.actions.clear();
  b.watch();
  b.fetched();
  CHECK(b.delivered().attempt == 1);
}

TEST_CASE("fetching backs off over a restart, and a new value starts its own back-off") {
  Bench b;
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  const auto fail_fetch = [&] {
    const auto fetch = b.next<action::Fetch>();
    REQUIRE(fetch);
    b.feed(input::FetchFailed{kName, fetch->job, {Errc::unreachable, "gone"}});
  };
  for (int i = 0; i < 10; ++i) {
    fail_fetch();
    b.pass(Milliseconds(300'000));
  }
  fail_fetch();
  b.restart();
  b.actions.clear();
  b.watch();
  b.pass(Milliseconds(299'000));
  CHECK_FALSE(b.next<action::Fetch>());
  b.pass(Milliseconds(1'000));
  fail_fetch();
  b.arrive(b.record(7, 7));
  fail_fetch();
  b.pass(Milliseconds(999));
  CHECK_FALSE(b.next<action::Fetch>());
  b.pass(Milliseconds(1));
  b.fetched();
  CHECK(b.delivered().sequence == Sequence{7});
}

TEST_CASE("a handler says itself when it wants the change again, and a newer one does not wait") {
  Bench b;
  offered(b);
  answer(b, Handled::retry(Milliseconds(20'000)));
  b.pass(Milliseconds(19'999));
  CHECK_FALSE(b.next<action::Deliver>());
  b.pass(Milliseconds(1));
  CHECK(b.delivered().attempt == 2);
  answer(b, Handled::retry(std::chrono::hours(1)));
  b.arrive(b.record(7, 7));
  b.fetched();
  CHECK(b.delivered().sequence == Sequence{7});
  answer(b, Handled::retry(Milliseconds(-5)));
  CHECK_FALSE(b.next<action::Deliver>());
  b.pass(kSoonestRetry);
  CHECK(b.delivered().sequence == Sequence{7});
}

TEST_CASE("a handler that throws is told once for each reason, and called again") {
  Bench b;
  offered(b);
  int told = 0;
  for (int i = 0; i < 5; ++i) {
    answer(b, fail(Errc::internal, "the handler threw: no"));
    while (const auto alarm = b.next<action::Alarm>()) {
      ++told;
      CHECK(alarm->text.find("the handler threw: no") != std::string::npos);
    }
    b.pass(Milliseconds(300'000));
    b.delivered();
  }
  CHECK(told == 1);
}

TEST_CASE(
    "what is refused is not offered again, also after a restart, and the next change names what "
    "was there before (S0-07)") {
  Bench b;
  rejected(b);
  const auto alarm = b.next<action::Alarm>();
  REQUIRE(alarm);
  CHECK(alarm->text.find("no good") != std::string::npos);
  b.restart();
  b.actions.clear();
  b.watch();
  b.arrive(b.record(6, 6));
  b.arrive(b.record(6, 6, 400'000));
  b.arrive(b.record(5, 5));
  b.pass(Milliseconds(600'000));
  CHECK_FALSE(b.next<action::Deliver>());
  CHECK(b.committed->record->sequence == Sequence{6});
  CHECK(b.committed->taken == b.record(5, 5).version());
  b.actions.clear();
  b.arrive(b.record(7, 7));
  b.fetched();
  CHECK(b.delivered().previous == cid(5));
}

TEST_CASE("a higher sequence with the value that was refused is refused along with it") {
  Bench b;
  rejected(b);
  b.arrive(b.record(7, 6, 60));
  b.pass(Milliseconds(3'600'000));
  // It went stale, and is good again.
  b.arrive(b.record(7, 6));
  const auto stale = b.next<action::Deliver>();
  REQUIRE(stale);
  CHECK(stale->change.kind == ChangeKind::stale);
  b.feed(input::Handled{kName, stale->job, {}});
  b.pass(Milliseconds(3'600'000));
  CHECK_FALSE(b.next<action::Deliver>());
}

TEST_CASE("when a version that was refused expires, the handler is told about what it has") {
  Bench b;
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6, 600));
  b.fetched();
  b.delivered();
  answer(b, Handled::reject("no good"));
  b.pass(Milliseconds(700'000));
  const Change stale = b.delivered();
  CHECK(stale.kind == ChangeKind::stale);
  CHECK(stale.sequence == Sequence{5});
  CHECK(stale.cid == cid(5));
}

TEST_CASE("who refused all there was is not told that it expired") {
  Bench b;
  b.watch();
  b.finish(*b.next<action::Resolve>(), b.record(5, 5, 600));
  b.fetched();
  b.delivered();
  answer(b, Handled::reject("no good"));
  b.pass(Milliseconds(700'000));
  CHECK_FALSE(b.next<action::Deliver>());
}

TEST_CASE("a provisional value that was refused is neither confirmed nor withdrawn") {
  EngineOptions options;
  options.confirm = Confirm::trusted;
  for (const uint8_t proved : {6, 7}) {
    Bench b(options);
    b.settled_at(5, 5);
    b.feed(b.news(6, 6));
    b.fetched();
    const Change change = b.delivered();
    REQUIRE(change.kind == ChangeKind::provisional);
    answer(b, Handled::reject("no good"));
    b.arrive(b.record(6, proved));
    if (proved == 7) {
      b.fetched();
      const Change next = b.delivered();
      CHECK(next.kind == ChangeKind::change);
      CHECK(next.previous == cid(5));
    }
    b.pass(Milliseconds(600'000));
    CHECK_FALSE(b.next<action::Deliver>());
  }
}

TEST_CASE("who pulls gets the newest, once, and the next when he has acknowledged it (S0-54)") {
  Bench b;
  b.pulls = true;
  b.watch();
  b.finish(*b.next<action::Resolve>(), b.record(5, 5));
  b.fetched();
  CHECK(b.next<action::Offer>()->there);
  CHECK_FALSE(b.next<action::Deliver>());
  b.arrive(b.record(6, 6));
  CHECK_FALSE(b.next<action::Offer>()->there);
  b.feed(input::Take{kName});
  CHECK_FALSE(b.next<action::Offer>()->there);
  b.fetched();
  CHECK(b.next<action::Offer>()->there);
  b.feed(input::Take{kName});
  CHECK(b.delivered().sequence == Sequence{6});
  b.arrive(b.record(7, 7));
  b.fetched();
  CHECK_FALSE(b.next<action::Offer>());
  b.feed(input::Take{kName});
  CHECK_FALSE(b.next<action::Offer>()->there);
  b.acknowledge();
  CHECK(b.next<action::Offer>()->there);
  b.feed(input::Take{kName});
  CHECK(b.delivered().previous == cid(6));
}

TEST_CASE("who took a change and does not acknowledge it in time gets it again (S0-54)") {
  EngineOptions options;
  options.handler_timeout = Milliseconds(5'000);
  Bench b(options);
  b.pulls = true;
  b.watch();
  b.finish(*b.next<action::Resolve>(), b.record(5, 5));
  b.fetched();
  b.pass(std::chrono::hours(1));
  CHECK_FALSE(b.next<action::Revoke>());  // nobody has it yet
  b.actions.clear();
  b.feed(input::Take{kName});
  CHECK(b.delivered().attempt == 1);
  b.pass(Milliseconds(4'999));
  CHECK_FALSE(b.next<action::Revoke>());
  b.pass(Milliseconds(1));
  const auto revoke = b.next<action::Revoke>();
  REQUIRE(revoke);
  CHECK(revoke->job == b.last_delivery);
  answer(b, fail(Errc::timeout, "late"));
  b.pass(Milliseconds(1'000));
  CHECK(b.next<action::Offer>()->there);
  b.feed(input::Take{kName});
  CHECK(b.delivered().attempt == 2);
}

namespace {

struct NoBlocks : BlockSource {
  Result<std::optional<Bytes>> get(const Cid&) override { return std::optional<Bytes>(); }
};

}  // namespace

TEST_CASE("a validator sees every value before a hand-over that carries it, and nothing else") {
  NoBlocks blocks;
  bool good = true;
  int seen = 0;
  int handed = 0;
  const OnChange handler = validated(
      [&](const Change&, BlockSource&) -> Status {
        ++seen;
        return good ? Status{} : fail(Errc::invalid, "no good");
      },
      [&](const Change&) { ++handed; }, blocks);
  for (const auto kind : {ChangeKind::change, ChangeKind::confirmed, ChangeKind::provisional,
                          ChangeKind::conflict, ChangeKind::refresh}) {
    seen = handed = 0;
    good = true;
    CHECK(handler({.kind = kind, .name = kName}).is_applied());
    good = false;
    const Handled refused = handler({.kind = kind, .name = kName});
    CHECK(refused.is_reject());
    CHECK(refused.why().message == "no good");
    CHECK(seen == 2);
    CHECK(handed == 1);
  }
  for (const auto kind : {ChangeKind::stale, ChangeKind::withdrawn, ChangeKind::lost}) {
    seen = handed = 0;
    CHECK(handler({.kind = kind, .name = kName}).is_applied());
    CHECK(seen == 0);
    CHECK(handed == 1);
  }
}

TEST_CASE("a validator that throws has refused nothing: it is asked again") {
  NoBlocks blocks;
  bool handed = false;
  const OnChange handler = validated(
      [](const Change&, BlockSource&) -> Status { throw std::runtime_error("no memory"); },
      [&](const Change&) { handed = true; }, blocks);
  const Handled what = handler({.name = kName});
  CHECK(what.verdict() == Handled::Verdict::retry);
  CHECK(what.why().message == "its validator threw: no memory");
  CHECK_FALSE(handed);
}
