#include "ipnscast/nostr/relay/catch_up.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

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

void CatchUp::relay_claims(std::optional<uint64_t> limit) {
  limit_ = options_->least_limit;
  if (limit && *limit > 0) limit_ = static_cast<size_t>(std::min<uint64_t>(*limit, limit_));
}

std::vector<Filter> CatchUp::begin(UnixSeconds now) {
  phase_ = Phase::requested;
  newest_.reset();
  page_filter_ = pages_ = empty_pages_ = 0;
  until_.reset();
  begin_answer();
  given_up_for_ = {};
  asked_ = filters();
  deep_ = !deep_at_ || std::abs(now.value - deep_at_->value) >= kDay;
  if (!covered_) return asked_;
  const Seconds overlap = deep_ ? options_->deep_overlap : options_->overlap;
  for (Filter& filter : asked_) {
    filter.limit.reset();  // was for the first time only
    // The whole small set is asked for again, because a device with a slow clock may have published
    // below any mark of ours.
    if (wants_only_latest(filter)) continue;
    const UnixSeconds mark{std::max<int64_t>(0, covered_->value - overlap.count())};
    if (!filter.since || *filter.since < mark) filter.since = mark;
  }
  return asked_;
}

std::vector<Filter> CatchUp::begin_reconciling(UnixSeconds now) {
  begin(now);
  phase_ = Phase::reconciling;
  asked_ = filters();
  for (Filter& filter : asked_) filter.limit = 1;
  return asked_;
}

void CatchUp::reconciled(UnixSeconds now) {
  if (phase_ == Phase::reconciling) finish(now);
}

void CatchUp::begin_answer() {
  oldest_.reset();
  oldest_dropped_.reset();
  count_ = dropped_ = bytes_ = 0;
}

void CatchUp::took(UnixSeconds created_at, size_t bytes, UnixSeconds now, bool in_page) {
  const UnixSeconds seen = std::min(created_at, now);
  if (phase_ == Phase::complete) {
    covered_ = std::max(covered_.value_or(seen), seen);
    return;
  }
  newest_ = std::max(newest_.value_or(seen), seen);
  if (phase_ == Phase::reconciling) return;
  // While pages come, what comes live beside them is no part of their answer.
  if (in_page != (phase_ == Phase::paging)) return;
  ++count_;
  bytes_ += bytes;
  oldest_ = std::min(oldest_.value_or(created_at), created_at);
}

void CatchUp::dropped(std::optional<UnixSeconds> claimed, size_t bytes, bool in_page) {
  if (in_page != (phase_ == Phase::paging)) return;
  ++dropped_;
  bytes_ += bytes;
  if (claimed) oldest_dropped_ = std::min(oldest_dropped_.value_or(*claimed), *claimed);
}

bool CatchUp::cut_short() const {
  if (count_ + dropped_ < limit_ && bytes_ < options_->least_bytes) return false;
  // All that can come of a filter with ids has come.
  const bool one_filter = phase_ == Phase::paging || asked_.size() == 1;
  const Filter& filter = asked_[page_filter_];
  return !one_filter || filter.ids.empty() || count_ < filter.ids.size();
}

std::optional<Filter> CatchUp::ended(bool in_page, UnixSeconds now) {
  if (in_page != (phase_ == Phase::paging)) return std::nullopt;
  if (phase_ != Phase::requested && phase_ != Phase::paging) return std::nullopt;
  const bool more = !asked_.empty() && cut_short();
  if (phase_ == Phase::requested) {
    if (!more) {
      finish(now);
      return std::nullopt;
    }
    phase_ = Phase::paging;
    // With several filters nobody knows whose events the oldest ones are: each begins at the top.
    if (asked_.size() > 1) {
      begin_answer();
      return next_page(now);
    }
  } else if (!more) {
    next_filter();
    return next_page(now);
  }
  // A cut answer that leads nowhere: forgeries and the like. What they claim about their time is
  // followed for a while, for relays that check nothing and store what somebody made up.
  empty_pages_ = count_ > 0 ? 0 : empty_pages_ + 1;
  if (!oldest_) oldest_ = oldest_dropped_;
  if (!oldest_ || empty_pages_ > options_->max_empty_pages)
    return give_up("sends too many events that do not verify or were not asked for");
  return next_page(now);
}

void CatchUp::next_filter() {
  ++page_filter_;
  until_.reset();
  begin_answer();
}

std::optional<Filter> CatchUp::next_page(UnixSeconds now) {
  while (page_filter_ < asked_.size()) {
    const Filter& filter = asked_[page_filter_];
    std::optional<UnixSeconds> next = oldest_;
    // All of one second: there is no asking for the rest of it.
    if (next && until_ && *next >= *until_) next = UnixSeconds{until_->value - 1};
    const bool below = next && filter.since && *next < *filter.since;
    if (filter.limit || below || (next && next->value < 0)) {
      next_filter();
      continue;
    }
    if (++pages_ > options_->max_pages) return give_up("always has more");
    until_ = filter.until;
    if (next && (!until_ || *next < *until_)) until_ = next;
    return same_page();
  }
  finish(now);
  return std::nullopt;
}

std::optional<Filter> CatchUp::same_page() {
  if (phase_ != Phase::paging || page_filter_ >= asked_.size()) return std::nullopt;
  begin_answer();
  Filter page = asked_[page_filter_];
  page.until = until_;
  return page;
}

void CatchUp::finish(UnixSeconds now) {
  phase_ = Phase::complete;
  asked_ = {};
  if (deep_) deep_at_ = now;
  covered_ = std::max(covered_.value_or(UnixSeconds{0}), newest_.value_or(UnixSeconds{0}));
}

// The mark stays where it was.
std::optional<Filter> CatchUp::give_up(std::string_view why) {
  phase_ = Phase::given_up;
  asked_ = {};
  given_up_for_ = why;
  return std::nullopt;
}

}  // namespace ipnscast::nostr
