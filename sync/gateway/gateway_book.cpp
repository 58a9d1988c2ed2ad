#include "ipnscast/sync/gateway/gateway_book.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace ipnscast::sync::gateway {
namespace {

constexpr Milliseconds kLeastHedge{20};
constexpr Milliseconds kLeastPause{75};
constexpr Milliseconds kMostPause{1'000};

constexpr Milliseconds kLongestLieBreak{3'600'000};
constexpr int kMostLieDoublings = 12;
constexpr Milliseconds kLatencyKept{int64_t{7} * 24 * 3600 * 1000};

// What may be written down and shown of a URL: all but a user and a password.
std::string public_url(const std::string& url) {
  const size_t start = url.find("://");
  if (start == std::string::npos) return url;
  const size_t host = start + 3;
  const size_t at = url.substr(0, url.find_first_of("/?#", host)).rfind('@');
  return at == std::string::npos || at < host ? url : url.substr(0, host) + url.substr(at + 1);
}

// Scheme, host and port.
std::string book_origin(const std::string& url) {
  const size_t start = url.find("://");
  if (start == std::string::npos) return url;
  return url.substr(0, url.find('/', start + 3));
}

}  // namespace

Result<std::vector<GatewayBook::Entry>> book_entries(const std::vector<Gateway>& gateways) {
  std::vector<GatewayBook::Entry> out;
  for (const Gateway& one : gateways) {
    auto endpoint = parse_endpoint(one.url, one.authorization);
    if (!endpoint) return fail(endpoint.error());
    out.push_back({std::move(*endpoint), one.tier, one.uses});
  }
  return out;
}

GatewayBook::GatewayBook(std::vector<Entry> entries, BreakerOptions options)
    : entries_(std::move(entries)) {
  for (const Entry& entry : entries_) {
    learned_.push_back({std::nullopt,
                        std::nullopt,
                        Breaker(options),
                        {},
                        {},
                        {},
                        book_origin(entry.endpoint.url)});
  }
}

std::optional<Dialects> GatewayBook::dialects(size_t gateway) const {
  std::lock_guard lock(mutex_);
  return learned_[gateway].dialects;
}

void GatewayBook::set_dialects(size_t gateway, Dialects dialects) {
  std::lock_guard lock(mutex_);
  learned_[gateway].dialects = dialects;
  if (dialects.preconditions) learned_[gateway].preconditions = dialects.preconditions;
}

std::optional<bool> GatewayBook::offers_preconditions(size_t gateway) const {
  std::lock_guard lock(mutex_);
  return learned_[gateway].preconditions;
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

std::optional<Instant> GatewayBook::asked_back_at(size_t gateway, Instant now) const {
  std::lock_guard lock(mutex_);
  const Learned& learned = learned_[gateway];
  const auto host = hosts_closed_until_.find(learned.host);
  if (host == hosts_closed_until_.end() || host->second <= now) return std::nullopt;
  if (learned.breaker.open(host->second)) return std::nullopt;
  return host->second;
}

void GatewayBook::report(size_t gateway, const Status& outcome, Instant now, Seconds retry_after) {
  bool due = false;
  {
    std::lock_guard lock(mutex_);
    report_locked(learned_[gateway], outcome, now, retry_after);
    due = keep_due(false, now);
  }
  if (due) keep_();
}

void GatewayBook::report_locked(Learned& learned, const Status& outcome, Instant now,
                                Seconds retry_after) {
  if (outcome) {
    learned.score.answered(now);
    return learned.breaker.succeeded();
  }
  switch (outcome.error().code) {
    case Errc::not_found:
    case Errc::unsupported:
    case Errc::conflict:
      learned.score.answered(now);
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
      learned.score.failed(now);
      learned.breaker.failed(now);
      if (learned.breaker.open(now)) learned.dialects.reset();
  }
}

void GatewayBook::report_lie(size_t gateway, Instant now) {
  bool due = false;
  {
    std::lock_guard lock(mutex_);
    Learned& learned = learned_[gateway];
    learned.score.lied(now);
    const int lies =
        std::clamp(static_cast<int>(std::lround(learned.score.lies(now))), 1, kMostLieDoublings);
    const Milliseconds base = learned.breaker.open_for();
    learned.breaker.trip(now, std::max(base, std::min(kLongestLieBreak, base * (1 << (lies - 1)))));
    due = keep_due(true, now);
  }
  if (due) keep_();
}

bool GatewayBook::keep_due(bool at_once, Instant now) {
  last_seen_ = std::max(last_seen_, now);
  if (!keep_ || (!at_once && now < kept_ + keep_every_)) return false;
  kept_ = now;
  return true;
}

void GatewayBook::keep_with(std::function<void()> keep, Milliseconds every) {
  keep_ = std::move(keep);
  keep_every_ = every;
  kept_ = std::chrono::steady_clock::now();
}

std::vector<GatewayMemory> GatewayBook::memories(Now now) const {
  std::lock_guard lock(mutex_);
  std::vector<GatewayMemory> out;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Learned& learned = learned_[i];
    out.push_back({public_url(entries_[i].endpoint.url), learned.score.answers(now.steady),
                   learned.score.failures(now.steady), learned.score.lies(now.steady),
                   learned.latency.samples(), now.wall});
  }
  return out;
}

void GatewayBook::restore(const std::vector<GatewayMemory>& memories, Now now) {
  std::lock_guard lock(mutex_);
  last_seen_ = std::max(last_seen_, now.steady);
  for (const GatewayMemory& memory : memories) {
    const Milliseconds age(std::max<int64_t>(0, now.wall.value - memory.at.value));
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (public_url(entries_[i].endpoint.url) != memory.url) continue;
      learned_[i].score.restore(memory, age, now.steady);
      if (age >= kLatencyKept) continue;
      for (const Milliseconds latency : memory.latencies) learned_[i].latency.note(latency);
    }
  }
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
    const auto time = static_cast<double>(learned.latency.median().count());
    return std::tuple(learned.score.liar(last_seen_), entries_[i].tier, learned.breaker.failing(),
                      learned.latency.empty(), time / learned.score.reliability(last_seen_), i);
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
