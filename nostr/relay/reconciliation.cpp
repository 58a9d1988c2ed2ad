#include "ipnscast/nostr/relay/reconciliation.h"

#include <algorithm>

namespace ipnscast::nostr {

namespace {

std::vector<NegentropySet> one_each(std::vector<NegentropySet> known, size_t count) {
  known.resize(count);
  return known;
}

}  // namespace

Reconciliation::Reconciliation(std::vector<Filter> filters, std::vector<NegentropySet> known)
    : filters_(std::move(filters)), known_(one_each(std::move(known), filters_.size())) {
  for (const NegentropySet& set : known_) {
    for (const NegentropyItem& item : set.items()) known_ids_.insert(item.id);
  }
}

Reconciliation::Step Reconciliation::open_next() {
  initiator_.reset();
  if (next_filter_ == filters_.size()) return fetch_next();
  const NegentropySet& known = known_[next_filter_];
  Filter filter = filters_[next_filter_++];
  filter.limit.reset();
  NegentropyLimits limits;
  limits.max_ids = kMaxNeed;
  initiator_.emplace(known, limits);
  Bytes message = initiator_->start();
  return Open{std::move(filter), std::move(message)};
}

Result<Reconciliation::Step> Reconciliation::answered(ByteView message) {
  if (!initiator_) return fail(Errc::parse, "negentropy: an answer to nothing");
  auto next = initiator_->receive(message);
  if (!next) return fail(next.error());
  if (*next) return Step{Reply{std::move(**next)}};
  for (const EventId& id : initiator_->need()) {
    if (known_ids_.count(id) == 0 && needed_.insert(id).second) to_fetch_.push_back(id);
  }
  if (needed_.size() > kMaxNeed) return fail(Errc::too_large, "negentropy: too much is missing");
  return open_next();
}

void Reconciliation::came(const EventId& id) { missing_.erase(id); }

Reconciliation::Step Reconciliation::fetched() {
  if (missing_.size() < asked_for_) {
    to_fetch_.insert(to_fetch_.end(), missing_.begin(), missing_.end());
  } else {
    not_given_ += missing_.size();
  }
  return fetch_next();
}

Reconciliation::Step Reconciliation::fetch_next() {
  if (to_fetch_.empty()) return Over{};
  const size_t count = std::min(kBatch, to_fetch_.size());
  Fetch out;
  out.ids.ids.assign(to_fetch_.end() - static_cast<std::ptrdiff_t>(count), to_fetch_.end());
  to_fetch_.resize(to_fetch_.size() - count);
  missing_ = {out.ids.ids.begin(), out.ids.ids.end()};
  asked_for_ = count;
  return out;
}

bool Reconciliation::accounts_for(const EventId& id) const {
  return known_ids_.count(id) != 0 || needed_.count(id) != 0;
}

}  // namespace ipnscast::nostr
