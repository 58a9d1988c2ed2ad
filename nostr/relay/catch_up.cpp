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
  newest_.reset();
  page_filter_ = pages_ = empty_pages_ = got_ = 0;
  until_.reset();
  before_.reset();
  stopped_at_.reset();
  crowds_.clear();
  pieces_.clear();
  in_part_at_.reset();
  begin_answer();
  given_up_for_.clear();
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
  count_ = at_oldest_ = dropped_ = bytes_ = 0;
}

void CatchUp::took(UnixSeconds created_at, size_t bytes, UnixSeconds now, bool in_page) {
  const UnixSeconds seen = std::min(created_at, now);
  if (phase_ == Phase::complete) {
    covered_ = std::max(covered_.value_or(seen), seen);
    return;
  }
  newest_ = std::max(newest_.value_or(seen), seen);
  if (reconciling()) return;
  // While pages come, what comes live beside them is no part of their answer.
  if (in_page != by_pages()) return;
  ++count_;
  bytes_ += bytes;
  if (!oldest_ || created_at < *oldest_) at_oldest_ = 0;
  oldest_ = std::min(oldest_.value_or(created_at), created_at);
  at_oldest_ += created_at == *oldest_;
}

void CatchUp::dropped(std::optional<UnixSeconds> claimed, size_t bytes, bool in_page) {
  if (in_page != by_pages()) return;
  ++dropped_;
  bytes_ += bytes;
  if (claimed) oldest_dropped_ = std::min(oldest_dropped_.value_or(*claimed), *claimed);
}

// How many events of the answer's filters there can be at most.
size_t CatchUp::wanted() const {
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
  if (phase_ == Phase::settling) return kAll;
  size_t out = 0;
  for (size_t i = 0; i < asked_.size(); ++i) {
    if (phase_ == Phase::paging && i != page_filter_) continue;
    const Filter& filter = asked_[i];
    if (!filter.limit && filter.ids.empty()) return kAll;
    const size_t ids = filter.ids.empty() ? kAll : filter.ids.size();
    out += std::min<size_t>(
        ids, filter.limit ? *filter.limit - std::min<size_t>(*filter.limit, got_) : kAll);
  }
  return out;
}

bool CatchUp::cut_short(EoseHint hint) const {
  if (hint == EoseHint::finish || count_ >= wanted()) return false;
  if (hint == EoseHint::more) return true;
  return count_ + dropped_ >= limit_ || bytes_ >= options_->least_bytes;
}

// What comes from further back shows that the answer before was cut short.
void CatchUp::note_stop() {
  if (before_ && oldest_ && until_ && *oldest_ < *until_)
    stopped_at_ = std::min(stopped_at_.value_or(*before_), *before_);
}

std::optional<Filter> CatchUp::ended(bool in_page, UnixSeconds now, EoseHint hint) {
  if (in_page != by_pages()) return std::nullopt;
  if (phase_ == Phase::settling) return piece_ended(now, hint);
  if (phase_ != Phase::requested && phase_ != Phase::paging) return std::nullopt;
  const bool more = !asked_.empty() && cut_short(hint);
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
  } else {
    note_stop();
    if (!more) {
      next_filter();
      return next_page(now);
    }
  }
  // A cut answer that leads nowhere: forgeries and the like. What they claim about their time is
  // followed for a while, for relays that check nothing and store what somebody made up.
  empty_pages_ = count_ > 0 ? 0 : empty_pages_ + 1;
  if (!oldest_) oldest_ = oldest_dropped_;
  if (count_ + dropped_ == 0) return give_up("says that it has more, and sends nothing");
  if (!oldest_ || empty_pages_ > options_->max_empty_pages)
    return give_up("sends too many events that do not verify or were not asked for");
  return next_page(now);
}

void CatchUp::next_filter() {
  ++page_filter_;
  got_ = 0;
  until_.reset();
  before_.reset();
  begin_answer();
}

std::optional<Filter> CatchUp::next_page(UnixSeconds now) {
  while (page_filter_ < asked_.size()) {
    const Filter& filter = asked_[page_filter_];
    std::optional<UnixSeconds> next = oldest_;
    got_ += count_ - at_oldest_;
    if (next && until_ && *next >= *until_) {
      if (*next == *until_) note_crowd(filter, *until_);
      got_ += at_oldest_;
      next = UnixSeconds{until_->value - 1};
    }
    const bool below = next && filter.since && *next < *filter.since;
    if (wanted() == 0 || below || (next && next->value < 0)) {
      next_filter();
      continue;
    }
    if (++pages_ > options_->max_pages) return give_up("always has more");
    if (next) before_ = count_ + dropped_;
    until_ = filter.until;
    if (next && (!until_ || *next < *until_)) until_ = next;
    return same_page();
  }
  if (crowds_.empty()) {
    finish(now);
  } else {
    phase_ = Phase::settling;
  }
  return std::nullopt;
}

std::optional<Filter> CatchUp::same_page() {
  if (phase_ == Phase::settling && !pieces_.empty()) {
    begin_answer();
    return pieces_.back();
  }
  if (phase_ != Phase::paging || page_filter_ >= asked_.size()) return std::nullopt;
  begin_answer();
  Filter page = asked_[page_filter_];
  page.until = until_;
  if (page.limit) page.limit = static_cast<uint32_t>(wanted());
  return page;
}

void CatchUp::finish(UnixSeconds now) {
  phase_ = Phase::complete;
  asked_ = {};
  if (deep_) deep_at_ = now;
  covered_ = std::max(covered_.value_or(UnixSeconds{0}), newest_.value_or(UnixSeconds{0}));
}

// The mark stays where it was.
std::optional<Filter> CatchUp::give_up(std::string why) {
  phase_ = Phase::given_up;
  asked_ = {};
  crowds_.clear();
  pieces_.clear();
  given_up_for_ = std::move(why);
  return std::nullopt;
}

}  // namespace ipnscast::nostr
