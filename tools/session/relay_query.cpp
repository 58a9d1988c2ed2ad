#include "ipnscast/tools/session/relay_query.h"

#include <map>

#include "ipnscast/nostr/base/inbox.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kWaiting = 1000;         // events that may wait to be printed
constexpr Milliseconds kLookAround{100};  // between looks at relays that do not answer

}  // namespace

struct RelayQuery::Impl {
  explicit Impl(RelayQueryOptions wanted) : options(std::move(wanted)) {}

  // A relay that failed, as far as this query is concerned.
  static std::optional<Error> failure(const nostr::RelayStatus& status);
  // Why it has not sent all it has.
  static std::string lateness(const nostr::RelayStatus& status);
  void look_at(const std::vector<nostr::RelayStatus>& relays);
  void note(const nostr::PoolEose& eose);
  RelayQueryEnd end(const std::vector<nostr::RelayStatus>& relays) const;
  bool complete() const { return !options.follow && settled.size() == total; }

  const RelayQueryOptions options;
  Inbox<nostr::PoolMessage> inbox{kWaiting};
  // of the thread that runs the query
  std::map<nostr::RelayUrl, std::optional<Error>> settled;  // nothing: has sent everything
  std::map<nostr::RelayUrl, Error> incomplete;              // settled or not
  size_t total = 0;
};

std::optional<Error> RelayQuery::Impl::failure(const nostr::RelayStatus& status) {
  if (!status.connected && !status.last_error.empty())
    return Error{Errc::unreachable, status.last_error};
  for (const auto& [key, subscription] : status.subscriptions) {
    if (subscription.state == nostr::SubscriptionState::refused)
      return Error{Errc::refused, subscription.reason};
  }
  return std::nullopt;
}

void RelayQuery::Impl::look_at(const std::vector<nostr::RelayStatus>& relays) {
  total = relays.size();
  for (const auto& status : relays) {
    if (settled.contains(status.url)) continue;
    if (auto failed = failure(status)) settled.emplace(status.url, std::move(*failed));
  }
}

std::string RelayQuery::Impl::lateness(const nostr::RelayStatus& status) {
  if (!status.connected) return "no connection yet";
  for (const auto& [key, subscription] : status.subscriptions) {
    if (subscription.state == nostr::SubscriptionState::live) continue;
    const std::string state(nostr::to_string(subscription.state));
    return subscription.reason.empty() ? state : state + ": " + subscription.reason;
  }
  return "has not sent all it has";
}

void RelayQuery::Impl::note(const nostr::PoolEose& eose) {
  using Kind = nostr::StoredEnd::Kind;
  incomplete.erase(eose.relay);
  if (eose.end.kind == Kind::complete) {
    settled.insert_or_assign(eose.relay, std::nullopt);
    return;
  }
  const Error error{Errc::refused, "incomplete: " + eose.end.reason};
  incomplete.insert_or_assign(eose.relay, error);
  if (eose.end.kind == Kind::incomplete) settled.insert_or_assign(eose.relay, error);
}

RelayQueryEnd RelayQuery::Impl::end(const std::vector<nostr::RelayStatus>& relays) const {
  RelayQueryEnd out;
  for (const auto& status : relays) {
    const auto known = settled.find(status.url);
    const auto part = incomplete.find(status.url);
    if (part != incomplete.end()) {
      out.incomplete.push_back({status.url, part->second});
    } else if (known == settled.end()) {
      out.late.push_back({status.url, {Errc::timeout, lateness(status)}});
    } else if (known->second) {
      out.failed.push_back({status.url, *known->second});
    } else {
      ++out.answered;
    }
  }
  return out;
}

RelayQuery::RelayQuery(RelayQueryOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
RelayQuery::~RelayQuery() = default;

void RelayQuery::cancel() { impl_->inbox.close(); }

Result<RelayQueryEnd> RelayQuery::run(const OnEvent& on_event) {
  Impl& query = *impl_;
  auto loop = nostr::net::Loop::start();
  if (!loop) return fail(loop.error());
  nostr::PoolOptions options;
  options.relays = query.options.relays;
  if (query.options.signer) options.signers = {query.options.signer};
  options.access = query.options.access;
  const auto pool = nostr::Pool::start(**loop, std::move(options));
  query.total = pool->status().size();
  pool->subscribe(query.options.filters, [&query](nostr::PoolMessage& message) {
    return query.inbox.try_push(std::move(message));
  });
  const Instant start = system_now().steady;
  bool timed_out = false;
  Instant look = start + kLookAround;
  while (!query.complete() && !query.inbox.closed()) {
    const Instant now = system_now().steady;
    if (query.options.deadline && now >= start + *query.options.deadline) {
      timed_out = true;
      break;
    }
    if (now >= look) {
      query.look_at(pool->status());
      look = now + kLookAround;
    }
    auto message = query.inbox.pop_until(look);
    if (!message) continue;
    if (const auto* event = std::get_if<nostr::PoolEvent>(&*message)) on_event(event->event);
    if (const auto* eose = std::get_if<nostr::PoolEose>(&*message)) query.note(*eose);
    if (query.inbox.size() == 0) pool->resume_delivery();
  }
  RelayQueryEnd end = query.end(pool->status());
  end.timed_out = timed_out;
  return end;
}

}  // namespace ipnscast::tools
