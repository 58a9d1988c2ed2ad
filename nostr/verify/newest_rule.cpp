#include "ipnscast/nostr/verify/newest_rule.h"

namespace ipnscast::nostr {

// Two generations, as in VerifiedSet.
struct NewestRule::Marks {
  struct Delivered {
    Event event;
    std::optional<Claim> claim;
    bool is_read = false;  // `claim` is that of `event`
  };
  struct Mark {
    std::optional<Delivered> delivered;
    std::optional<Event> on_its_way;
  };
  using Generation = std::map<Address, Mark>;

  Mark* find(const Address& address) {
    if (const auto it = young.find(address); it != young.end()) return &it->second;
    if (const auto it = old.find(address); it != old.end()) return &it->second;
    return nullptr;
  }
  // The address's mark among the young, new or brought over.
  Mark& renew(const Address& address, size_t half) {
    if (const auto it = young.find(address); it != young.end()) return it->second;
    if (young.size() >= half) {
      old = std::move(young);
      young.clear();
    }
    if (auto known = old.extract(address)) return young.insert(std::move(known)).position->second;
    return young[address];
  }

  Generation young;
  Generation old;
};

NewestRule::NewestRule(ClaimedSequence sequence, std::shared_ptr<const FilterSet> filters,
                       size_t max_addresses)
    : sequence_(std::move(sequence)),
      filters_(std::move(filters)),
      half_(std::max<size_t>(1, max_addresses / 2)),
      marks_(std::make_unique<Marks>()) {}

NewestRule::~NewestRule() = default;

std::optional<Address> NewestRule::address(const Event& event) const {
  return filters_->matches(event) ? address_of(event) : std::nullopt;
}

std::optional<NewestRule::Claim> NewestRule::claim(const Event& event) const {
  const auto sequence = sequence_(event);
  if (!sequence) return std::nullopt;
  return Claim{event.created_at, *sequence};
}

std::optional<NewestRule::Claim> NewestRule::delivered_claim(const Address& address,
                                                             UnixSeconds from) {
  std::lock_guard lock(mutex_);
  auto* const mark = marks_->find(address);
  if (mark == nullptr || !mark->delivered) return std::nullopt;
  auto& delivered = *mark->delivered;
  if (delivered.event.created_at < from) return std::nullopt;
  if (!delivered.is_read) {
    delivered.claim = claim(delivered.event);
    delivered.is_read = true;
  }
  return delivered.claim;
}

void NewestRule::verified(const Address& address, const Event& event) {
  std::lock_guard lock(mutex_);
  auto& [delivered, on_its_way] = marks_->renew(address, half_);
  if (on_its_way && event.created_at < on_its_way->created_at) return;
  on_its_way = event;
}

void NewestRule::delivered(const Event& event) {
  const auto address = address_of(event);
  if (!address) return;
  std::lock_guard lock(mutex_);
  auto* const mark = marks_->find(*address);
  if (mark == nullptr || !mark->on_its_way || mark->on_its_way->id != event.id) return;
  const bool newer = !mark->delivered || mark->delivered->event.created_at <= event.created_at;
  if (newer) mark->delivered = Marks::Delivered{std::move(*mark->on_its_way), {}, false};
  mark->on_its_way.reset();
}

void NewestRules::set(const SubscriptionId& id, std::shared_ptr<NewestRule> rule) {
  std::lock_guard lock(mutex_);
  rules_.insert_or_assign(id, std::move(rule));
}

void NewestRules::remove(const SubscriptionId& id) {
  std::lock_guard lock(mutex_);
  rules_.erase(id);
}

std::shared_ptr<NewestRule> NewestRules::find(const SubscriptionId& id) const {
  std::lock_guard lock(mutex_);
  const auto it = rules_.find(id);
  return it == rules_.end() ? nullptr : it->second;
}

bool NewestRules::empty() const {
  std::lock_guard lock(mutex_);
  return rules_.empty();
}

}  // namespace ipnscast::nostr
