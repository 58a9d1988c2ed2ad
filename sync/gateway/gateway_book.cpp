#include "sync/gateway/gateway_book.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace ipnscast::sync::gateway {
namespace {

constexpr Milliseconds kLeastHedge{20};
constexpr Milliseconds kLeastPause{75};
constexpr Milliseconds kMostPause{1'000};

// Scheme, host and port.
std::string host_of(const std::string& url) {
  const size_t start = url.find("://");
  if (start == std::string::npos) return url;
  return url.substr(0, url.find('/', start + 3));
}

}  // namespace

GatewayBook::GatewayBook(std::vector<Entry> entries, BreakerOptions options)
    : entries_(std::move(entries)) {
  for (const Entry& entry : entries_) {
    learned_.push_back({std::nullopt, Breaker(options), {}, {}, host_of(entry.endpoint.url)});
  }
}

std::optional<Dialects> GatewayBook::dialects(size_t gateway) const {
  std::lock_guard lock(mutex_);
  return learned_[gateway].dialects;
}

void GatewayBook::set_dialects(size_t gateway, Dialects dialects) {
  std::lock_guard lock(mutex_);
  learned_[gateway].dialects = dialects;
}

bool GatewayBook::admit(size_t gateway, Instant now) {
  std::lock_guard lock(mutex_);
  const auto host = hosts_closed_until_.find(learned_[gateway].host);
  if (host != hosts_closed_until_.end() && now < host->second) return false;
  return learned_[gateway].breaker.admit(now);
}

bool GatewayBook::left_alone(size_t gateway, Instant now) const {
  std::lock_guard lock(mutex_);
  const auto host = hosts_closed_until_.find(learned_[gateway].host);
  return (host != hosts_closed_until_.end() && now < host->second) ||
         learned_[gateway].breaker.open(now);
}

void GatewayBook::report(size_t gateway, const Status& outcome, Instant now, Seconds retry_after) {
  std::lock_guard lock(mutex_);
  Learned& learned = learned_[gateway];
  if (outcome) return learned.breaker.succeeded();
  switch (outcome.error().code) {
    case Errc::not_found:
    case Errc::unsupported:
      return learned.breaker.succeeded();
    case Errc::cancelled:
    case Errc::closed:
      return learned.breaker.abandoned();
    case Errc::busy: {
      learned.breaker.abandoned();
      Instant& until = hosts_closed_until_[learned.host];
      until = std::max(until, now + std::clamp(retry_after, Seconds(1), Seconds(3600)));
      return;
    }
    default:
      learned.breaker.failed(now);
      if (learned.breaker.open(now)) learned.dialects.reset();
  }
}

void GatewayBook::report_lie(size_t gateway, Instant now) {
  std::lock_guard lock(mutex_);
  learned_[gateway].breaker.trip(now);
}

void GatewayBook::note_latency(size_t gateway, Milliseconds took) {
  std::lock_guard lock(mutex_);
  learned_[gateway].latency.note(took);
}

void GatewayBook::note_connected(size_t gateway, Milliseconds took) {
  if (took.count() <= 0) return;
  std::lock_guard lock(mutex_);
  Milliseconds& least = learned_[gateway].connected;
  least = least.count() == 0 ? took : std::min(least, took);
}

std::vector<size_t> GatewayBook::by_latency() const {
  std::vector<size_t> order(entries_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::lock_guard lock(mutex_);
  const auto rank = [&](size_t i) {
    const Learned& learned = learned_[i];
    return std::tuple(entries_[i].tier, learned.breaker.failing(), learned.latency.empty(),
                      learned.latency.median(), i);
  };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
  return order;
}

Milliseconds GatewayBook::hedge_delay(size_t gateway, Milliseconds unknown) const {
  std::lock_guard lock(mutex_);
  const Latency& latency = learned_[gateway].latency;
  if (!latency.empty()) return std::max(latency.p95(), kLeastHedge);
  Milliseconds least = unknown;
  for (const Learned& other : learned_) {
    if (!other.latency.empty() && !other.breaker.failing())
      least = std::min(least, 2 * other.latency.p95());
  }
  return std::max(least, kLeastHedge);
}

// Once an answer flows, what lies between two pieces of it is round trips, not the work of finding
// it.
Milliseconds GatewayBook::pause_limit(size_t gateway, Milliseconds first_byte) const {
  std::lock_guard lock(mutex_);
  const Milliseconds connected = learned_[gateway].connected;
  const Milliseconds expected = connected.count() > 0 ? 4 * connected : first_byte;
  return std::clamp(expected, kLeastPause, kMostPause);
}

}  // namespace ipnscast::sync::gateway
