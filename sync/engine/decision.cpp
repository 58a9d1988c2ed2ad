#include "ipnscast/sync/engine/decision.h"

namespace ipnscast::sync {
namespace {

bool same_root(const Cid& cid, const KnownRecord& record) {
  return root_of(record.value) == cid.as_v1();
}

RecordDecision conflict(const Known& known, const KnownRecord& record) {
  const bool arrived_wins = wins_over(record, *known.record);
  const auto& loser = arrived_wins ? known.record->value : record.value;
  RecordDecision out;
  if (!arrived_wins && known.loser == loser) return out;
  out.row = arrived_wins ? Row::conflict_won : Row::conflict_lost;
  if (known.flips_last_hour >= kConflictFlipsPerHour) out.row = Row::conflict_alarm;
  out.adopt = arrived_wins;
  out.notify = ChangeKind::conflict;
  out.other_value = loser;
  out.flip = true;
  return out;
}

ChangeKind expiry_kind(ExpiredPolicy policy) {
  return policy == ExpiredPolicy::reject ? ChangeKind::withdrawn : ChangeKind::stale;
}

}  // namespace

std::string_view to_string(Row row) {
  switch (row) {
    case Row::confirmed:
      return "confirmed";
    case Row::same_value:
      return "same_value";
    case Row::first_contact:
      return "first_contact";
    case Row::refresh:
      return "refresh";
    case Row::duplicate:
      return "duplicate";
    case Row::rollback:
      return "rollback";
    case Row::conflict_won:
      return "conflict_won";
    case Row::conflict_lost:
      return "conflict_lost";
    case Row::conflict_alarm:
      return "conflict_alarm";
    case Row::stale:
      return "stale";
    case Row::trusted_claim:
      return "trusted_claim";
    case Row::stranger_claim:
      return "stranger_claim";
    case Row::over_budget:
      return "over_budget";
    case Row::own_echo:
      return "own_echo";
    case Row::too_high:
      return "too_high";
  }
  return "unknown";
}

ClaimDecision decide(const Known& known, const Claim& claim, Confirm confirm) {
  ClaimDecision out;
  if (claim.own_event) {
    out.row = Row::own_echo;
    return out;
  }
  out.new_device_id = claim.own_device;
  if (claim.sequence && claim.sequence->value > kMaxSequence) {
    out.row = Row::too_high;
    return out;
  }
  bool have_content = false;
  if (known.record) {
    if (claim.sequence && *claim.sequence < known.record->sequence) {
      out.row = Row::rollback;
      return out;
    }
    have_content = same_root(claim.cid, *known.record);
    if (have_content && claim.sequence.value_or(known.record->sequence) == known.record->sequence) {
      out.row = Row::duplicate;
      return out;
    }
  }
  if (claim.trust == Trust::stranger_over_budget) {
    out.row = Row::over_budget;
    return out;
  }
  out.resolve = true;
  if (claim.trust == Trust::stranger) {
    out.row = known.record ? Row::stranger_claim : Row::first_contact;
    return out;
  }
  out.row = known.record ? Row::trusted_claim : Row::first_contact;
  out.floor = claim.sequence;
  out.fetch = !have_content;
  // Without a claimed growth nothing says that the value is the newer one, so it waits for the
  // record.
  const bool grows = claim.sequence && (!known.record || *claim.sequence > known.record->sequence);
  out.provisional = out.fetch && grows && confirm == Confirm::trusted;
  return out;
}

RecordDecision decide(const Known& known, const KnownRecord& record, ExpiredPolicy policy,
                      UnixMillis now) {
  RecordDecision out;
  if (record.sequence.value > kMaxSequence) {
    out.row = Row::too_high;
    return out;
  }
  // One that has expired is a floor as any other.
  const auto& best = known.ahead ? known.ahead : known.record;
  if (best && record.sequence < best->sequence) {
    out.row = Row::rollback;
    return out;
  }
  if (known.record) {
    const bool same_value = record.value == known.record->value;
    if (record.sequence == known.record->sequence && same_value &&
        !wins_over(record, *known.record))
      return out;
  }
  if (expired(record, now)) {
    // Rank comes before time: one that loses says nothing about what is known.
    if (best && !wins_over(record, *best)) return out;
    out.row = Row::stale;
    out.ahead = true;
    if (!known.stale) out.notify = expiry_kind(policy);
    return out;
  }
  if (!known.record) {
    out.row = Row::first_contact;
    out.adopt = true;
    out.notify = ChangeKind::change;
    return out;
  }
  if (record.value == known.record->value) {
    out.row = record.sequence == known.record->sequence ? Row::refresh : Row::same_value;
    out.adopt = true;
    // Whoever was told that it went stale is told that it is good again; whoever had to give it up
    // gets it anew.
    if (known.stale)
      out.notify = policy == ExpiredPolicy::reject ? ChangeKind::change : ChangeKind::refresh;
    return out;
  }
  if (record.sequence == known.record->sequence) return conflict(known, record);
  out.row = Row::confirmed;
  out.adopt = true;
  out.notify = ChangeKind::change;
  return out;
}

RecordDecision decide_expiry(const Known& known, ExpiredPolicy policy, UnixMillis now) {
  RecordDecision out;
  if (!known.record || known.stale || !expired(*known.record, now)) return out;
  out.row = Row::stale;
  out.notify = expiry_kind(policy);
  return out;
}

bool disagrees(const Claim& claim, const KnownRecord& record, bool embedded) {
  const bool same_value = same_root(claim.cid, record);
  if (embedded) return !same_value || (claim.sequence && *claim.sequence != record.sequence);
  return claim.sequence == record.sequence && !same_value;
}

ProvisionalOutcome settle(const Cid& provisional, std::optional<Sequence> claimed,
                          const KnownRecord& record) {
  if (same_root(provisional, record)) return ProvisionalOutcome::confirmed;
  if (claimed && record.sequence < *claimed) return ProvisionalOutcome::open;
  return ProvisionalOutcome::withdrawn;
}

}  // namespace ipnscast::sync
