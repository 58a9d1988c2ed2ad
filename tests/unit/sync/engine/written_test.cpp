// Names that this device writes too: one truth, and losses told before what displaced them.
#include "ipnscast/tests/unit/sync/engine/engine_bench.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

// What a writer would say.
class Written : public WriterView {
 public:
  std::optional<Truth> truth(const IpnsName&) override { return truth_; }
  bool asks(const IpnsName&) override { return std::exchange(asks_, false); }
  void saw(const IpnsName&, const KnownRecord& record, const std::string& place) override {
    seen.emplace_back(record.sequence.value, place);
    if (!truth_ || wins_over(record, truth_->record)) truth_ = Truth{record, false};
  }
  void taken_in(const IpnsName&, const KnownRecord& record) override { taken.push_back(record); }
  bool owes_report(const IpnsName&) override { return owes || report_.has_value(); }
  std::optional<LossReport> report(const IpnsName&) override { return report_; }
  bool open(const IpnsName&) override { return open_; }
  void told(const IpnsName&, const OwnPublish& ours) override {
    told_.push_back(ours.value());
    report_.reset();
    owes = false;
  }

  void published(const KnownRecord& record, bool for_followers = false) {
    truth_ = Truth{record, true, for_followers};
  }
  void lost(const KnownRecord& ours, const KnownRecord& theirs) {
    OwnPublish own;
    own.seen.record = ours;
    own.theirs = SeenRecord{theirs, std::nullopt};
    report_ = LossReport{own, ours.sequence == theirs.sequence, std::nullopt};
  }

  std::optional<Truth> truth_;
  bool owes = false;
  bool open_ = false;
  bool asks_ = false;
  std::optional<LossReport> report_;
  std::vector<std::pair<uint64_t, std::string>> seen;
  std::vector<KnownRecord> taken;
  std::vector<std::string> told_;
};

struct WrittenBench : Bench {
  explicit WrittenBench(Written& written) {
    writers = &written;
    restart();
  }
};

}  // namespace

TEST_CASE(
    "what the application published itself is known at once and not handed back to it (S0-35)") {
  Written written;
  WrittenBench b(written);
  b.settled_at(5, 5);
  const KnownRecord ours = b.record(6, 6);
  written.published(ours);
  b.feed(input::Written{kName});
  CHECK_FALSE(b.next<action::Deliver>());
  CHECK_FALSE(b.next<action::Fetch>());
  CHECK(b.committed->record == ours);
  CHECK(b.committed->handed->value == ours.value);
  CHECK(b.committed->taken == ours.version());
  // Neither when a node brings it back.
  b.arrive(ours);
  CHECK_FALSE(b.next<action::Deliver>());
  // A stranger's older word changes nothing.
  b.arrive(b.record(5, 7, 999'999));
  CHECK_FALSE(b.next<action::Deliver>());
}

TEST_CASE(
    "what somebody else published through this process is handed over, and a renewal of it is not "
    "(S0-78)") {
  Written written;
  WrittenBench b(written);
  SECTION("over what was handed over before") { b.settled_at(5, 5); }
  SECTION("as the first") { b.watch(); }
  const auto first = b.next<action::Resolve>();
  const KnownRecord theirs = b.record(6, 6);
  written.published(theirs, true);
  b.feed(input::Written{kName});
  if (first) b.finish(*first);  // it waits for what others say
  b.fetched();
  const Change change = b.delivered();
  CHECK(change.kind == ChangeKind::change);
  CHECK(change.value == theirs.value);
  // Renewed meanwhile: the same version.
  const KnownRecord renewed = b.record(6, 6, 999'999);
  written.published(renewed, true);
  b.acknowledge();
  b.feed(input::Written{kName});
  CHECK_FALSE(b.next<action::Deliver>());
  b.restart();
  b.watch();
  CHECK_FALSE(b.next<action::Deliver>());
}

TEST_CASE("what was published without a handler took no longer than since then") {
  Written written;
  WrittenBench b(written);
  b.watch(false);
  b.pass(Milliseconds(5'000));
  written.published(b.record(6, 6));
  b.feed(input::Written{kName});
  b.watch();
  b.pass(Milliseconds(80));
  b.fetched();
  const Change change = b.delivered();
  CHECK(change.sequence == Sequence{6});
  CHECK(change.timing.fetched == std::chrono::microseconds(80'000));
}

TEST_CASE("every verified record goes to the name's writer, with the place that has it") {
  Written written;
  WrittenBench b(written);
  b.settled_at(5, 5);
  written.seen.clear();
  b.arrive(b.record(4, 4));
  b.arrive(b.record(6, 6));
  CHECK(written.seen ==
        std::vector<std::pair<uint64_t, std::string>>{{4, kRelay.endpoint}, {6, kRelay.endpoint}});
}

TEST_CASE(
    "a loss is told before the change that displaced it, and the change waits for that (R33)") {
  Written written;
  WrittenBench b(written);
  b.settled_at(5, 5);
  written.taken.clear();
  const KnownRecord ours = b.record(6, 6);
  const KnownRecord theirs = b.record(7, 7);
  written.published(ours);
  b.feed(input::Written{kName});
  written.owes = true;  // not committed yet
  b.arrive(theirs);
  b.fetched();
  CHECK_FALSE(b.next<action::Deliver>());
  written.lost(ours, theirs);
  b.feed(input::Written{kName});
  const Change report = b.delivered();
  CHECK(report.kind == ChangeKind::lost);
  CHECK(report.other_value == ours.value);
  CHECK(report.value == theirs.value);
  b.refuse();
  CHECK(written.told_.empty());
  b.pass(Milliseconds(1'100));
  CHECK(b.delivered().kind == ChangeKind::lost);
  b.acknowledge();
  CHECK(written.told_ == std::vector<std::string>{ours.value});
  const Change change = b.delivered();
  CHECK(change.kind == ChangeKind::change);
  CHECK(change.value == theirs.value);
  CHECK(written.taken.empty());
  b.acknowledge();
  REQUIRE(written.taken.size() == 1);
  CHECK(written.taken.front() == theirs);
}

TEST_CASE("what an earlier run published is handed to a handler that begins") {
  Written written;
  WrittenBench b(written);
  const KnownRecord ours = b.record(6, 6);
  written.published(ours);
  b.watch();
  b.fetched();
  CHECK(b.delivered().value == ours.value);
  b.acknowledge();
  const KnownRecord next = b.record(7, 7);
  written.published(next);
  b.feed(input::Written{kName});
  CHECK_FALSE(b.next<action::Deliver>());
  CHECK(b.engine->find(kName)->handed->value == next.value);
}

TEST_CASE("a writer that begins learns what was taken in here, though the file says less (R33)") {
  Written written;
  WrittenBench b(written);
  b.settled_at(5, 5);
  b.arrive(b.record(6, 6));
  b.fetched();
  b.delivered();
  b.acknowledge();
  const KnownRecord last = b.record(6, 6);
  // It read the file before the last commit.
  written = Written();
  written.truth_ = WriterView::Truth{b.record(5, 5), true};
  written.asks_ = true;
  b.feed(input::Written{kName});
  REQUIRE(written.taken.size() == 1);
  CHECK(written.taken[0] == last);
  CHECK(written.truth_->record == last);
  CHECK(b.engine->find(kName)->record == last);
}

TEST_CASE("a conflict under one sequence is told once, with the change (R33)") {
  Written written;
  WrittenBench b(written);
  b.settled_at(5, 5);
  const KnownRecord ours = b.record(6, 6);
  const KnownRecord theirs = b.record(6, 7, 999'999);
  written.published(ours);
  b.feed(input::Written{kName});
  b.arrive(theirs);
  written.lost(ours, theirs);
  b.fetched();
  const Change change = b.delivered();
  CHECK(change.kind == ChangeKind::conflict);
  CHECK(change.other_value == ours.value);
  b.acknowledge();
  CHECK(written.told_ == std::vector<std::string>{ours.value});
  CHECK_FALSE(b.next<action::Deliver>());
}

TEST_CASE("a handler that only looks takes nothing in") {
  Written written;
  WrittenBench b(written);
  b.feed(input::Watch{kName, true, true, std::nullopt, false});
  b.finish(*b.next<action::Resolve>(), b.record(5, 5));
  b.fetched();
  b.delivered();
  b.acknowledge();
  CHECK(written.taken.empty());
  CHECK_FALSE(b.committed->taken);
  CHECK(b.committed->handed);
}

TEST_CASE("a name with something unsettled is followed without a watch, and only as long") {
  Written written;
  WrittenBench b(written);
  written.open_ = true;
  b.feed(input::Written{kName});
  CHECK_FALSE(b.next<action::Load>());
  written.open_ = false;  // it is settled before anybody has to look
  b.pass(Milliseconds(1'000));
  CHECK_FALSE(b.next<action::Load>());
  written.open_ = true;
  b.feed(input::Written{kName});
  b.pass(Milliseconds(1'000));
  CHECK(b.next<action::Load>());
  const KnownRecord ours = b.record(6, 6);
  written.published(ours);
  b.feed(input::Follow{kName, std::nullopt});
  REQUIRE(b.engine->find(kName) != nullptr);
  b.arrive(b.record(7, 7));
  CHECK(written.seen.back().first == 7);
  CHECK_FALSE(b.next<action::Fetch>());
  written.open_ = false;
  b.feed(input::Written{kName});
  CHECK(b.engine->size() == 0);
}

TEST_CASE("ours that nobody had heard of gives way to a lower record, which is handed over") {
  Written written;
  WrittenBench b(written);
  b.settled_at(5, 5);
  written.published(b.record(9, 9));
  b.feed(input::Written{kName});
  const KnownRecord theirs = b.record(6, 6);
  written.truth_ = WriterView::Truth{theirs, false};
  b.feed(input::Written{kName});
  b.fetched();
  CHECK(b.delivered().value == theirs.value);
}

TEST_CASE("a clock that was wrong for a moment withdraws nothing for good (R36)") {
  for (const auto policy : {ExpiredPolicy::last_good, ExpiredPolicy::reject}) {
    EngineOptions options;
    options.expired = policy;
    Bench b(options);
    b.settled_at(5, 5);
    b.now.wall.value += 3 * 86'400'000LL;
    b.feed(input::Tick{});
    b.pass(std::chrono::minutes(2));
    const Change gone = b.delivered();
    CHECK(gone.kind ==
          (policy == ExpiredPolicy::reject ? ChangeKind::withdrawn : ChangeKind::stale));
    b.acknowledge();
    b.now.wall.value -= 3 * 86'400'000LL;
    b.restart();
    b.watch();
    if (policy == ExpiredPolicy::reject) b.fetched();
    const Change back = b.delivered();
    CHECK(back.kind ==
          (policy == ExpiredPolicy::reject ? ChangeKind::change : ChangeKind::refresh));
    CHECK(back.value == value_of(cid(5)));
  }
}

TEST_CASE("an expired 6 and a valid 5 in turn: told once, and the valid one stays (R36)") {
  Bench b;
  b.settled_at(5, 5);
  const KnownRecord valid = b.record(5, 5);
  const KnownRecord over = b.record(6, 6, -60);
  b.arrive(over);
  CHECK(b.delivered().kind == ChangeKind::stale);
  b.acknowledge();
  for (int i = 0; i < 10; ++i) {
    b.arrive(valid);
    b.arrive(over);
    b.pass(Milliseconds(500));
  }
  CHECK_FALSE(b.next<action::Deliver>());
  CHECK(b.committed->record->sequence == Sequence{5});
  CHECK(b.committed->ahead->sequence == Sequence{6});
}
