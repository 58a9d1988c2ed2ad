#include "ipnscast/tests/support/relays/bunker.h"

#include <algorithm>
#include <stdexcept>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/nip/nip44.h"

namespace ipnscast::test {

using namespace nostr;

Bunker::Bunker(net::Loop& loop, std::vector<RelayUrl> relays, Script script)
    : relays_(std::move(relays)), script_(std::move(script)) {
  pool_ = Pool::start(loop, {.relays = relays_});
  Filter requests;
  requests.kinds = {kRemoteSignerKind};
  requests.tags['p'] = {to_hex(signer_.public_key().view())};
  auto listening = listening_.get_future();
  pool_->subscribe({requests}, [this](PoolMessage& message) { return take(message); });
  if (listening.wait_for(std::chrono::seconds(20)) != std::future_status::ready)
    throw std::runtime_error("bunker: no relay listens");
}

std::string Bunker::address(std::string secret) const {
  BunkerUri uri;
  uri.signer = signer_.public_key();
  uri.relays = {relays_.front()};
  uri.secret = SecretText::take(secret);
  return to_text(uri);
}

size_t Bunker::heard(const std::string& method) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count(heard_.begin(), heard_.end(), method));
}

bool Bunker::take(PoolMessage& message) {
  if (const auto* link = std::get_if<PoolLink>(&message)) {
    if (link->live && ++live_ == relays_.size()) listening_.set_value();
    return true;
  }
  const auto* event = std::get_if<PoolEvent>(&message);
  if (event == nullptr) return true;
  const auto shared = ConversationKey::between(signer_, event->event.pubkey);
  const auto text = nip44_decrypt(*shared, event->event.content);
  const auto request = text ? parse_signer_request(*text) : fail(text.error());
  if (!request) return true;
  {
    const std::lock_guard lock(mutex_);
    heard_.push_back(request->method);
    client_ = event->event.pubkey;
  }
  for (const SignerResponse& response : script_ ? script_(*request) : honest(*request))
    say(response);
  return true;
}

void Bunker::say(const SignerResponse& response, const SecretKey* as) {
  const SecretKey& key = as != nullptr ? *as : signer_;
  PublicKey client;
  {
    const std::lock_guard lock(mutex_);
    client = client_;
  }
  const auto shared = ConversationKey::between(key, client);
  pool_->publish(sign_event(key, {.created_at = system_now().seconds(),
                                  .kind = kRemoteSignerKind,
                                  .tags = {{"p", to_hex(client.view())}},
                                  .content = *nip44_encrypt(*shared, to_json(response))}),
                 {}, nullptr);
}

std::vector<SignerResponse> Bunker::honest(const SignerRequest& request) const {
  const auto answer = [&](Result<std::string> result) -> std::vector<SignerResponse> {
    if (result) return {{request.id, *result, ""}};
    return {{request.id, "error", result.error().message}};
  };
  const auto with_peer = [&](auto operation) {
    if (request.params.size() != 2) return answer(fail(Errc::invalid, "want a key and a text"));
    const auto peer = fixed_from_hex<PublicKey>(request.params[0], "peer");
    if (!peer) return answer(fail(peer.error()));
    return answer(operation(*ConversationKey::between(user_, *peer), request.params[1]));
  };
  if (request.method == "connect") {
    const bool knows = request.params.size() >= 2 && request.params[1] == "s3cret";
    const std::lock_guard lock(mutex_);
    permissions_ = request.params.size() >= 3 ? "," + request.params[2] + "," : "";
    let_in_ = let_in_ || knows;
    return answer(knows ? Result<std::string>("ack") : fail(Errc::refused, "wrong secret"));
  }
  {
    const std::lock_guard lock(mutex_);
    if (!let_in_) return answer(fail(Errc::refused, "not connected"));
  }
  if (request.method == "get_public_key") return answer(to_hex(user_.public_key().view()));
  if (request.method == "ping") return answer("pong");
  if (request.method == "logout") return answer("ack");
  if (request.method == "nip44_encrypt") {
    return with_peer([](const ConversationKey& key, const std::string& text) {
      return nip44_encrypt(key, text);
    });
  }
  if (request.method == "nip44_decrypt") {
    return with_peer([](const ConversationKey& key, const std::string& text) {
      return nip44_decrypt(key, text);
    });
  }
  if (request.method == "sign_event" && request.params.size() == 1) {
    const auto event = parse_unsigned_event(request.params[0], system_now().seconds());
    if (!event) return answer(fail(event.error()));
    const std::lock_guard lock(mutex_);
    const std::string needed = ",sign_event:" + std::to_string(event->kind) + ",";
    if (!permissions_.empty() && permissions_.find(needed) == std::string::npos)
      return answer(fail(Errc::refused, "no permission for " + needed));
    return answer(to_json(sign_event(user_, *event)));
  }
  return answer(fail(Errc::unsupported, "unknown method"));
}

}  // namespace ipnscast::test
