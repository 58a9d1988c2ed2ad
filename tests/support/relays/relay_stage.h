#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/nip/nip42.h"
#include "ipnscast/nostr/server/relay_core.h"
#include "ipnscast/tests/support/catch.h"

// The embedded relay on a stage: scripted clients, no socket, no thread, no clock.
namespace ipnscast::test {

using namespace ipnscast::nostr;
using namespace ipnscast::nostr::server;

inline constexpr int64_t kTime = 1'790'000'000;
inline const server::ServerConnectionId kAlice{1};
inline const server::ServerConnectionId kBob{2};

inline SecretKey key(uint8_t number) {
  Bytes secret(32, 0);
  secret[31] = number;
  return *SecretKey::from_bytes(secret);
}

inline Event event_of(const SecretKey& author, int kind, int64_t created_at,
                      std::vector<Tag> tags = {}, std::string content = "") {
  return sign_event(author, {{created_at}, kind, std::move(tags), std::move(content)});
}

inline std::string text(const ClientMessage& message) { return to_frame(message); }
inline std::string req(const std::string& subscription, const Filter& filter) {
  return text(ReqRequest{subscription, {filter}});
}
inline std::string publish(const Event& event) { return text(PublishRequest{event}); }

inline Filter kinds(std::vector<int> list) {
  Filter out;
  out.kinds = std::move(list);
  return out;
}

// A relay with Alice and Bob connected. hears() takes what a client was sent since the last look.
class Stage {
 public:
  explicit Stage(RelayOptions options = {}, const std::filesystem::path& file = ":memory:",
                 uint64_t max_bytes = uint64_t{1} << 30)
      : store(std::move(*RelayStore::open(file, max_bytes))), core(std::move(options), *store) {
    core.opened(kAlice);
    core.opened(kBob);
    finish();
  }

  void say(ServerConnectionId who, const std::string& frame) {
    core.frame(who, frame, now);
    finish();
  }
  void finish() {
    for (const RelayAction& action : core.finish())
      sent[action.connection.value].push_back(*action.frame);
  }
  std::vector<RelayMessage> hears(ServerConnectionId who) {
    std::vector<RelayMessage> out;
    for (const std::string& frame : std::exchange(sent[who.value], {})) {
      const auto message = parse_relay_message(frame);
      REQUIRE(message);
      out.push_back(*message);
    }
    return out;
  }
  // The one OK that answers the event.
  OkMessage offer(ServerConnectionId who, const Event& event) {
    say(who, publish(event));
    for (const RelayMessage& message : hears(who)) {
      if (const auto* ok = std::get_if<OkMessage>(&message); ok && ok->id == event.id) return *ok;
    }
    FAIL("no OK");
    return {};
  }
  // The challenge that the client was sent, and the OK to its answer signed by `key`. NIP-42.
  OkMessage prove(ServerConnectionId who, const SecretKey& key, const std::string& challenge,
                  const std::string& relay = "ws://relay.test/") {
    const Event event =
        sign_event(key, auth_event(*RelayUrl::parse(relay), challenge, now.seconds()));
    say(who, text(AuthRequest{event}));
    for (const RelayMessage& message : hears(who)) {
      if (const auto* ok = std::get_if<OkMessage>(&message); ok && ok->id == event.id) return *ok;
    }
    FAIL("no OK");
    return {};
  }
  // What is stored for the filter, in the order in which it comes.
  std::vector<Event> ask(const Filter& filter) {
    say(kBob, req("ask", filter));
    std::vector<Event> out;
    bool eose = false;
    for (const RelayMessage& message : hears(kBob)) {
      if (const auto* event = std::get_if<EventMessage>(&message)) {
        CHECK_FALSE(eose);
        CHECK(verify(event->event));
        out.push_back(event->event);
      }
      eose = eose || std::holds_alternative<EoseMessage>(message);
    }
    CHECK(eose);
    say(kBob, text(CloseRequest{"ask"}));
    return out;
  }

  Now now{Instant{} + std::chrono::hours(1), {kTime * 1000}};
  std::unique_ptr<RelayStore> store;
  RelayCore core;
  std::map<uint64_t, std::vector<std::string>> sent;
};

}  // namespace ipnscast::test
