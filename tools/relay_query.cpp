#include "tools/relay_query.h"

#include <map>

#include "nostr/base/inbox.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kWaiting = 1000;         // events that may wait to be printed
constexpr Milliseconds kLookAround{100};  // between looks at relays that do not answer

}  // namespace

struct RelayQuery::Impl {
  explicit Impl(RelayQueryOptions wanted) : options(std::move(wanted)) {}

  // A relay that failed, as far as this query is concerned.
  static std::optional<Error> failure(const nostr::RelayStatus& status);
  void look_at(const std::vector<nostr::RelayStatus>& relays);
  bool complete() const { return !options.follow && settled.size() == total; }

  const RelayQueryOptions options;
  Inbox<nostr::PoolMessage> inbox{kWaiting};
  // of the thread that runs the query
  std::map<nostr::RelayUrl, std::optional<Error>> settled;  // nothing: has sent everything
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
  RelayQueryEnd end;
  Instant look = start + kLookAround;
  while (!query.complete() && !query.inbox.closed()) {
    const Instant now = system_now().steady;
    if (query.options.deadline && now >= start + *query.options.deadline) {
      end.timed_out = true;
      break;
    }
    if (now >= look) {
      query.look_at(pool->status());
      look = now + kLookAround;
    }
    auto message = query.inbox.pop_until(look);
    if (!message) continue;
    if (const auto* event = std::get_if<nostr::PoolEvent>(&*message)) on_event(event->event);
    if (const auto* eose = std::get_if<nostr::PoolEose>(&*message))
      query.settled.insert_or_assign(eose->relay, std::nullopt);
    if (query.inbox.size() == 0) pool->resume_delivery();
  }
  for (const auto& [relay, error] : query.settled) {
    if (error) {
      end.failed.push_back({relay, *error});
    } else {
      ++end.answered;
    }
  }
  return end;
}

}  // namespace ipnscast::tools
