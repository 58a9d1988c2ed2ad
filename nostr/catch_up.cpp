#include "nostr/catch_up.h"

#include <algorithm>
#include <cstdlib>

namespace ipnscast::nostr {
namespace {

// A claim above this is not believed: an answer of so many events may well have been cut short.
constexpr uint64_t kBelievedLimit = 100;
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
  limit_ = limit ? static_cast<size_t>(std::min(*limit, kBelievedLimit)) : 0;
}

std::vector<Filter> CatchUp::begin(UnixSeconds now) {
  phase_ = Phase::requested;
  newest_.reset();
  page_filter_ = pages_ = count_ = 0;
  until_.reset();
  oldest_.reset();
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

void CatchUp::took(UnixSeconds created_at, UnixSeconds now, bool in_page) {
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
  oldest_ = std::min(oldest_.value_or(created_at), created_at);
}

std::optional<Filter> CatchUp::ended(bool in_page, UnixSeconds now) {
  if (in_page != (phase_ == Phase::paging)) return std::nullopt;
  if (phase_ != Phase::requested && phase_ != Phase::paging) return std::nullopt;
  const bool cut_short = count_ >= std::max<size_t>(options_->least_limit, limit_);
  if (phase_ == Phase::requested) {
    if (!cut_short) {
      finish(now);
      return std::nullopt;
    }
    phase_ = Phase::paging;
    // With several filters nobody knows whose events the oldest ones are: each begins at the top.
    if (asked_.size() > 1) oldest_.reset();
    return next_page(now);
  }
  if (!cut_short) {
    ++page_filter_;
    until_.reset();
    oldest_.reset();
  }
  return next_page(now);
}

std::optional<Filter> CatchUp::next_page(UnixSeconds now) {
  while (page_filter_ < asked_.size()) {
    Filter page = asked_[page_filter_];
    std::optional<UnixSeconds> next = oldest_;
    // All of one second: there is no asking for the rest of it.
    if (next && until_ && *next >= *until_) next = UnixSeconds{until_->value - 1};
    const bool wanted = !page.limit && page.ids.empty();
    const bool below = next && page.since && *next < *page.since;
    if (!wanted || below || (next && next->value < 0)) {
      ++page_filter_;
      until_.reset();
      oldest_.reset();
      continue;
    }
    if (++pages_ > options_->max_pages) {
      give_up();
      return std::nullopt;
    }
    if (next && (!page.until || *next < *page.until)) page.until = next;
    until_ = page.until;
    oldest_.reset();
    count_ = 0;
    return page;
  }
  finish(now);
  return std::nullopt;
}

void CatchUp::finish(UnixSeconds now) {
  phase_ = Phase::complete;
  asked_ = {};
  if (deep_) deep_at_ = now;
  covered_ = std::max(covered_.value_or(UnixSeconds{0}), newest_.value_or(UnixSeconds{0}));
}

void CatchUp::give_up() {
  phase_ = Phase::given_up;
  asked_ = {};
}

}  // namespace ipnscast::nostr
