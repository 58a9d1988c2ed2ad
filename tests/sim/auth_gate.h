#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "ipnscast/tests/sim/relay_machine.h"
#include "ipnscast/tests/support/catch.h"

// A relay that asks for AUTH (NIP-42), around one relay's state machine.
namespace ipnscast::test {

// A relay that serves only those whom it takes for members, and a signer that answers at once.
struct Gate {
  // constant after the first message
  bool fresh_challenges = false;   // with each refusal, else the first one again
  bool challenge_follows = false;  // comes after the refusal, not before it
  bool forgets = false;            // a fresh challenge undoes what was proved
  bool takes_auth = true;
  bool signer_works = true;
  std::set<PublicKey> members;

  Machine m;
  std::string challenge = "c0";
  std::set<PublicKey> proved;
  size_t requests = 0;
  size_t events = 0;
  size_t auths = 0;
  size_t signatures = 0;
  std::vector<RelayOutcome> outcomes;

  void connect() {
    m.start();
    react(m.open());
    react(m.hear(AuthChallenge{challenge}));
  }
  void subscribe(const SubscriptionId& id = "s") {
    react(m.act([&](auto& out) {
      m.relay.subscribe(id, CatchUp::share({{.kinds = {1}}}), {}, m.clock.now(), out);
    }));
  }
  void publish(int64_t created_at) { react(m.publish(event_at(created_at), Milliseconds(10'000))); }
  void pass(Seconds time) {
    for (Seconds passed{0}; passed < time; passed += Seconds(1)) {
      m.clock.advance(Milliseconds(1'000));
      react(m.tick());
    }
  }
  SubscriptionState state(const SubscriptionId& id = "s") const {
    return m.relay.status(id)->state;
  }

  // One, and another when the challenge that was signed is replaced meanwhile.
  size_t fewest_signatures() const { return fresh_challenges && challenge_follows ? 2 : 1; }
  bool admits() const {
    return std::any_of(members.begin(), members.end(),
                       [&](const PublicKey& key) { return proved.contains(key); });
  }
  void react(Relay::Actions actions) {
    std::deque<Relay::Action> open(std::make_move_iterator(actions.begin()),
                                   std::make_move_iterator(actions.end()));
    while (!open.empty()) {
      REQUIRE(requests + events + signatures < 5'000);  // else this is the storm
      const Relay::Action action = std::move(open.front());
      open.pop_front();
      const auto then = [&](Relay::Actions more) {
        for (Relay::Action& one : more) open.push_back(std::move(one));
      };
      if (const auto* sign = std::get_if<Relay::SignAuth>(&action)) {
        ++signatures;
        then(m.act(
            [&](auto& out) { m.relay.auth_signed(sign->key, answer(*sign), m.clock.now(), out); }));
      } else if (const auto* send = std::get_if<Relay::Send>(&action)) {
        hear(*parse_client_message(send->frame), then);
      } else if (const auto* published = std::get_if<Relay::Published>(&action)) {
        outcomes.push_back(published->outcome);
      }
    }
  }
  static const SecretKey& second_key() {
    static const SecretKey key = SecretKey::generate();
    return key;
  }
  Result<Event> answer(const Relay::SignAuth& sign) const {
    if (!signer_works) return fail(Errc::timeout, "the phone is off");
    const bool second = sign.key == second_key().public_key();
    return sign_event(second ? second_key() : own_key(),
                      {m.clock.now().seconds(), 22242, {{"challenge", sign.challenge}}, ""});
  }

  template <typename Then>
  void refuse(const RelayMessage& refusal, const Then& then) {
    if (fresh_challenges) challenge = "c" + std::to_string(requests + events + auths);
    if (fresh_challenges && forgets) proved.clear();
    if (challenge_follows) then(m.hear(refusal));
    then(m.hear(AuthChallenge{challenge}));
    if (!challenge_follows) then(m.hear(refusal));
  }
  template <typename Then>
  void hear(const ClientMessage& message, const Then& then) {
    if (const auto* auth = std::get_if<AuthRequest>(&message)) {
      ++auths;
      const bool good = takes_auth && auth->event.tag("challenge") == challenge;
      if (good) proved.insert(auth->event.pubkey);
      then(m.hear(OkMessage{auth->event.id, good, good ? "" : "restricted: no"}));
    } else if (const auto* req = std::get_if<ReqRequest>(&message)) {
      ++requests;
      if (admits()) return then(m.hear(EoseMessage{req->subscription}));
      refuse(ClosedMessage{req->subscription, "auth-required: members only"}, then);
    } else if (const auto* publish = std::get_if<PublishRequest>(&message)) {
      ++events;
      if (admits()) return then(m.hear(OkMessage{publish->event.id, true, ""}));
      refuse(OkMessage{publish->event.id, false, "auth-required: members only"}, then);
    }
  }
};

inline void for_each_gate(const std::function<void(Gate&)>& trial) {
  for (const bool fresh : {false, true}) {
    for (const bool follows : {false, true}) {
      INFO("fresh challenges " << fresh << ", challenge after the refusal " << follows);
      Gate gate;
      gate.fresh_challenges = fresh;
      gate.challenge_follows = follows;
      trial(gate);
    }
  }
}

}  // namespace ipnscast::test
