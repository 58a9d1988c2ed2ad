#include "ipnscast/sync/hint/hint_search.h"

#include <algorithm>
#include <set>

#include "ipnscast/nostr/base/inbox.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kWaiting = 256;         // messages that may wait
constexpr Milliseconds kLookAround{50};  // between looks at relays that do not answer

}  // namespace

struct HintSearch::Impl {
  explicit Impl(nostr::Pool& p) : pool(p) {}

  bool failed(const nostr::RelayStatus& relay) const {
    if (!relay.connected) return !relay.last_error.empty();
    return std::any_of(relay.subscriptions.begin(), relay.subscriptions.end(), [&](const auto& s) {
      return s.first == key && s.second.state == nostr::SubscriptionState::refused;
    });
  }
  // All relays have answered or cannot.
  bool over() {
    const auto relays = pool.status();
    return std::all_of(relays.begin(), relays.end(), [&](const nostr::RelayStatus& relay) {
      return answered.contains(relay.url) || failed(relay);
    });
  }

  nostr::Pool& pool;
  Inbox<nostr::PoolMessage> inbox{kWaiting};
  nostr::SubscriptionKey key;
  std::set<nostr::RelayUrl> answered;
};

HintSearch::HintSearch(nostr::Pool& pool, std::vector<nostr::Filter> filters)
    : impl_(std::make_shared<Impl>(pool)) {
  impl_->key = pool.subscribe(std::move(filters), [impl = impl_](nostr::PoolMessage& message) {
    return impl->inbox.try_push(std::move(message));
  });
}

HintSearch::~HintSearch() { impl_->pool.unsubscribe(impl_->key); }

size_t HintSearch::wait(Instant end, const std::function<void(const nostr::Event&)>& on_event) {
  Instant now = std::chrono::steady_clock::now();
  while (now < end) {
    auto message = impl_->inbox.pop_until(std::min(end, now + kLookAround));
    now = std::chrono::steady_clock::now();
    if (!message) {
      if (impl_->over()) break;
      continue;
    }
    if (const auto* event = std::get_if<nostr::PoolEvent>(&*message)) on_event(event->event);
    if (const auto* eose = std::get_if<nostr::PoolEose>(&*message)) {
      impl_->answered.insert(eose->relay);
      if (impl_->over()) break;
    }
    if (impl_->inbox.size() == 0) impl_->pool.resume_delivery();
  }
  return impl_->answered.size();
}

}  // namespace ipnscast::sync
