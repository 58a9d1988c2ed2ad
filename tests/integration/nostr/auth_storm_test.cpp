// Relays that ask for AUTH (NIP-42) and are not content with it, over a socket: neither they nor a
// remote signer are asked in a circle.
#include <thread>

#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/nostr/signer/remote_signer.h"
#include "ipnscast/tests/integration/nostr/pool_reader.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/bunker.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

// As khatru does it: each refusal comes with the challenge, which stays the same, unless `fresh`.
ScriptedRelay::Script members_only(bool fresh) {
  return [fresh, number = 0](ScriptedRelay& self, auto c, const ClientMessage& m) mutable {
    if (fresh) ++number;
    const RelayMessage challenge = AuthChallenge{"challenge " + std::to_string(number)};
    if (const auto* auth = std::get_if<AuthRequest>(&m)) {
      self.say(c, RelayMessage(OkMessage{auth->event.id, true, ""}));
    } else if (const auto* id = req_id(m)) {
      self.say(c, challenge);
      self.say(c, RelayMessage(ClosedMessage{*id, "auth-required: members only"}));
    } else if (const auto* p = std::get_if<PublishRequest>(&m)) {
      self.say(c, challenge);
      self.say(c, RelayMessage(OkMessage{p->event.id, false, "auth-required: members only"}));
    }
  };
}

size_t heard(const ScriptedRelay& relay, const std::string& prefix) {
  size_t out = 0;
  for (const std::string& frame : relay.heard()) out += frame.starts_with(prefix);
  return out;
}

// Waits until the subscription is refused for good, half a minute at most.
bool wait_refused(Pool& pool) {
  const Instant deadline = std::chrono::steady_clock::now() + Seconds(30);
  while (std::chrono::steady_clock::now() < deadline) {
    const auto relays = pool.status();
    const auto& subscriptions = relays.at(0).subscriptions;
    if (!subscriptions.empty() && subscriptions[0].second.state == SubscriptionState::refused)
      return true;
    std::this_thread::sleep_for(Milliseconds(20));
  }
  return false;
}

std::optional<RelayOutcome> published(Pool& pool, const RelayUrl& relay, const Event& event) {
  Inbox<PublishReport> reports(1);
  pool.publish(event, {.deadline = Milliseconds(30'000)},
               [&](PublishReport r) { reports.push_reserved(std::move(r)); });
  const auto report = reports.pop_until(std::chrono::steady_clock::now() + Seconds(60));
  if (!report) return std::nullopt;
  return report->relays.at(relay);
}

}  // namespace

TEST_CASE("NIP-42 a relay that takes our AUTH and still refuses is asked twice, not for ever") {
  for (const bool fresh : {false, true}) {
    INFO("a fresh challenge with each refusal: " << fresh);
    ScriptedRelay relay(members_only(fresh));
    Reader reader({relay.url()}, {{.kinds = {1}}},
                  {.signers = {make_local_signer(author().clone())}});
    REQUIRE(wait_refused(*reader.pool));
    const auto first = published(*reader.pool, relay.url(), note(now_seconds(), "first"));
    REQUIRE(first);
    CHECK(first->state == PublishState::refused);
    CHECK(first->permanent);
    CHECK(first->reason ==
          "restricted: the relay took our AUTH and still refuses (auth-required: members only)");
    REQUIRE(published(*reader.pool, relay.url(), note(now_seconds(), "second")));
    CHECK(heard(relay, "[\"REQ\"") == 2);
    CHECK(heard(relay, "[\"EVENT\"") == 2);  // one for each, as the key is proved by then
    CHECK(heard(relay, "[\"AUTH\"") == 1);
  }
}

TEST_CASE("NIP-42 a remote signer is asked once for a relay that refuses us all the same") {
  const auto loop = std::move(*net::Loop::start());
  server::RelayServerOptions options;
  options.port = 0;
  const auto meeting = std::move(*server::RelayServer::start(*loop, options));
  const Bunker bunker(*loop, {*RelayUrl::parse(meeting->url())});
  RemoteSignerOptions remote;
  remote.loop = loop.get();
  const auto signer = RemoteSigner::open(*parse_bunker_uri(bunker.address()), remote);
  REQUIRE(signer);
  for (const bool fresh : {false, true}) {
    INFO("a fresh challenge with each refusal: " << fresh);
    const size_t before = bunker.heard("sign_event");
    ScriptedRelay relay(members_only(fresh));
    Reader reader({relay.url()}, {{.kinds = {1}}}, {.signers = {*signer}});
    REQUIRE(wait_refused(*reader.pool));
    const auto outcome = published(*reader.pool, relay.url(), note(now_seconds(), "event"));
    REQUIRE(outcome);
    CHECK(outcome->permanent);
    CHECK(heard(relay, "[\"REQ\"") == 2);
    CHECK(heard(relay, "[\"EVENT\"") == 1);
    CHECK(bunker.heard("sign_event") - before == 1);
  }
}
