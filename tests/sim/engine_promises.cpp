// What the played handlers require of a hand-over, and what they answer.
#include "ipnscast/tests/sim/engine_world.h"

namespace ipnscast::test {

using namespace sync;

namespace {

constexpr int64_t kHandlerTimeout = 60'000;

bool is_proved(ChangeKind kind) {
  return kind == ChangeKind::change || kind == ChangeKind::conflict ||
         kind == ChangeKind::confirmed || kind == ChangeKind::refresh;
}

}  // namespace

void EngineWorld::act(action::Deliver& a) {
  ++deliveries_;
  auto& truth = truth_.at(a.name);
  truth.offered = a.job;
  require(a.pulled == pulls(a.name) && a.pulled == truth.taking,
          "what is pulled is given to who asks for it, and to nobody else");
  const auto& change = a.change;
  const auto& committed = truth.committed;
  switch (change.kind) {
    case ChangeKind::change:
    case ChangeKind::conflict:
    case ChangeKind::confirmed:
    case ChangeKind::refresh: {
      const bool proved =
          std::any_of(truth.records.begin(), truth.records.end(), [&](const auto& record) {
            return record.sequence == change.sequence && record.value == change.value;
          });
      require(proved, "nothing unverified is handed over: a record must exist");
      const bool newest = committed.record && committed.record->sequence == change.sequence &&
                          committed.record->value == change.value && committed.owed == change.kind;
      const bool older = !newest && (change.replay || every_version(a.name));
      require(truth.fetched.contains(change.value) || (older && !change.cid),
              "nothing is handed over before its content is here");
      require(newest || (older && truth.noted.number_of(change)),
              "a change is committed before it is handed over");
      require(!truth.refused.contains({change.sequence, change.value}),
              "what was refused is not offered again");
      check_order(truth, change);
      break;
    }
    case ChangeKind::provisional:
      require(truth.claimed.contains(change.value),
              "provisional values come from trusted authors only");
      require(truth.fetched.contains(change.value), "provisional content is verified too");
      require(committed.provisional && value_of(committed.provisional->cid) == change.value,
              "a provisional hand-over is committed first, so that a crash cannot leave it open");
      break;
    case ChangeKind::withdrawn:
    case ChangeKind::lost:  // no name is written here
      break;
    case ChangeKind::stale:
      require(!truth.refused.contains({change.sequence, change.value}),
              "what was refused is not spoken of again");
      break;
  }
  require(!change.previous || !refuses(value_of(*change.previous)),
          "previous never names what was refused");
  const int64_t took = chance(odds.hang) ? kHandlerTimeout : 300;
  if (a.pulled && took == kHandlerTimeout) return;  // it is revoked
  const Handled handled =
      took == kHandlerTimeout ? Handled(fail(Errc::timeout, "it hangs")) : handle(change);
  later(took / 300, took, [this, a, handled] {
    auto& known = truth_.at(a.name);
    // Of one name a call begins when the one before has ended.
    const bool last = !known.offered || known.offered == a.job;
    if (last && handled.is_applied() && is_proved(a.change.kind) && !a.change.replay) {
      known.handled = a.change.value;
      known.taken = std::max(known.taken, known.noted.number_of(a.change).value_or(0));
    }
    // Once nobody watches, what a handler says is not heard.
    if (known.offered == a.job && handled.is_reject() && is_proved(a.change.kind))
      known.refused.emplace(a.change.sequence, a.change.value);
    feed(input::Handled{a.name, a.job, handled});
  });
}

void EngineWorld::check_order(Truth& truth, const Change& change) {
  const auto number = truth.noted.number_of(change);
  const auto* row = engine_->find(change.name);
  if (change.replay) {
    ++replayed_;
    require(number && row != nullptr && row->replay && *number >= row->replay->next &&
                *number <= row->replay->last,
            "a replay hands over what it was asked for, in order");
    return;
  }
  require(row == nullptr || !row->replay, "what is new waits until the replay is over");
  require(!truth.last_sequence || *truth.last_sequence <= change.sequence,
          "a lower sequence than handed over before is never handed over (R11)");
  truth.last_sequence = change.sequence;
  if (!every_version(change.name) || !number) return;
  if (*number < truth.noted.newest()) ++older_;
  const auto refused = [&](const HeardVersion& one) { return refuses(one.version.value); };
  require(truth.noted.none_between(truth.taken, *number, truth.handled, refused),
          "every version that was heard is handed over, in order");
}

// A value that is refused is refused by everybody and always; the rest is chance.
Handled EngineWorld::handle(const Change& change) {
  const bool carries = is_proved(change.kind) || change.kind == ChangeKind::provisional;
  if (carries && refuses(change.value)) return Handled::reject("no good");
  if (!chance(odds.failure)) return {};
  switch (roll(3)) {
    case 0:
      return Handled::retry(Milliseconds(static_cast<int64_t>(roll(20'000))));
    case 1:
      return fail(Errc::internal, "the handler threw");
    default:
      return fail(Errc::io, "handler failed");
  }
}

bool EngineWorld::refuses(const std::string& value) const {
  return std::hash<std::string>()(value) % 100 < static_cast<size_t>(odds.refused);
}

}  // namespace ipnscast::test
