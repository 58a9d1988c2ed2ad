// What a relay says right before it ends the connection.
#include <atomic>
#include <set>

#include "ipnscast/tests/integration/nostr/pool_reader.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

TEST_CASE("E4 all that a relay sent counts, although it hangs up behind the last word") {
  constexpr int kEvents = 300;
  std::atomic<int> connections = 0;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* id = req_id(m);
    if (id == nullptr) return;
    if (connections++ > 0) return;  // only what came the first time counts
    for (int i = 0; i < kEvents; ++i)
      self.say(c, event_frame(*id, note(1'700'000'000 - i, std::to_string(i))));
    self.say(c, RelayMessage(EoseMessage{*id, EoseHint::finish}));
    self.drop(c);
  });
  Reader reader({relay.url()}, {{.kinds = {1}}});
  std::set<std::string> got;
  bool ended = false;
  const Instant deadline = std::chrono::steady_clock::now() + Seconds(60);
  while (!ended) {
    const auto message = reader.inbox.pop_until(deadline);
    REQUIRE(message);
    if (const auto* event = std::get_if<PoolEvent>(&*message)) got.insert(event->event.content);
    if (const auto* eose = std::get_if<PoolEose>(&*message)) {
      ended = true;
      CHECK(eose->end == StoredEnd{});
      CHECK(eose->covered == UnixSeconds{1'700'000'000});
    }
  }
  CHECK(got.size() == kEvents);
}

TEST_CASE("E4 an OK right before the end of a connection settles the event") {
  std::atomic<int> writes = 0;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* publish = std::get_if<PublishRequest>(&m);
    if (publish == nullptr) return;
    ++writes;
    self.say(c, RelayMessage(OkMessage{publish->event.id, false, "blocked: and goodbye"}));
    self.drop(c);
  });
  std::promise<PublishReport> done;
  Reader reader({relay.url()}, {{.kinds = {1}}});
  reader.pool->publish(note(1'700'000'000, "x"), {.deadline = Milliseconds(60'000)},
                       [&](PublishReport report) { done.set_value(std::move(report)); });
  const PublishReport report = done.get_future().get();
  CHECK(report.relays.begin()->second.state == PublishState::refused);
  CHECK(report.relays.begin()->second.reason == "blocked: and goodbye");
  CHECK(writes == 1);
}
