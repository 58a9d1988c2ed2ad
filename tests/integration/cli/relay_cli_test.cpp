// The embedded relay's settings, and what waits in the outbox, as a user types and sees them.
#include <csignal>
#include <mutex>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/event/filter.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/support/relays/scripted_relay.h"
#include "ipnscast/tools/session/relay_settings.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

bridge::RelaySettings settings_at(const std::string& listen) {
  bridge::RelaySettings out;
  out.listen = *bridge::parse_listen_address(listen);
  return out;
}

}  // namespace

TEST_CASE("off loopback the embedded relay has limits unless they are taken away") {
  const auto lan = tools::relay_options(settings_at("0.0.0.0:7777"));
  CHECK(lan.relay.events_per_second == 100);
  CHECK(lan.relay.event_burst == 500);
  CHECK(lan.relay.requests_per_second == 100);
  CHECK(lan.max_connections_per_address == 100);
  const auto loopback = tools::relay_options(settings_at("127.0.0.1:7777"));
  CHECK(loopback.relay.events_per_second == 0);
  CHECK(loopback.relay.requests_per_second == 0);
  CHECK(loopback.max_connections_per_address == 0);

  auto wanted = settings_at("0.0.0.0:7777");
  wanted.rate = 0;
  wanted.request_rate = 7;
  wanted.server.max_connections = 9;
  wanted.max_clients_per_address = 3;
  wanted.server.max_waiting_bytes = 16 << 20;
  wanted.server.urls = {*nostr::RelayUrl::parse("wss://relay.example")};
  const auto given = tools::relay_options(wanted);
  CHECK(given.relay.events_per_second == 0);
  CHECK(given.relay.requests_per_second == 7);
  CHECK(given.max_connections == 9);
  CHECK(given.max_connections_per_address == 3);
  CHECK(given.max_waiting_bytes == 16 << 20);
  REQUIRE(given.urls.size() == 1);
  CHECK(given.urls[0].text() == "wss://relay.example");
}

TEST_CASE("limits of the embedded relay come from the environment too") {
  const Stack stack;
  Command serve = stack.command("ann", {"relay", "serve", "--listen", "127.0.0.1:0", "--json"});
  serve.environment["IPNSCAST_RELAY_RATE"] = "1";
  test::Process relay(serve);
  const auto ready = relay.wait_for_line("\"url\"", kSoon);
  INFO(relay.output());
  REQUIRE(ready);
  const auto url = *nostr::RelayUrl::parse(json::parse(*ready)["url"].get<std::string>());
  const auto loop = *nostr::net::Loop::start();
  const auto pool = nostr::Pool::start(*loop, {.relays = {url}});
  const auto key = nostr::SecretKey::generate();
  Inbox<nostr::PublishReport> reports(200);
  int stored = 0;
  int limited = 0;
  int sent = 0;
  const auto publish = [&](int count, Milliseconds deadline) {
    for (int i = 0; i < count; ++i) {
      const auto event =
          nostr::sign_event(key, {system_now().seconds(), 1, {}, std::to_string(++sent)});
      pool->publish(event, {.deadline = deadline},
                    [&](nostr::PublishReport report) { reports.try_push(std::move(report)); });
    }
    for (int i = 0; i < count; ++i) {
      const auto report = reports.pop_until(std::chrono::steady_clock::now() + kSoon);
      REQUIRE(report);
      const auto& outcome = report->relays.at(url);
      stored += outcome.stored() ? 1 : 0;
      limited += outcome.reason.starts_with("rate-limited:") ? 1 : 0;
    }
  };
  publish(100, kSoon);
  CHECK(stored == 100);  // so many may come at once
  // A busy machine may take so long for these that the allowance grows meanwhile.
  for (int tries = 0; limited == 0 && tries < 20; ++tries) publish(150, Milliseconds(1'000));
  CHECK(limited > 0);
}

TEST_CASE("settings of the relay that make no sense are told in one line") {
  const Stack stack;
  const std::vector<std::pair<std::vector<std::string>, std::string>> nonsense = {
      {{"serve", "--rate", "-1"}, "--rate: want 0 to 1000000, not -1"},
      {{"serve", "--request-rate", "nan"}, "--request-rate: \"nan\": want a number or \"auto\""},
      {{"serve", "--max-clients", "-1"}, "--max-clients: want 1 to 1000000, not -1"},
      {{"serve", "--max-clients", "0"}, "--max-clients: want 1 to 1000000, not 0"},
      {{"serve", "--max-bytes", "1KiB"}, "--max-bytes: want a size of 1MiB or more, not 1KiB"},
      {{"serve", "--max-waiting", "15MiB"},
       "--max-waiting: want a size of 16MiB or more, not 15MiB"},
      {{"serve", "--url", "http://relay.example"}, "--url: relay URL \"http://relay.example\""},
      {{"probe"}, "no relay: name one, or configure relays.urls"}};
  for (auto [arguments, words] : nonsense) {
    arguments.insert(arguments.begin(), "relay");
    const Ran ran = stack.run("ann", arguments);
    INFO(arguments[1] << " " << arguments.back() << ": " << ran.err);
    CHECK(ran.exit == 2);
    CHECK(ran.err.find(words) != std::string::npos);
    CHECK(ran.err.size() < 200);
  }
}

TEST_CASE("status shows what waits for which relay, and why") {
  const Stack stack;
  stack.init("ann");
  ScriptedRelay locked([](ScriptedRelay& self, auto c, const nostr::ClientMessage& m) {
    if (const auto* p = std::get_if<nostr::PublishRequest>(&m)) {
      self.say(c, nostr::RelayMessage(nostr::OkMessage{p->event.id, false, "database is locked"}));
    }
  });
  const std::string url = locked.url().text();
  CHECK(json::parse(stack.run("ann", {"status", "--json"}).out)["outbox"]["waiting"] == 0);
  Command announce = stack.command("ann", {"announce", "self", "bafkqaaa", "--sequence", "1"});
  announce.environment["IPNSCAST_RELAYS_URLS"] = stack.relay_url() + "," + url;
  announce.environment["IPNSCAST_RELAYS_QUORUM"] = "all";
  const Ran announced = test::run(announce, kSoon);
  INFO(announced.out + announced.err);
  REQUIRE(announced.exit == 4);
  const json outbox = json::parse(stack.run("ann", {"status", "--json"}).out)["outbox"];
  CHECK(outbox["waiting"] == 1);
  const json& event = outbox["events"].at(0);
  CHECK(event["kind"] == 30078);
  REQUIRE(event["relays"].size() == 1);
  CHECK(event["relays"][0]["relay"] == url);
  CHECK(event["relays"][0]["state"] == "refused");
  CHECK(event["relays"][0]["reason"] == "database is locked");
  CHECK(event["relays"][0]["tries"] >= 1);
  const std::string shown = stack.run("ann", {"status"}).out;
  CHECK(shown.find("waiting  " + event["id"].get<std::string>()) != std::string::npos);
  CHECK(shown.find(url + "  refused: database is locked") != std::string::npos);
}

TEST_CASE("R15 what a command's relay lost after its OK the next command notices and sends again") {
  const Stack stack;
  stack.init("ann");
  std::mutex mutex;
  std::vector<nostr::Event> taken;  // guarded by mutex; the first one is lost
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const nostr::ClientMessage& m) {
    const std::lock_guard lock(mutex);
    if (const auto* p = std::get_if<nostr::PublishRequest>(&m)) {
      taken.push_back(p->event);
      self.say(c, nostr::RelayMessage(nostr::OkMessage{p->event.id, true, ""}));
    } else if (const auto* req = std::get_if<nostr::ReqRequest>(&m)) {
      if (taken.size() > 1 && nostr::matches_any(req->filters, taken[1]))
        self.say(c, nostr::RelayMessage(nostr::EventMessage{req->subscription, taken[1]}));
      self.say(c, nostr::RelayMessage(nostr::EoseMessage{req->subscription}));
    }
  });
  const auto command = [&](std::vector<std::string> words) {
    Command out = stack.command("ann", std::move(words));
    out.environment["IPNSCAST_RELAYS_URLS"] = relay.url().text();
    out.environment["IPNSCAST_DEVICES_ANNOUNCE"] = "false";
    return out;
  };
  const Ran announced =
      test::run(command({"announce", "self", "bafkqaaa", "--sequence", "1"}), kSoon);
  INFO(announced.out + announced.err);
  REQUIRE(announced.exit == 0);
  REQUIRE(relay.wait_heard("[\"EVENT\"", 1));
  test::Process watching(command({"watch", "self"}));
  REQUIRE(relay.wait_heard("[\"EVENT\"", 2));
  watching.signal(SIGTERM);
  const auto ended = watching.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
  const std::lock_guard lock(mutex);
  REQUIRE(taken.size() == 2);
  CHECK(taken[1] == taken[0]);
}
