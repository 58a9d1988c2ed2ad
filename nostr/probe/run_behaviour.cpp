// What becomes of several versions of one address, and who hears of them when.
#include <algorithm>

#include "ipnscast/nostr/probe/run.h"

namespace ipnscast::nostr::probe {
namespace {

const SubscriptionId kLive = "probe-live";
constexpr size_t kDeaf = 2;  // unheard events after which nobody listens on

}  // namespace

void Run::try_replacement() {
  Replacement& out = report_.replacement;
  const int64_t before = next_time_ - static_cast<int64_t>(options_.kinds.size()) - 1;
  const Event newer = next_version(place_);
  if (!author_.publish(newer, work_end_).accepted()) return;
  newest_ = newer;
  const Reading replaced = read_own(author_, filter_of(place_), newer);
  if (!replaced.complete()) return;
  out.newer_wins = replaced.has(newer);
  out.keeps_one = replaced.events.size() <= 1;

  const Event late = version(place_, {before});
  out.late_answer = author_.publish(late, work_end_).reason;
  const Reading after_late = read_own(author_, filter_of(place_), newer);
  if (!after_late.complete()) return;
  out.older_stays_away = after_late.has(newer) || !*out.newer_wins;
  if (after_late.events.size() > 1) out.keeps_one = false;
  if (!*out.keeps_one) return;  // which of several it would keep cannot be seen

  const UnixSeconds moment{next_time_++};
  std::vector<Event> tied;
  for (int i = 0; i < 4; ++i) tied.push_back(version(place_, moment));
  std::sort(tied.begin(), tied.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  const Event &lowest = tied[0], &first = tied[1], &last = tied[2], &highest = tied[3];
  for (const Event* event : {&first, &lowest, &highest, &last}) {
    if (over()) return;
    author_.publish(*event, work_end_);
  }
  newest_ = lowest;
  const Reading after_tie = read_own(author_, filter_of(place_), lowest);
  if (after_tie.has(lowest)) {
    out.tie_break = TieBreak::lowest;
  } else if (after_tie.has(highest)) {
    out.tie_break = TieBreak::highest;
  } else if (after_tie.has(first)) {
    out.tie_break = TieBreak::first;
  } else if (after_tie.has(last)) {
    out.tie_break = TieBreak::last;
  }
}

void Run::try_filters() {
  const Place other{place_.kind, d_ + "-other"};
  const Event elsewhere = next_version(other);
  if (!author_.publish(elsewhere, work_end_).accepted()) return;
  const Reading here = read_own(author_, filter_of(place_));
  const Reading there = read_own(author_, filter_of(other), elsewhere);
  if (!here.complete() || !there.complete()) return;
  report_.filters_by_d = !here.saw_others && !there.saw_others && there.has(elsewhere);
}

// A stranger where strangers are served, else the author on a second connection.
Conversation& Run::listener() {
  for (const KindAccess& access : report_.kinds) {
    if (access.kind != place_.kind) continue;
    const bool open = access.to_stranger == Access::yes || access.to_stranger == Access::with_auth;
    return open ? stranger_ : second_author_;
  }
  return second_author_;
}

void Run::try_live() {
  LiveDelivery& out = report_.live;
  Conversation& ear = listener();
  if (!ear.is_open()) {
    if (const Status opened = ear.open(work_end_); !opened) {
      out.reason = opened.error().message;
      return;
    }
  }
  const Reading stored = ear.subscribe(kLive, {filter_of(place_)}, work_end_);
  if (!stored.complete()) {
    out.reason = stored.reason.empty() ? "no answer to the REQ" : stored.reason;
    return;
  }
  for (size_t i = 0; i < options_.echoes && !over(); ++i) {
    if (i == options_.echoes / 2)
      author_.publish(next_version({place_.kind, d_ + "-other"}), work_end_);
    if (!echo(ear, kLive)) break;
  }
  out.heard_others = ear.heard_others(kLive);
  if (const auto closed = ear.closed_reason(kLive)) out.reason = *closed;
  ear.close(kLive);
}

// Publishes a version and waits for it at the listener. False when there is no point in going on.
bool Run::echo(Conversation& ear, const SubscriptionId& id) {
  LiveDelivery& out = report_.live;
  const Event event = next_version(place_);
  const Instant sent = author_.send(event);
  const PublishAnswer answer = author_.answer_to(event, sent, work_end_);
  if (answer.state == PublishAnswer::State::refused) {
    if (reason_prefix(answer.reason) == "rate-limited") ++report_.rate_limited;
    return false;
  }
  if (answer.accepted()) newest_ = event;
  ++out.published;
  const auto heard = ear.wait_live(id, event.id, work_end_);
  if (heard) {
    ++out.heard;
    out.echo.samples.push_back(std::chrono::duration_cast<Took>(*heard - sent));
  } else if (over()) {
    --out.published;  // it may yet have come
  }
  return author_.is_open() && out.published - out.heard < kDeaf;
}

void Run::try_negentropy() {
  Filter filter = filter_of(place_);
  filter.tags.clear();
  if (!newest_) return;
  const Reconciled answer = author_.reconcile(filter, newest_->id, work_end_);
  if (answer.result == Negentropy::silent && over()) return;
  report_.negentropy = answer.result;
  report_.negentropy_reason = answer.reason;
}

void Run::read_back() {
  if (!newest_) return;
  author_.pause(std::min(work_end_, last_written_ + options_.read_back));
  if (over() || !second_author_.open(work_end_)) return;
  const Reading reading = read_own(second_author_, filter_of(place_), *newest_);
  if (reading.complete()) report_.kept = reading.has(*newest_);
}

}  // namespace ipnscast::nostr::probe
