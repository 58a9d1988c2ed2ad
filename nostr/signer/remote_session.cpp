#include "ipnscast/nostr/signer/remote_session.h"

#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/json_document.h"

namespace ipnscast::nostr {
namespace {

// So that they fit into the file where the connection is kept.
constexpr size_t kMaxSwitchRelays = 8;
constexpr size_t kMaxRelayUrl = 200;
constexpr size_t kMaxWords = 300;

// A signer's words, fit for one line of a log or a terminal.
std::string words(const std::string& text) {
  std::string out = text.substr(0, kMaxWords);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  }
  return out;
}

bool same(std::string_view a, std::string_view b) {
  return equal_constant_time(as_bytes(a), as_bytes(b));
}

}  // namespace

RemoteSession::RemoteSession(Options options, const PublicKey& signer, SecretText secret, Past past,
                             std::string id_prefix, Rng rng)
    : options_(std::move(options)),
      signer_(signer),
      secret_(std::move(secret)),
      id_prefix_(std::move(id_prefix)),
      past_(std::move(past)),
      rng_(rng),
      backoff_(options_.retry) {}

void RemoteSession::listening(Now now, Actions& out) {
  if (state_ == State::deaf) return greet(now, out);
  for (auto& [id, waiting] : requests_) {
    if (waiting.sent) out.push_back(Send{waiting.request});
  }
}

// A signer that knows us already has spent its secret: it is only asked who the user is.
void RemoteSession::greet(Now now, Actions& out) {
  retry_at_.reset();
  if (past_.connected) return introduce(now, out);
  state_ = State::connecting;
  secret_tried_ = true;
  std::vector<std::string> params{to_hex(signer_.view()), std::string(secret_.view())};
  if (!options_.perms.empty()) params.push_back(options_.perms);
  ask(Purpose::connect, "connect", std::move(params), now, out);
  // It may have taken an earlier one without our hearing of it, and say nothing to a spent secret.
  if (connect_trouble_ && may_know_us()) ask(Purpose::user, "get_public_key", {}, now, out);
}

// Whoever refuses a key at its first try has never let it in.
bool RemoteSession::may_know_us() const {
  return past_.tried || (connect_trouble_ && connect_trouble_->code != Errc::refused);
}

void RemoteSession::introduce(Now now, Actions& out) {
  state_ = State::asking;
  ask(Purpose::relays, "switch_relays", {}, now, out);
  ask(Purpose::user, "get_public_key", {}, now, out);
}

std::string RemoteSession::next_id() { return id_prefix_ + "-" + std::to_string(++serial_); }

void RemoteSession::ask(Purpose purpose, std::string method, std::vector<std::string> params,
                        Now now, Actions& out) {
  Waiting waiting;
  waiting.purpose = purpose;
  waiting.request = {next_id(), std::move(method), std::move(params)};
  waiting.deadline = now.steady + options_.timeout;
  waiting.sent = true;
  out.push_back(Send{waiting.request});
  std::string id = waiting.request.id;
  requests_.emplace(std::move(id), std::move(waiting));
}

void RemoteSession::call(Ticket ticket, std::string method, std::vector<std::string> params,
                         Now now, Actions& out) {
  if (state_ == State::failed) {
    out.push_back(Answer{ticket, fail(last_trouble_)});
    return;
  }
  if (calls_ >= options_.max_waiting) {
    out.push_back(
        Answer{ticket, fail(Errc::busy, "remote signer: too many requests wait for an answer")});
    return;
  }
  Waiting waiting;
  waiting.ticket = ticket;
  waiting.request = {next_id(), std::move(method), std::move(params)};
  waiting.deadline = now.steady + options_.timeout;
  waiting.sent = ready();
  if (waiting.sent) out.push_back(Send{waiting.request});
  std::string id = waiting.request.id;
  requests_.emplace(std::move(id), std::move(waiting));
  ++calls_;
}

void RemoteSession::receive(std::string_view json, Now now, Actions& out) {
  auto response = parse_signer_response(json);
  if (!response) {
    ++counters_.malformed;
    return;
  }
  const auto found = requests_.find(response->id);
  if (found == requests_.end() || !found->second.sent) {
    ++counters_.unknown;
    return;
  }
  if (response->result == "auth_url" && !response->error.empty())
    return auth_url(found->second, response->error, now, out);
  Waiting waiting = std::move(found->second);
  requests_.erase(found);
  Result<std::string> result = std::move(response->result);
  if (!response->error.empty())
    result = fail(Errc::refused, "remote signer: " + words(response->error));
  answered(std::move(waiting), std::move(result), now, out);
}

void RemoteSession::auth_url(Waiting& waiting, const std::string& url, Now now, Actions& out) {
  if (!is_auth_url(url)) {
    ++counters_.malformed;
    return;
  }
  if (waiting.url_shown) return;
  waiting.url_shown = true;
  waiting.deadline = now.steady + options_.auth_timeout;
  out.push_back(ShowUrl{url});
}

void RemoteSession::answered(Waiting waiting, Result<std::string> result, Now now, Actions& out) {
  switch (waiting.purpose) {
    case Purpose::connect:
      return on_connect(result, now, out);
    case Purpose::user:
      return on_user(result, now, out);
    case Purpose::relays:
      return on_relays(result, out);
    case Purpose::call:
      --calls_;
      out.push_back(Answer{waiting.ticket, std::move(result)});
  }
}

void RemoteSession::on_connect(const Result<std::string>& result, Now now, Actions& out) {
  if (!result) {
    past_.connected = past_.user.has_value();  // so that both ways are tried in turn
    const bool tried = may_know_us();
    connect_trouble_ = result.error();
    if (result.error().code != Errc::refused || !tried) return rest(result.error(), now, out);
    // Its answer to an earlier try may have been lost, and its secret is spent then: it knows us
    // all the same, perhaps.
    drop_own_requests();
    return introduce(now, out);
  }
  // NIP-46: "ack", or the secret, which proves that the signer is the one that gave it to us.
  const bool shows_secret = !secret_.view().empty() && same(*result, secret_.view());
  if (ready()) return;                                      // it knew us before
  constexpr std::string_view kKnown = "already connected";  // what some say instead of an error
  if (*result != "ack" && *result != kKnown && !shows_secret) {
    return fail_for_good(
        {Errc::mismatch, "remote signer: answered the connection with another secret"}, out);
  }
  past_.connected = true;
  out.push_back(Connected{});
  introduce(now, out);
}

void RemoteSession::on_user(const Result<std::string>& result, Now now, Actions& out) {
  if (!result && state_ == State::connecting) return;  // what it says to `connect` decides
  if (!result) {
    // It has forgotten us, perhaps: the secret may still be good for a new connection.
    if (!secret_tried_ && result.error().code == Errc::refused) {
      drop_own_requests();
      past_.connected = false;
      return greet(now, out);
    }
    const Error error = connect_trouble_.value_or(result.error());
    return rest(error, now, out);
  }
  connect_trouble_.reset();
  const auto key = result->size() == 64 ? from_hex(*result) : fail(Errc::parse, "");
  if (!key) return rest({Errc::parse, "remote signer: named no public key"}, now, out);
  const PublicKey user = PublicKey::from(*key);
  if (past_.user && *past_.user != user) {
    return fail_for_good({Errc::conflict,
                          "remote signer: signs for another key than before; remove its file in "
                          "the state directory if that is meant"},
                         out);
  }
  past_.user = user;
  state_ = State::ready;
  backoff_.succeeded(now.steady);
  out.push_back(Ready{user});
  for (auto& [id, waiting] : requests_) {
    if (waiting.sent) continue;
    waiting.sent = true;
    out.push_back(Send{waiting.request});
  }
}

// null or an error: stay where we are.
void RemoteSession::on_relays(const Result<std::string>& result, Actions& out) {
  if (!result) return;
  constexpr size_t kDepth = 2;
  const auto root = parse_json(*result, kDepth);
  simdjson::dom::array items;
  if (!root || root->get_array().get(items) != simdjson::SUCCESS) return;
  std::vector<RelayUrl> relays;
  for (const simdjson::dom::element item : items) {
    auto url = RelayUrl::parse_foreign(text_of(item).value_or(""));
    const bool known = url && std::find(relays.begin(), relays.end(), *url) != relays.end();
    if (!url || known || relays.size() == kMaxSwitchRelays || url->text().size() > kMaxRelayUrl)
      continue;
    relays.push_back(std::move(*url));
  }
  if (!relays.empty()) out.push_back(Switch{std::move(relays)});
}

// Connecting failed: again after a while. Calls wait for it until their own time is over.
void RemoteSession::rest(Error error, Now now, Actions& out) {
  drop_own_requests();
  state_ = State::resting;
  secret_tried_ = false;
  retry_at_ = now.steady + backoff_.failed(now.steady, rng_);
  last_trouble_ = error;
  out.push_back(Trouble{std::move(error), false});
}

void RemoteSession::fail_for_good(const Error& error, Actions& out) {
  state_ = State::failed;
  retry_at_.reset();
  last_trouble_ = error;
  out.push_back(Trouble{error, true});
  for (auto& [id, waiting] : std::exchange(requests_, {})) {
    if (waiting.purpose == Purpose::call) out.push_back(Answer{waiting.ticket, fail(error)});
  }
  calls_ = 0;
}

void RemoteSession::drop_own_requests() {
  std::erase_if(requests_, [](const auto& one) { return one.second.purpose != Purpose::call; });
}

void RemoteSession::tick(Now now, Actions& out) {
  if (retry_at_ && *retry_at_ <= now.steady) greet(now, out);
  std::vector<std::string> over;
  for (const auto& [id, waiting] : requests_) {
    if (waiting.deadline <= now.steady) over.push_back(id);
  }
  for (const std::string& id : over) {
    const auto found = requests_.find(id);  // an earlier one may have taken it along
    if (found == requests_.end()) continue;
    Waiting waiting = std::move(found->second);
    requests_.erase(found);
    std::string reason = "remote signer: no answer in time";
    if (!waiting.sent && !last_trouble_.message.empty())
      reason = last_trouble_.message + " (not connected)";
    answered(std::move(waiting), fail(Errc::timeout, std::move(reason)), now, out);
  }
}

std::optional<Instant> RemoteSession::next_tick() const {
  std::optional<Instant> out = retry_at_;
  for (const auto& [id, waiting] : requests_) {
    if (!out || waiting.deadline < *out) out = waiting.deadline;
  }
  return out;
}

}  // namespace ipnscast::nostr
