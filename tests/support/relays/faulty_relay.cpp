#include "ipnscast/tests/support/relays/faulty_relay.h"

#include <algorithm>
#include <utility>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/nip/negentropy.h"
#include "ipnscast/nostr/nip/nip42.h"

namespace ipnscast::test {
namespace {

using namespace nostr;
using Saying = FaultyRelay::Saying;

void say(Saying& out, uint64_t to, const RelayMessage& message) {
  out.push_back({to, to_frame(message)});
}

}  // namespace

Saying FaultyRelay::opened(uint64_t who) {
  Client& client = clients_[who] = {};
  ++connections_;
  if (faults_.auth_to_write.empty() && faults_.owner_only.empty() &&
      faults_.hides_from_strangers.empty())
    return {};
  client.challenge = "challenge " + std::to_string(who);
  return {{who, to_frame(RelayMessage(AuthChallenge{client.challenge}))}};
}

Saying FaultyRelay::hears(uint64_t who, const std::string& frame) {
  Saying out;
  if (faults_.floods)
    for (int i = 0; i < 3; ++i) say(out, who, NoticeMessage{"hello"});
  const auto message = parse_client_message(frame);
  if (!message) return out;
  if (const auto* event = std::get_if<PublishRequest>(&*message)) on(who, *event, out);
  if (const auto* req = std::get_if<ReqRequest>(&*message)) on(who, *req, out);
  if (const auto* close = std::get_if<CloseRequest>(&*message)) on(who, *close, out);
  if (const auto* auth = std::get_if<AuthRequest>(&*message)) on(who, *auth, out);
  if (const auto* open = std::get_if<NegOpenRequest>(&*message)) on(who, *open, out);
  return out;
}

std::optional<std::string> FaultyRelay::refusal(const Client& client, const Event& event) const {
  if (faults_.rate_limit_every != 0 && writes_ % faults_.rate_limit_every == 0)
    return "rate-limited: slow down";
  if (faults_.refuses_kinds.contains(event.kind)) return "blocked: kind";
  if (faults_.auth_to_write.contains(event.kind) && client.authed.empty())
    return "auth-required: who are you";
  if (faults_.owner_only.contains(event.kind) && !client.authed.contains(event.pubkey))
    return client.authed.empty() ? "auth-required: who are you" : "restricted: not yours";
  if (event.content.size() > faults_.max_content) return "invalid: content too long";
  return std::nullopt;
}

void FaultyRelay::on(uint64_t who, const PublishRequest& request, Saying& out) {
  const Event& event = request.event;
  ++writes_;
  if (faults_.drops_after_writes && writes_ == 6) return out.push_back({who, ""});
  if (const auto reason = refusal(clients_[who], event))
    return say(out, who, OkMessage{event.id, false, *reason});
  before_ = stored_;
  behind_ = faults_.serves_late;
  const bool taken = !faults_.lies && store(event);
  if (!faults_.no_ok) say(out, who, OkMessage{event.id, true, taken ? "" : "duplicate: older"});
  if (!taken || faults_.deaf) return;
  for (const auto& [listener, client] : clients_) {
    for (const auto& [id, filters] : client.subscriptions) {
      if (fits(filters, event, faults_.ignores_d_live) && visible(client, event))
        say(out, listener, EventMessage{id, event});
    }
  }
}

// True when `old` stays and `event` is not taken.
bool FaultyRelay::stays(const Event& old, const Event& event) const {
  if (faults_.older_replaces) return false;
  if (old.created_at != event.created_at) return event.created_at < old.created_at;
  switch (faults_.ties) {
    case Ties::lowest:
      return old.id < event.id;
    case Ties::highest:
      return event.id < old.id;
    case Ties::first:
      return true;
    case Ties::last:
      return false;
  }
  return false;
}

bool FaultyRelay::store(const Event& event) {
  if (std::find(stored_.begin(), stored_.end(), event) != stored_.end()) return false;
  if (deleted_.contains(event.id) && !faults_.forgets_deletion) return false;
  if (event.kind == 5) {
    if (!faults_.ignores_deletion) remove(event);
    return true;
  }
  const auto address = address_of(event);
  const auto old = std::find_if(stored_.begin(), stored_.end(), [&](const Event& e) {
    return address && address_of(e) == address;
  });
  if (old == stored_.end() || faults_.keeps_versions) {
    stored_.push_back(event);
    return true;
  }
  if (stays(*old, event)) return false;
  *old = event;
  return true;
}

void FaultyRelay::remove(const Event& request) {
  for (const Tag& tag : request.tags) {
    if (tag.size() >= 2 && tag[0] == "e") {
      if (const auto id = fixed_from_hex<EventId>(tag[1], "e")) deleted_.insert(*id);
    }
  }
  std::erase_if(stored_, [&](const Event& event) {
    return event.pubkey == request.pubkey && deleted_.contains(event.id);
  });
}

bool FaultyRelay::visible(const Client& client, const Event& event) const {
  const bool restricted = faults_.hides_from_strangers.contains(event.kind);
  return !restricted || client.authed.contains(event.pubkey);
}

bool FaultyRelay::fits(std::vector<Filter> filters, const Event& event, bool ignore_d) const {
  if (ignore_d)
    for (Filter& filter : filters) filter.tags.clear();
  return matches_any(filters, event);
}

void FaultyRelay::on(uint64_t who, const ReqRequest& request, Saying& out) {
  Client& client = clients_[who];
  ++reads_;
  if (faults_.loses_after_reads && reads_ > 20) stored_.clear();
  for (const Filter& filter : request.filters) {
    for (const int kind : filter.kinds) {
      if (!faults_.owner_only.contains(kind)) continue;
      if (filter.authors.size() == 1 && client.authed.contains(filter.authors.front())) continue;
      const bool known = !client.authed.empty();
      return say(out, who,
                 ClosedMessage{request.subscription,
                               known ? "restricted: not yours" : "auth-required: who are you"});
    }
  }
  if (client.subscriptions.size() >= faults_.max_subscriptions)
    return say(out, who, ClosedMessage{request.subscription, "error: too many subscriptions"});
  client.subscriptions[request.subscription] = request.filters;
  for (Event event : std::exchange(behind_, false) ? before_ : stored_) {
    if (!fits(request.filters, event, faults_.ignores_d) || !visible(client, event)) continue;
    if (faults_.alters) event.content += "!";
    say(out, who, EventMessage{request.subscription, event});
  }
  if (!faults_.no_eose) say(out, who, EoseMessage{request.subscription});
}

void FaultyRelay::on(uint64_t who, const CloseRequest& request, Saying& /*out*/) {
  clients_[who].subscriptions.erase(request.subscription);
}

void FaultyRelay::on(uint64_t who, const AuthRequest& request, Saying& out) {
  Client& client = clients_[who];
  const RelayUrl own[] = {url_};
  ++auths_;
  const bool good =
      !faults_.refuses_auth && verify(request.event) &&
      check_auth_event(request.event, own, client.challenge, request.event.created_at);
  if (good) client.authed.insert(request.event.pubkey);
  say(out, who, OkMessage{request.event.id, good, good ? "" : "invalid: AUTH"});
}

void FaultyRelay::on(uint64_t who, const NegOpenRequest& request, Saying& out) {
  if (faults_.negentropy_answer)
    return say(out, who, NegMessage{request.subscription, *faults_.negentropy_answer});
  if (!faults_.negentropy) return say(out, who, NoticeMessage{"unknown command"});
  std::vector<NegentropyItem> items;
  for (const Event& event : stored_) {
    if (matches(request.filter, event)) items.push_back({event.created_at, event.id});
  }
  const auto set = NegentropySet::seal(std::move(items));
  say(out, who, NegMessage{request.subscription, *negentropy_answer(*set, request.message)});
}

}  // namespace ipnscast::test
