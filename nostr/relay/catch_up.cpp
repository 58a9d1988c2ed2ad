#include "ipnscast/nostr/relay/catch_up.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace ipnscast::nostr {
namespace {

constexpr int64_t kDay = 86'400;

// Of replaceable and addressable kinds only the latest exist.
bool wants_only_latest(const Filter& filter) {
  return !filter.kinds.empty() &&
         std::all_of(filter.kinds.begin(), filter.kinds.end(), [](int kind) {
           return kind_class(kind) == KindClass::addressable ||
                  kind_class(kind) == KindClass::replaceable;
         });
}

}  // namespace

void CatchUp::relay_claims(std::optional<uint64_t> limit, std::optional<uint64_t> at_most) {
  constexpr uint64_t kMostAtOnce = 10'000;
  limit_ = options_->least_limit;
  if (limit && *limit > 0) limit_ = static_cast<size_t>(std::min<uint64_t>(*limit, limit_));
  at_most_ = static_cast<size_t>(std::min(at_most.value_or(0), kMostAtOnce));
}

std::vector<Filter> CatchUp::begin(UnixSeconds now) {
  phase_ = Phase::requested;
  attempt_ = std::make_unique<Attempt>();
  std::vector<Filter>& asked = attempt_->asked;
  asked = filters();
  deep_ = !deep_at_ || std::abs(now.value - deep_at_->value) >= kDay;
  if (!covered_) return asked;
  const Seconds overlap = deep_ ? options_->deep_overlap : options_->overlap;
  for (Filter& filter : asked) {
    filter.limit.reset();  // was for the first time only
    // The whole small set is asked for again, because a device with a slow clock may have published
    // below any mark of ours.
    if (wants_only_latest(filter)) continue;
    const UnixSeconds mark{std::max<int64_t>(0, covered_->value - overlap.count())};
    if (!filter.since || *filter.since < mark) filter.since = mark;
  }
  return asked;
}

std::vector<Filter> CatchUp::begin_reconciling(UnixSeconds now) {
  begin(now);
  phase_ = Phase::reconciling;
  attempt_->asked = filters();
  for (Filter& filter : attempt_->asked) filter.limit = 1;
  return attempt_->asked;
}

void CatchUp::reconciled(UnixSeconds now) {
  if (phase_ == Phase::reconciling) finish(now);
}

void CatchUp::begin_answer() { attempt_->answer = {}; }

void CatchUp::took(UnixSeconds created_at, size_t bytes, UnixSeconds now, bool in_page) {
  const UnixSeconds seen = std::min(created_at, now);
  if (phase_ == Phase::complete) {
    covered_ = std::max(covered_.value_or(seen), seen);
    return;
  }
  if (!attempt_) return;
  attempt_->newest = std::max(attempt_->newest.value_or(seen), seen);
  if (reconciling()) return;
  // While pages come, what comes live beside them is no part of their answer.
  if (in_page != by_pages()) return;
  Answer& answer = attempt_->answer;
  ++answer.count;
  answer.bytes += bytes;
  if (!answer.oldest || created_at < *answer.oldest) answer.at_oldest = 0;
  answer.oldest = std::min(answer.oldest.value_or(created_at), created_at);
  answer.at_oldest += created_at == *answer.oldest;
}

void CatchUp::dropped(std::optional<UnixSeconds> claimed, size_t bytes, bool in_page) {
  if (!attempt_ || in_page != by_pages()) return;
  Answer& answer = attempt_->answer;
  ++answer.dropped;
  answer.bytes += bytes;
  if (claimed) answer.oldest_dropped = std::min(answer.oldest_dropped.value_or(*claimed), *claimed);
}

// How many events of the answer's filters there can be at most.
size_t CatchUp::wanted() const {
  const Attempt& attempt = *attempt_;
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
  if (phase_ == Phase::settling) return kAll;
  size_t out = 0;
  for (size_t i = 0; i < attempt.asked.size(); ++i) {
    if (phase_ == Phase::paging && i != attempt.page_filter) continue;
    const Filter& filter = attempt.asked[i];
    if (!filter.limit && filter.ids.empty()) return kAll;
    const size_t ids = filter.ids.empty() ? kAll : filter.ids.size();
    out += std::min<size_t>(
        ids, filter.limit ? *filter.limit - std::min<size_t>(*filter.limit, attempt.got) : kAll);
  }
  return out;
}

bool CatchUp::cut_short(EoseHint hint) const {
  const Answer& answer = attempt_->answer;
  if (hint == EoseHint::finish || answer.count >= wanted()) return false;
  if (hint == EoseHint::more) return true;
  return answer.count + answer.dropped >= limit_ || answer.bytes >= options_->least_bytes;
}

// What comes from further back shows that the answer before was cut short.
void CatchUp::note_stop() {
  Attempt& attempt = *attempt_;
  Answer& answer = attempt_->answer;
  if (attempt.before && answer.oldest && attempt.until && *answer.oldest < *attempt.until)
    attempt.stopped_at = std::min(attempt.stopped_at.value_or(*attempt.before), *attempt.before);
}

std::optional<Filter> CatchUp::ended(bool in_page, UnixSeconds now, EoseHint hint) {
  if (in_page != by_pages()) return std::nullopt;
  if (phase_ == Phase::settling) return piece_ended(now, hint);
  if (phase_ != Phase::requested && phase_ != Phase::paging) return std::nullopt;
  Attempt& attempt = *attempt_;
  Answer& answer = attempt_->answer;
  const bool more = !attempt.asked.empty() && cut_short(hint);
  if (phase_ == Phase::requested) {
    if (!more) {
      finish(now);
      return std::nullopt;
    }
    phase_ = Phase::paging;
    // With several filters nobody knows whose events the oldest ones are: each begins at the top.
    if (attempt.asked.size() > 1) {
      begin_answer();
      return next_page(now);
    }
  } else {
    note_stop();
    if (!more) {
      next_filter();
      return next_page(now);
    }
  }
  // A cut answer that leads nowhere: forgeries and the like. What they claim about their time is
  // followed for a while, for relays that check nothing and store what somebody made up.
  attempt.empty_pages = answer.count > 0 ? 0 : attempt.empty_pages + 1;
  if (!answer.oldest) answer.oldest = answer.oldest_dropped;
  if (answer.count + answer.dropped == 0)
    return give_up("says that it has more, and sends nothing");
  if (!answer.oldest || attempt.empty_pages > options_->max_empty_pages)
    return give_up("sends too many events that do not verify or were not asked for");
  return next_page(now);
}

void CatchUp::next_filter() {
  Attempt& attempt = *attempt_;
  ++attempt.page_filter;
  attempt.got = 0;
  attempt.until.reset();
  attempt.before.reset();
  begin_answer();
}

std::optional<Filter> CatchUp::next_page(UnixSeconds now) {
  Attempt& attempt = *attempt_;
  Answer& answer = attempt_->answer;
  while (attempt.page_filter < attempt.asked.size()) {
    const Filter& filter = attempt.asked[attempt.page_filter];
    std::optional<UnixSeconds> next = answer.oldest;
    attempt.got += answer.count - answer.at_oldest;
    if (next && attempt.until && *next >= *attempt.until) {
      if (*next == *attempt.until) note_crowd(filter, *attempt.until);
      attempt.got += answer.at_oldest;
      next = UnixSeconds{attempt.until->value - 1};
    }
    const bool below = next && filter.since && *next < *filter.since;
    if (wanted() == 0 || below || (next && next->value < 0)) {
      next_filter();
      continue;
    }
    if (++attempt.pages > options_->max_pages) return give_up("always has more");
    if (next) attempt.before = answer.count + answer.dropped;
    attempt.until = filter.until;
    if (next && (!attempt.until || *next < *attempt.until)) attempt.until = next;
    return same_page();
  }
  if (attempt.crowds.empty()) {
    finish(now);
  } else {
    phase_ = Phase::settling;
  }
  return std::nullopt;
}

std::optional<Filter> CatchUp::same_page() {
  if (!by_pages()) return std::nullopt;
  Attempt& attempt = *attempt_;
  if (phase_ == Phase::settling && !attempt.pieces.empty()) {
    begin_answer();
    return attempt.pieces.back();
  }
  if (phase_ == Phase::settling || attempt.page_filter >= attempt.asked.size()) return std::nullopt;
  begin_answer();
  Filter page = attempt.asked[attempt.page_filter];
  page.until = attempt.until;
  if (page.limit) page.limit = static_cast<uint32_t>(wanted());
  return page;
}

void CatchUp::finish(UnixSeconds now) {
  phase_ = Phase::complete;
  if (deep_) deep_at_ = now;
  covered_ = std::max(covered_.value_or(UnixSeconds{0}), attempt_->newest.value_or(UnixSeconds{0}));
  attempt_.reset();
}

// The mark stays where it was.
std::optional<Filter> CatchUp::give_up(std::string why) {
  phase_ = Phase::given_up;
  attempt_ = std::make_unique<Attempt>();
  attempt_->given_up_for = std::move(why);
  return std::nullopt;
}

}  // namespace ipnscast::nostr
