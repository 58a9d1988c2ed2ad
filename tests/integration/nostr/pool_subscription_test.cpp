// The pool's subscriptions at relays that refuse, fall silent, or take little at a time.
#include <atomic>
#include <set>

#include "ipnscast/nostr/relay/split_filters.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/integration/nostr/pool_reader.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

TEST_CASE("R18 a subscription that a relay closes and serves again is live again, and says so") {
  std::atomic<int> asked = 0;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* id = req_id(m);
    if (id == nullptr) return;
    self.say(c, RelayMessage(EoseMessage{*id}));
    if (asked++ == 0) self.say(c, RelayMessage(ClosedMessage{*id, "error: restarting"}));
  });
  Reader reader({relay.url()}, {{.kinds = {1}}});
  std::vector<std::string> told;
  size_t ends = 0;
  const Instant deadline = std::chrono::steady_clock::now() + Milliseconds(10'000);
  while (told.size() < 3 || ends < 2) {
    const auto message = reader.inbox.pop_until(deadline);
    REQUIRE(message);
    ends += std::holds_alternative<PoolEose>(*message);
    const auto* link = std::get_if<PoolLink>(&*message);
    if (link != nullptr) told.push_back(link->live ? "live" : link->reason);
  }
  CHECK(told == std::vector<std::string>{"live", "error: restarting", "live"});
}

TEST_CASE("a subscriber is told when a relay says nothing at all, and is asked again") {
  ScriptedRelay relay([](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (req_id(m) != nullptr) self.say(c, RelayMessage(NoticeMessage{"ERROR: no"}));
  });
  PoolOptions options;
  options.relay.page_timeout = Milliseconds(100);
  Reader reader({relay.url()}, {{.kinds = {1}}}, options);
  const Instant deadline = std::chrono::steady_clock::now() + Milliseconds(10'000);
  const auto message = reader.inbox.pop_until(deadline);
  REQUIRE(message);
  const auto* link = std::get_if<PoolLink>(&*message);
  REQUIRE(link != nullptr);
  CHECK_FALSE(link->live);
  CHECK(link->reason == "no end of the stored events in time: ERROR: no");
  CHECK(relay.wait_heard("[\"REQ\"", 2));
}

TEST_CASE("NIP-11 a relay that takes little in one REQ is asked in parts, the others as ever") {
  const int64_t now = now_seconds();
  std::vector<Event> events;
  Filter wanted;
  wanted.kinds = {30078};
  for (int i = 0; i < 120; ++i) {
    const std::string d = "name-" + std::to_string(i);
    wanted.tags['d'].push_back(d);
    events.push_back(sign_event(author(), {{now - i}, 30078, {{"d", d}}, ""}));
  }
  const auto answer = [&](ScriptedRelay& self, auto c, const ReqRequest& req) {
    for (const Event& event : events) {
      if (matches_any(req.filters, event)) self.say(c, event_frame(req.subscription, event));
    }
    self.say(c, RelayMessage(EoseMessage{req.subscription}));
  };
  ScriptedRelay little([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* req = std::get_if<ReqRequest>(&m);
    if (req == nullptr) return;
    if (req->filters.size() > 2)
      return self.say(c, RelayMessage(ClosedMessage{req->subscription, "error: too many filters"}));
    if (needs_of(req->filters).max_list > 40)
      return self.say(c, RelayMessage(ClosedMessage{req->subscription,
                                                    "blocked: too many things to filter for"}));
    answer(self, c, *req);
  });
  ScriptedRelay plain([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* req = std::get_if<ReqRequest>(&m)) answer(self, c, *req);
  });
  for (const bool both : {false, true}) {
    std::vector<RelayUrl> urls{little.url()};
    if (both) urls.push_back(plain.url());
    Reader reader(urls, {wanted});
    std::set<EventId> got;
    size_t ends = 0;
    const Instant deadline = std::chrono::steady_clock::now() + Milliseconds(10'000);
    while (ends < urls.size()) {
      const auto message = reader.inbox.pop_until(deadline);
      REQUIRE(message);
      if (const auto* event = std::get_if<PoolEvent>(&*message)) got.insert(event->event.id);
      if (const auto* eose = std::get_if<PoolEose>(&*message)) {
        ++ends;  // one for all parts together
        CHECK(eose->end.kind == StoredEnd::Kind::complete);
        CHECK(eose->covered);
      }
    }
    CHECK(got.size() == events.size());
    CHECK(reader.pool->status()[0].subscriptions.size() >= 2);
    // Live events come from the parts too, and an unsubscription ends all of them.
    reader.pool->unsubscribe(reader.key);
    CHECK(reader.pool->status()[0].subscriptions.empty());
  }
  CHECK(plain.wait_heard("[\"REQ\"", 1));
}

TEST_CASE("NIP-11 a subscription longer than the embedded relay's frames is asked in parts") {
  auto loop = *net::Loop::start();
  const auto relay =
      *server::RelayServer::start(*loop, {.port = 0, .relay = {.max_message_bytes = 16 * 1024}});
  Filter wanted;
  wanted.kinds = {30078};
  for (int i = 0; i < 400; ++i)
    wanted.tags['d'].push_back(std::string(60, 'x') + std::to_string(i));
  Reader reader({*RelayUrl::parse(relay->url())}, {wanted});
  REQUIRE(reader.wait_live());
  CHECK(reader.pool->status()[0].subscriptions.size() >= 2);
  const Event event =
      sign_event(author(), {{now_seconds()}, 30078, {{"d", wanted.tags['d'].back()}}, ""});
  reader.pool->publish(event, {}, [](const PublishReport&) {});
  CHECK(reader.next_event() == event);
}
