// Publishing to relays that refuse, stay silent, answer for another event or ask who is there.
#include <set>

#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/tests/integration/nostr/pool_reader.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

TEST_CASE("R16 R17 a publish tells what each relay did, and silence is not success") {
  ScriptedRelay good([](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* p = std::get_if<PublishRequest>(&m))
      self.say(c, RelayMessage(OkMessage{p->event.id, true, ""}));
  });
  ScriptedRelay refusing([](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* p = std::get_if<PublishRequest>(&m)) {
      self.say(c,
               RelayMessage(OkMessage{p->event.id, false, "blocked: kind 30078 is not welcome"}));
    }
  });
  ScriptedRelay silent(nullptr);
  ScriptedRelay wrong_id([](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* p = std::get_if<PublishRequest>(&m)) {
      EventId other = p->event.id;
      other.bytes[0] ^= 1;
      self.say(c, RelayMessage(OkMessage{other, true, ""}));
    }
  });
  Inbox<PublishReport> reports(10);
  Reader reader({good.url(), refusing.url(), silent.url(), wrong_id.url()}, {{.kinds = {1}}},
                {.relay = {.ok_timeout = Milliseconds(400)}});
  reader.pool->publish(note(now_seconds(), "x", 30078), {.deadline = Milliseconds(5'000)},
                       [&](PublishReport r) { reports.push_reserved(std::move(r)); });
  const auto report = reports.pop_until(std::chrono::steady_clock::now() + Milliseconds(10'000));
  REQUIRE(report);
  CHECK(report->relays.at(good.url()).state == PublishState::acknowledged);
  CHECK(report->relays.at(refusing.url()).state == PublishState::refused);
  CHECK(report->relays.at(refusing.url()).permanent);
  CHECK(report->relays.at(silent.url()).state == PublishState::no_answer);
  CHECK(report->relays.at(wrong_id.url()).state == PublishState::no_answer);
  CHECK(report->stored_count() == 1);
}

TEST_CASE("AUTH is answered when a relay asks for it, on EVENT and on REQ") {
  const Event truth = note(now_seconds(), "members only");
  std::set<uint64_t> members;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* auth = std::get_if<AuthRequest>(&m)) {
      const bool good = verify(auth->event).has_value() && auth->event.kind == 22242 &&
                        auth->event.tag("challenge") == "prove it" &&
                        auth->event.tag("relay") == self.url().text();
      if (good) members.insert(c.value);
      return self.say(c,
                      RelayMessage(OkMessage{auth->event.id, good, good ? "" : "restricted: no"}));
    }
    const bool member = members.count(c.value) != 0;
    if (const auto* id = req_id(m)) {
      if (member) return self.say(c, event_frame(*id, truth));
      self.say(c, RelayMessage(ClosedMessage{*id, "auth-required: who are you?"}));
      return self.say(c, RelayMessage(AuthChallenge{"prove it"}));
    }
    if (const auto* p = std::get_if<PublishRequest>(&m)) {
      self.say(c, RelayMessage(
                      OkMessage{p->event.id, member, member ? "" : "auth-required: who are you?"}));
    }
  });
  Inbox<PublishReport> reports(10);
  Reader reader({relay.url()}, {{.kinds = {1}}},
                {.signers = {make_local_signer(author().clone())}});
  CHECK(reader.next_event() == truth);
  reader.pool->publish(note(now_seconds(), "mine"), {},
                       [&](PublishReport r) { reports.push_reserved(std::move(r)); });
  const auto report = reports.pop_until(std::chrono::steady_clock::now() + Milliseconds(10'000));
  REQUIRE(report);
  CHECK(report->stored_count() == 1);
}
