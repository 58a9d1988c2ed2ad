// event req as a user types it, against relays that answer in full, in part or not at all.
#include <algorithm>
#include <set>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/integration/nostr/pool_reader.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using namespace ipnscast::test;

constexpr Seconds kSoon(60);

Ran req(const std::string& filter, const std::vector<std::string>& relays,
        const std::vector<std::string>& more = {}) {
  const TempDir home;
  Command command{.argv = {test::program(), "event", "req", filter},
                  .environment = {{"HOME", home.path().string()}}};
  for (const std::string& relay : relays) {
    command.argv.insert(command.argv.end(), {"--relay", relay});
  }
  command.argv.insert(command.argv.end(), more.begin(), more.end());
  return test::run(command, kSoon);
}

size_t lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

// Sends twelve events for the first REQ of a connection, and `answer` for the pages after it.
ScriptedRelay::Script twelve_then(std::function<RelayMessage(const SubscriptionId&)> answer) {
  return [answer = std::move(answer)](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* id = req_id(m);
    if (id == nullptr) return;
    if (Relay::is_page(*id)) return self.say(c, answer(*id));
    for (int i = 0; i < 12; ++i)
      self.say(c, event_frame(*id, note(1'700'000'000 - i, std::to_string(i))));
    self.say(c, RelayMessage(EoseMessage{*id}));
  };
}

}  // namespace

TEST_CASE("R5 event req gets all of an answer that the embedded relay cuts at eight megabytes") {
  const auto loop = *net::Loop::start();
  const auto relay = *server::RelayServer::start(*loop, {.port = 0});
  constexpr int kEvents = 80;
  std::promise<PublishReport> last;
  std::atomic<int> stored = 0;
  const auto pool = Pool::start(*loop, {.relays = {*RelayUrl::parse(relay->url())}});
  for (int i = 0; i < kEvents; ++i) {
    pool->publish(note(1'700'000'000 + i, std::string(120'000, 'x'), 4321),
                  {.deadline = Milliseconds(30'000)}, [&](PublishReport report) {
                    stored += report.relays.begin()->second.stored();
                    if (stored == kEvents) last.set_value(std::move(report));
                  });
  }
  REQUIRE(last.get_future().wait_for(kSoon) == std::future_status::ready);
  const Ran ran = req(R"({"kinds":[4321]})", {relay->url()});
  INFO(ran.err);
  CHECK(ran.exit == 0);
  CHECK(lines(ran.out) == kEvents);
}

TEST_CASE("event req waits for a page that is refused for now") {
  std::atomic<int> pages = 0;
  ScriptedRelay relay(twelve_then([&](const SubscriptionId& id) -> RelayMessage {
    if (pages++ == 0) return ClosedMessage{id, "rate-limited: slow down"};
    return EoseMessage{id};
  }));
  const Ran ran = req(R"({"kinds":[1]})", {relay.url().text()});
  INFO(ran.err);
  CHECK(ran.exit == 0);
  CHECK(lines(ran.out) == 12);
  CHECK(ran.err.empty());
  CHECK(pages == 2);
}

TEST_CASE("event req says which relay gave a part only, and why, and ends with 1") {
  const auto whole = [](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* id = req_id(m)) self.say(c, RelayMessage(EoseMessage{*id}));
  };
  ScriptedRelay other(whole);
  ScriptedRelay for_good(twelve_then([](const SubscriptionId& id) {
    return ClosedMessage{id, "restricted: no more"};
  }));
  ScriptedRelay for_now(twelve_then([](const SubscriptionId& id) {
    return ClosedMessage{id, "error: busy"};
  }));
  const Ran refused = req(R"({"kinds":[1]})", {other.url().text(), for_good.url().text()});
  CHECK(refused.exit == 1);
  CHECK(lines(refused.out) == 12);
  CHECK(refused.err.find(for_good.url().text() + ": incomplete: restricted: no more") !=
        std::string::npos);
  const Ran delayed =
      req(R"({"kinds":[1]})", {other.url().text(), for_now.url().text()}, {"--timeout", "1s"});
  CHECK(delayed.exit == 1);
  CHECK(lines(delayed.out) == 12);
  CHECK(delayed.err.find(for_now.url().text() + ": incomplete: error: busy") != std::string::npos);
}

TEST_CASE("event req names every relay that did not answer in time, with what it said") {
  ScriptedRelay silent([](ScriptedRelay&, auto, const ClientMessage&) {});
  ScriptedRelay grumbling([](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (req_id(m) != nullptr) self.say(c, RelayMessage(NoticeMessage{"ERROR: bad req"}));
  });
  ScriptedRelay closing([](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* id = req_id(m))
      self.say(c, RelayMessage(ClosedMessage{*id, "error: shutting down"}));
  });
  const Ran ran = req("{}", {silent.url().text(), grumbling.url().text(), closing.url().text()},
                      {"--timeout", "1s"});
  INFO(ran.err);
  CHECK(ran.exit == 124);
  CHECK(ran.err.find(silent.url().text() + ": requested") != std::string::npos);
  CHECK(ran.err.find(grumbling.url().text() + ": requested: ERROR: bad req") != std::string::npos);
  CHECK(ran.err.find(closing.url().text()) != std::string::npos);
  CHECK(ran.err.find("shutting down") != std::string::npos);
}

TEST_CASE("E2 1,200 events of one second come by NIP-77, or the answer is called incomplete") {
  constexpr int kEvents = 1'200;
  constexpr int64_t kSecond = 1'700'000'000;
  const auto loop = *net::Loop::start();
  std::promise<void> all;
  std::atomic<int> stored = 0;
  server::RelayServerOptions options{.port = 0};
  options.relay.max_limit = 500;
  const auto relay = *server::RelayServer::start(*loop, options);
  std::vector<Event> events;
  for (int i = 0; i < kEvents; ++i) events.push_back(note(kSecond, std::to_string(i)));
  PoolOptions at_once{.relays = {*RelayUrl::parse(relay->url())}};
  at_once.relay.max_publishing = kEvents;
  const auto pool = Pool::start(*loop, std::move(at_once));
  for (const Event& event : events) {
    pool->publish(event, {.deadline = Milliseconds(60'000)}, [&](PublishReport report) {
      stored += report.relays.begin()->second.stored();
      if (stored == kEvents) all.set_value();
    });
  }
  REQUIRE(all.get_future().wait_for(kSoon) == std::future_status::ready);
  const Ran ran = req(R"({"kinds":[1]})", {relay->url()}, {"--timeout", "50s"});
  INFO(ran.err);
  CHECK(ran.exit == 0);
  CHECK(lines(ran.out) == kEvents);

  // Without NIP-77: always the same 500.
  ScriptedRelay plain([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* request = std::get_if<ReqRequest>(&m);
    if (request == nullptr) return;
    for (size_t i = 0; i < 500; ++i) {
      if (matches_any(request->filters, events[i]))
        self.say(c, event_frame(request->subscription, events[i]));
    }
    self.say(c, RelayMessage(EoseMessage{request->subscription}));
  });
  const Ran part = req(R"({"kinds":[1]})", {plain.url().text()}, {"--timeout", "50s"});
  INFO(part.err);
  CHECK(part.exit == 1);
  CHECK(lines(part.out) == 500);
  CHECK(part.err.find("incomplete") != std::string::npos);
}

}  // namespace ipnscast
