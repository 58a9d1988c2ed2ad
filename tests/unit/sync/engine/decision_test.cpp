#include "ipnscast/sync/engine/decision.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

constexpr UnixMillis kNow{1'790'000'000'000};

Cid cid(uint8_t tag) { return {1, 0x55, {0x12, Bytes(32, tag)}}; }

KnownRecord record(uint64_t sequence, uint8_t tag, int64_t lives_seconds = 3600, Bytes data = {1}) {
  return {
      {sequence}, value_of(cid(tag)), {kNow.value / 1000 + lives_seconds, 0}, std::move(data), {}};
}

Known knowing(KnownRecord known) {
  Known out;
  out.record = std::move(known);
  return out;
}

Claim claim(std::optional<uint64_t> sequence, uint8_t tag, Trust trust = Trust::trusted) {
  Claim out;
  out.cid = cid(tag);
  if (sequence) out.sequence = Sequence{*sequence};
  out.trust = trust;
  return out;
}

RecordDecision arrive(const Known& known, const KnownRecord& arrived,
                      ExpiredPolicy policy = ExpiredPolicy::last_good) {
  return decide(known, arrived, policy, kNow);
}

}  // namespace

TEST_CASE(
    "a newer verified record with another value is confirmed, whoever sent it (R1, S0-16, S0-36)") {
  const auto out = arrive(knowing(record(5, 1)), record(6, 2));
  CHECK(out.row == Row::confirmed);
  CHECK(out.adopt);
  CHECK(out.notify == ChangeKind::change);
}

TEST_CASE("a value that comes back with a higher sequence is a change (R13, S0-56)") {
  auto known = knowing(record(5, 1));
  known.record = record(6, 2);
  CHECK(arrive(known, record(7, 1)).notify == ChangeKind::change);
}

TEST_CASE("a higher sequence with the same value moves the state and notifies nobody") {
  const auto out = arrive(knowing(record(5, 1)), record(6, 1));
  CHECK(out.row == Row::same_value);
  CHECK(out.adopt);
  CHECK_FALSE(out.notify);
}

TEST_CASE("the known record again is a duplicate, with a later EOL a refresh") {
  const auto known = knowing(record(5, 1));
  CHECK(arrive(known, record(5, 1)).row == Row::duplicate);
  CHECK_FALSE(arrive(known, record(5, 1)).adopt);
  CHECK(arrive(known, record(5, 1, 1800)).row == Row::duplicate);
  const auto out = arrive(known, record(5, 1, 7200));
  CHECK(out.row == Row::refresh);
  CHECK(out.adopt);
  CHECK_FALSE(out.notify);
}

TEST_CASE("a lower sequence than known is a rollback, as record and as claim (R11)") {
  const auto known = knowing(record(5, 1));
  CHECK(arrive(known, record(4, 2, 1'000'000)).row == Row::rollback);
  CHECK_FALSE(arrive(known, record(4, 2)).adopt);
  CHECK(arrive(known, record(4, 2, -5)).row == Row::rollback);
  const auto out = decide(known, claim(4, 2), Confirm::trusted);
  CHECK(out.row == Row::rollback);
  CHECK_FALSE(out.resolve);
  CHECK_FALSE(out.fetch);
}

TEST_CASE(
    "two devices with the same sequence agree on the winner and both are told (R10, S0-25, "
    "S0-72)") {
  const auto early = record(5, 1, 3600);
  const auto late = record(5, 2, 7200);
  const auto here = arrive(knowing(early), late);
  CHECK(here.row == Row::conflict_won);
  CHECK(here.adopt);
  CHECK(here.notify == ChangeKind::conflict);
  CHECK(here.other_value == early.value);
  const auto there = arrive(knowing(late), early);
  CHECK(there.row == Row::conflict_lost);
  CHECK_FALSE(there.adopt);
  CHECK(there.notify == ChangeKind::conflict);
  CHECK(there.other_value == early.value);
}

TEST_CASE("with the same EOL the greater signed data wins the conflict") {
  const auto small = record(5, 9, 3600, {1, 2});
  const auto great = record(5, 1, 3600, {1, 3});
  CHECK(arrive(knowing(small), great).row == Row::conflict_won);
  CHECK(arrive(knowing(great), small).row == Row::conflict_lost);
}

TEST_CASE("a loser that was reported is not reported again") {
  auto known = knowing(record(5, 2, 7200));
  known.loser = record(5, 1).value;
  CHECK(arrive(known, record(5, 1)).row == Row::duplicate);
  CHECK(arrive(known, record(5, 3)).row == Row::conflict_lost);
}

TEST_CASE("after three flips in an hour a conflict is only an alarm, on the same winner") {
  auto known = knowing(record(5, 1));
  known.flips_last_hour = 2;
  CHECK(arrive(known, record(5, 2, 7200)).row == Row::conflict_won);
  known.flips_last_hour = 3;
  const auto out = arrive(known, record(5, 2, 7200));
  CHECK(out.row == Row::conflict_alarm);
  CHECK(out.adopt);
}

TEST_CASE(
    "an expired record of the same sequence with another value withdraws no valid one (R36)") {
  for (const auto policy : {ExpiredPolicy::last_good, ExpiredPolicy::reject}) {
    const auto out = arrive(knowing(record(5, 1)), record(5, 2, -60), policy);
    CHECK(out.row == Row::duplicate);
    CHECK_FALSE(out.adopt);
    CHECK_FALSE(out.notify);
  }
  // One that is newer does count.
  CHECK(arrive(knowing(record(5, 1)), record(6, 2, -60)).notify == ChangeKind::stale);
}

TEST_CASE(
    "an expired record that wins is a floor: told once, and undone by nothing below it (R36)") {
  const auto out = arrive(knowing(record(5, 1)), record(6, 2, -60));
  CHECK(out.ahead);
  auto known = knowing(record(4, 1));
  known.ahead = record(6, 2, -60);
  known.stale = true;
  CHECK_FALSE(arrive(known, record(6, 2, -60)).notify);
  CHECK(arrive(known, record(5, 3)).row == Row::rollback);
  CHECK(arrive(known, record(6, 2)).adopt);
  CHECK(arrive(known, record(7, 4)).adopt);
}

TEST_CASE("an expired record is reported as stale and never adopted (R22)") {
  const auto known = knowing(record(5, 1));
  const auto out = arrive(known, record(6, 2, 0));
  CHECK(out.row == Row::stale);
  CHECK_FALSE(out.adopt);
  CHECK(out.notify == ChangeKind::stale);
  CHECK(arrive(known, record(6, 2, 0), ExpiredPolicy::reject).notify == ChangeKind::withdrawn);
  CHECK_FALSE(arrive({}, record(6, 2, 0)).adopt);
}

TEST_CASE(
    "expiry of the known record is reported once, and its renewal is told to whoever heard of it") {
  auto known = knowing(record(5, 1, -1));
  CHECK(decide_expiry(known, ExpiredPolicy::last_good, kNow).notify == ChangeKind::stale);
  CHECK(decide_expiry(known, ExpiredPolicy::reject, kNow).notify == ChangeKind::withdrawn);
  known.stale = true;
  CHECK_FALSE(decide_expiry(known, ExpiredPolicy::last_good, kNow).notify);
  CHECK(arrive(known, record(5, 1, 3600)).notify == ChangeKind::refresh);
  CHECK(arrive(known, record(5, 1, 3600), ExpiredPolicy::reject).notify == ChangeKind::change);
  CHECK_FALSE(decide_expiry(knowing(record(5, 1)), ExpiredPolicy::last_good, kNow).notify);
}

TEST_CASE("first contact takes whatever sequence is there, also 0") {
  const auto out = arrive({}, record(0, 1));
  CHECK(out.row == Row::first_contact);
  CHECK(out.adopt);
  CHECK(out.notify == ChangeKind::change);
  const auto hinted = decide({}, claim(5, 1), Confirm::trusted);
  CHECK(hinted.row == Row::first_contact);
  CHECK(hinted.resolve);
  CHECK(hinted.fetch);
}

TEST_CASE(
    "a trusted claim fetches at once and resolves beside it, its number a floor for that "
    "resolution only") {
  const auto out = decide(knowing(record(5, 1)), claim(6, 2), Confirm::always);
  CHECK(out.row == Row::trusted_claim);
  CHECK(out.resolve);
  CHECK(out.floor == Sequence{6});
  CHECK(out.fetch);
  CHECK_FALSE(out.provisional);
}

TEST_CASE(
    "confirm = trusted hands a trusted claim over as provisional, but only when it claims to be "
    "newer") {
  const auto known = knowing(record(5, 1));
  CHECK(decide(known, claim(6, 2), Confirm::trusted).provisional);
  CHECK_FALSE(decide(known, claim(5, 2), Confirm::trusted).provisional);
  CHECK_FALSE(decide(known, claim({}, 2), Confirm::trusted).provisional);
  CHECK_FALSE(decide(known, claim(6, 2, Trust::stranger), Confirm::trusted).provisional);
}

TEST_CASE("the same sequence with another CID is a reason to resolve (S0-18, S0-24, S0-72)") {
  const auto known = knowing(record(5, 1));
  CHECK(decide(known, claim(5, 2), Confirm::always).resolve);
  CHECK(decide(known, claim(5, 2, Trust::stranger), Confirm::always).resolve);
}

TEST_CASE("a claim without a sequence is resolved unless its CID is the known one (S0-44, S0-52)") {
  const auto known = knowing(record(5, 1));
  CHECK(decide(known, claim({}, 1), Confirm::always).row == Row::duplicate);
  const auto out = decide(known, claim({}, 2), Confirm::always);
  CHECK(out.resolve);
  CHECK_FALSE(out.floor);
}

TEST_CASE("a stranger's claim is at most a reason to resolve, within the budget") {
  const auto known = knowing(record(5, 1));
  const auto out = decide(known, claim(6, 2, Trust::stranger), Confirm::trusted);
  CHECK(out.row == Row::stranger_claim);
  CHECK(out.resolve);
  CHECK_FALSE(out.floor);
  CHECK_FALSE(out.fetch);
  CHECK(decide(known, claim(6, 2, Trust::stranger_over_budget), Confirm::trusted).row ==
        Row::over_budget);
  CHECK_FALSE(decide(known, claim(6, 2, Trust::stranger_over_budget), Confirm::trusted).resolve);
}

TEST_CASE("the known CID with a higher claimed sequence is resolved but not fetched again") {
  const auto out = decide(knowing(record(5, 1)), claim(6, 1), Confirm::trusted);
  CHECK(out.resolve);
  CHECK_FALSE(out.fetch);
  CHECK_FALSE(out.provisional);
}

TEST_CASE("our own event that comes back triggers nothing (S0-31, S0-35)") {
  auto echo = claim(6, 2);
  echo.own_event = true;
  echo.own_device = true;
  const auto out = decide(knowing(record(5, 1)), echo, Confirm::always);
  CHECK(out.row == Row::own_echo);
  CHECK_FALSE(out.resolve);
  CHECK_FALSE(out.new_device_id);
}

TEST_CASE(
    "our key and device id under an unknown event id means a cloned state directory, and it still "
    "counts") {
  auto cloned = claim(6, 2);
  cloned.own_device = true;
  const auto out = decide(knowing(record(5, 1)), cloned, Confirm::always);
  CHECK(out.new_device_id);
  CHECK(out.row == Row::trusted_claim);
  CHECK(out.resolve);
}

TEST_CASE("a sequence of 2^63 is refused in claims and in records") {
  const auto known = knowing(record(5, 1));
  CHECK(decide(known, claim(kMaxSequence + 1, 2), Confirm::always).row == Row::too_high);
  CHECK(arrive(known, record(kMaxSequence + 1, 2)).row == Row::too_high);
  CHECK(arrive(known, record(kMaxSequence, 2)).row == Row::confirmed);
}

TEST_CASE("a record that contradicts its hint counts against the author") {
  CHECK(disagrees(claim(6, 1), record(6, 2), true));
  CHECK(disagrees(claim(7, 2), record(6, 2), true));
  CHECK_FALSE(disagrees(claim({}, 2), record(6, 2), true));
  CHECK_FALSE(disagrees(claim(6, 2), record(6, 2), true));
  CHECK(disagrees(claim(6, 1), record(6, 2), false));
  CHECK_FALSE(disagrees(claim(6, 1), record(7, 2), false));
  CHECK_FALSE(disagrees(claim({}, 1), record(7, 2), false));
}

TEST_CASE(
    "a provisional value is confirmed by a record with it and withdrawn by one that went past it") {
  CHECK(settle(cid(2), Sequence{6}, record(6, 2)) == ProvisionalOutcome::confirmed);
  CHECK(settle(cid(2), Sequence{6}, record(7, 2)) == ProvisionalOutcome::confirmed);
  CHECK(settle(cid(2), Sequence{6}, record(5, 1)) == ProvisionalOutcome::open);
  CHECK(settle(cid(2), Sequence{6}, record(6, 3)) == ProvisionalOutcome::withdrawn);
  CHECK(settle(cid(2), {}, record(5, 1)) == ProvisionalOutcome::withdrawn);
}

TEST_CASE("a value's root is found in paths and not in chains") {
  CHECK(root_of(value_of(cid(1))) == cid(1));
  CHECK(root_of(value_of(cid(1)) + "/a/b") == cid(1));
  CHECK_FALSE(root_of("/ipns/example.org"));
  CHECK_FALSE(root_of("/ipfs/"));
}
