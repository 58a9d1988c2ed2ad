// What is remembered of relays beside the outbox: how they kept what they took, and their limits.
#include <algorithm>
#include <set>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/outbox/read_back_store.h"
#include "ipnscast/tests/integration/nostr/outbox_fixture.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

// Relays of which the first loses all that it acknowledges.
template <size_t Count>
class OneLoser {
 public:
  OneLoser() {
    shelves_[0].loses = 1000;
    for (Shelf& shelf : shelves_)
      relays_.push_back(std::make_unique<ScriptedRelay>(shelf.script()));
  }
  std::vector<RelayUrl> urls() const {
    std::vector<RelayUrl> out;
    for (const auto& relay : relays_) out.push_back(relay->url());
    return out;
  }

 private:
  std::array<Shelf, Count> shelves_;
  std::vector<std::unique_ptr<ScriptedRelay>> relays_;
};

}  // namespace

TEST_CASE("R15 a relay that acknowledges and loses is found out, and gets the event again") {
  TempDir dir;
  Shelf shelf;
  shelf.loses = 2;
  ScriptedRelay relay(shelf.script());
  Sender sender(dir.path() / "state.db", {relay.url()});
  const Event event = hint("a", now_seconds());
  CHECK(sender.send(event).stored_count() == 1);
  const Instant deadline = std::chrono::steady_clock::now() + kWait;
  while (!shelf.get("a") && std::chrono::steady_clock::now() < deadline) sender.waiting();
  CHECK(shelf.get("a") == event);
  CHECK(sender.wait_empty());
}

TEST_CASE("R15 what a relay that keeps losing acknowledges does not count for the quorum") {
  TempDir dir;
  const OneLoser<4> played;
  const std::vector<RelayUrl> urls = played.urls();
  Sender sender(dir.path() / "state.db", urls);
  sender.send(hint("a", now_seconds()), {4, false, {}});
  const auto held = [&] {
    for (const auto& status : sender.pool->status()) {
      if (status.url == urls[0] && status.quarantined) return true;
    }
    return false;
  };
  const Instant deadline = std::chrono::steady_clock::now() + kWait;
  while (!held() && std::chrono::steady_clock::now() < deadline) sender.waiting();
  REQUIRE(held());
  const PublishReport report = sender.send(hint("b", now_seconds()), {4, false, {}});
  CHECK(report.stored_count() == 3);
  CHECK(report.relays.at(urls[0]).quarantined);
  CHECK(sender.wait_empty());  // nothing waits for it for ever
}

TEST_CASE("R15 a relay that loses is found out by processes that see one loss each, too") {
  TempDir dir;
  const OneLoser<3> played;
  const std::vector<RelayUrl> urls = played.urls();
  OutboxSender::Options once = Sender::quick();
  once.retry = {Milliseconds(60'000), Milliseconds(60'000), Milliseconds(60'000)};
  const auto losses = [&](Sender& sender) {
    size_t out = 0;
    REQUIRE(sender.writer->run([&](store::Database& db) -> Status {
      out = (*load_standings(db, {now_seconds()}))[urls[0]].losses;
      return {};
    }));
    return out;
  };
  for (size_t process = 1; process <= 3; ++process) {
    Sender sender(dir.path() / "state.db", urls, once);
    sender.send(hint("a", now_seconds() + static_cast<int64_t>(process)), {2, false, {}});
    const Instant deadline = std::chrono::steady_clock::now() + kWait;
    while (losses(sender) < process) REQUIRE(std::chrono::steady_clock::now() < deadline);
  }
  Sender next(dir.path() / "state.db", urls, once);
  const PublishReport report = next.send(hint("b", now_seconds()), {2, false, {}});
  CHECK(report.relays.at(urls[0]).quarantined);
  CHECK(report.stored_count() == 2);
}

namespace {

std::set<RelayUrl> owed_relays(Sender& sender) {
  std::set<RelayUrl> out;
  REQUIRE(sender.writer->run([&](store::Database& db) -> Status {
    const auto relays = *load_read_back_relays(db);
    out.insert(relays.begin(), relays.end());
    return {};
  }));
  return out;
}

// A process that ends when the relays have acknowledged the event, before it was read back.
void send_and_leave(const std::filesystem::path& file, const std::vector<RelayUrl>& relays,
                    const Event& event) {
  OutboxSender::Options hasty = Sender::quick();
  hasty.read_back = Milliseconds(60'000);
  Sender sender(file, relays, hasty);
  CHECK(sender.send(event, {relays.size(), false, {}}).stored_count() == relays.size());
  REQUIRE(sender.wait_empty());  // with the same commit
  CHECK(owed_relays(sender).size() == relays.size());
}

size_t count_prefix(const ScriptedRelay& relay, const std::string& prefix) {
  const auto heard = relay.heard();
  return static_cast<size_t>(std::count_if(
      heard.begin(), heard.end(), [&](const auto& frame) { return frame.starts_with(prefix); }));
}

}  // namespace

TEST_CASE(
    "R15 what a process did not wait to read back the next one does, and sends again what is "
    "lost") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  Shelf loser, keeper;
  loser.loses = 2;  // more than are kept afterwards: its standing stays
  ScriptedRelay bad(loser.script());
  ScriptedRelay good(keeper.script());
  const Event event = hint("a", now_seconds());
  send_and_leave(file, {bad.url(), good.url()}, event);
  CHECK_FALSE(loser.get("a"));
  CHECK(count_prefix(bad, "[\"REQ\"") == 0);

  Sender next(file, {bad.url(), good.url()});
  const Instant deadline = std::chrono::steady_clock::now() + kWait;
  while (!loser.get("a")) REQUIRE(std::chrono::steady_clock::now() < deadline);
  CHECK(loser.get("a") == event);
  while (!owed_relays(next).empty()) REQUIRE(std::chrono::steady_clock::now() < deadline);
  CHECK(next.wait_empty());
  CHECK(count_prefix(good, "[\"EVENT\"") == 1);
  REQUIRE(next.writer->run([&](store::Database& db) -> Status {
    CHECK((*load_standings(db, {now_seconds()})).count(bad.url()) == 1);
    return {};
  }));
}

TEST_CASE("R15 a relay that is away is read back when it returns, by the process that is there") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  Shelf shelf;
  shelf.loses = 1;
  std::optional<ScriptedRelay> relay(shelf.script());
  const uint16_t port = relay->port();
  const std::vector<RelayUrl> urls{relay->url()};
  const Event event = hint("a", now_seconds());
  send_and_leave(file, urls, event);
  relay.reset();
  Sender next(file, urls);
  CHECK(owed_relays(next).size() == 1);
  relay.emplace(shelf.script(), port);
  const Instant deadline = std::chrono::steady_clock::now() + kWait;
  while (!shelf.get("a")) REQUIRE(std::chrono::steady_clock::now() < deadline);
  CHECK(next.wait_empty());
}

TEST_CASE("R15 only the newest version is read back, and nothing that was deleted") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  Shelf shelf;
  shelf.loses = 4;
  ScriptedRelay relay(shelf.script());
  const std::vector<RelayUrl> urls{relay.url()};
  const int64_t now = now_seconds();
  send_and_leave(file, urls, hint("a", now));
  const Event newest = hint("a", now + 1);
  send_and_leave(file, urls, newest);
  const Event other = hint("b", now);
  send_and_leave(file, urls, other);
  const auto owed = [&](store::Database& db) {
    std::vector<EventId> out;
    const auto rows = load_read_backs(db, relay.url(), 0, 100);
    REQUIRE(rows);
    for (const auto& one : *rows) out.push_back(one.event.id);
    return out;
  };
  auto db = std::move(*store::Database::open(file, {outbox_schema()}));
  CHECK(owed(*db) == std::vector<EventId>{newest.id, other.id});
  const std::string a = "30078:" + to_hex(author().public_key().view()) + ":a";
  REQUIRE(outbox_add(*db, sign_event(author(), {{now}, 5, {{"a", a}}, ""}), urls));
  CHECK(owed(*db).size() == 2);  // it is older than what stands there
  REQUIRE(outbox_add(*db, sign_event(author(), {{now + 1}, 5, {{"a", a}}, ""}), urls));
  CHECK(owed(*db) == std::vector<EventId>{other.id});
  const auto stranger = SecretKey::generate();
  const std::string id = to_hex(other.id.view());
  REQUIRE(outbox_add(*db, sign_event(stranger, {{now + 9}, 5, {{"e", id}}, ""}), urls));
  CHECK(owed(*db).size() == 1);
  REQUIRE(outbox_advance_clock(*db, Seconds(3600), {now}));
  REQUIRE(expire_read_backs(*db));
  CHECK(owed(*db).size() == 1);
  for (int hour = 0; hour < 24; ++hour) REQUIRE(outbox_advance_clock(*db, Seconds(3600), {now}));
  REQUIRE(expire_read_backs(*db));
  CHECK(owed(*db).empty());
}

TEST_CASE("what is deleted before it was read back is not sent again, and speaks against nobody") {
  TempDir dir;
  Shelf shelf;
  shelf.loses = 1;  // as a relay does that carries out the deletion
  ScriptedRelay relay(shelf.script());
  OutboxSender::Options options = Sender::quick();
  options.read_back = Milliseconds(500);
  Sender sender(dir.path() / "state.db", {relay.url()}, options);
  const Event event = hint("a", now_seconds());
  sender.send(event);
  const std::string id = to_hex(event.id.view());
  sender.send(sign_event(author(), {{now_seconds()}, 5, {{"e", id}, {"d", "deletion"}}, ""}));
  REQUIRE(relay.wait_heard("[\"CLOSE\"", 2));  // both were read back
  CHECK(sender.wait_empty());
  CHECK_FALSE(shelf.get("a"));
  REQUIRE(sender.writer->run([&](store::Database& db) -> Status {
    CHECK((*load_standings(db, {now_seconds()})).empty());
    return {};
  }));
}

TEST_CASE("NIP-11 a limit that a refusal taught is kept to by the next process") {
  TempDir dir;
  std::atomic<size_t> refused = 0;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* req = std::get_if<ReqRequest>(&m);
    if (req == nullptr) return;
    const bool too_much = needs_of(req->filters).max_list > 50;
    refused += too_much;
    if (too_much)
      return self.say(c, RelayMessage(ClosedMessage{req->subscription,
                                                    "blocked: too many things to filter for"}));
    self.say(c, RelayMessage(EoseMessage{req->subscription}));
  });
  Filter wanted;
  for (int i = 0; i < 100; ++i) wanted.tags['d'].push_back(std::to_string(i));
  const auto known = [&](Sender& sender) {
    std::map<RelayUrl, LearnedLimits> out;
    REQUIRE(sender.writer->run([&](store::Database& db) -> Status {
      out = *load_limits(db, {now_seconds()});
      return {};
    }));
    return out;
  };
  for (int process = 0; process < 2; ++process) {
    Sender sender(dir.path() / "state.db", {relay.url()});
    Inbox<PoolMessage> inbox(100);
    // In a second life after what the first one knew was read.
    const Instant deadline = std::chrono::steady_clock::now() + kWait;
    if (process == 1) REQUIRE(known(sender)[relay.url()].requests.max_list == 50);
    while (process == 1 && sender.pool->status()[0].learned.requests.max_list != 50)
      REQUIRE(std::chrono::steady_clock::now() < deadline);
    sender.pool->subscribe({wanted}, [&](PoolMessage& m) { return inbox.try_push(std::move(m)); });
    while (const auto message = inbox.pop_until(deadline)) {
      if (std::holds_alternative<PoolEose>(*message)) break;
    }
    while (known(sender).empty()) REQUIRE(std::chrono::steady_clock::now() < deadline);
    CHECK(refused == 1);
  }
}

TEST_CASE("NIP-11 learned limits are bounded, and believed for a month") {
  auto db = std::move(*store::Database::open(":memory:", {outbox_schema()}));
  const auto url = [](int i) {
    return *RelayUrl::parse("ws://relay-" + std::to_string(i) + ".example");
  };
  LearnedLimits learned;
  learned.subscriptions = 7;
  learned.requests.max_filters = 3;
  for (int i = 0; i < 1200; ++i) REQUIRE(save_limits(*db, url(i), learned, {10'000'000}));
  CHECK(load_limits(*db, {10'000'000})->size() == 1000);
  CHECK((*load_limits(*db, {10'000'000}))[url(1199)] == learned);
  CHECK(load_limits(*db, {10'000'000 + 31 * 86'400})->empty());
  CHECK(load_limits(*db, {0})->empty());  // a clock that jumped
  REQUIRE(save_limits(*db, url(1199), {}, {10'000'000}));
  CHECK(load_limits(*db, {10'000'000})->count(url(1199)) == 0);
}

TEST_CASE("R15 standings are bounded, and a clock that jumps prolongs no quarantine") {
  auto db = std::move(*store::Database::open(":memory:", {outbox_schema()}));
  const auto url = [](int number) {
    return *RelayUrl::parse("wss://relay-" + std::to_string(number) + ".example");
  };
  const RelayStanding held{3, Seconds(3600), Seconds(1800)};
  for (int i = 0; i < 1200; ++i) REQUIRE(save_standing(*db, url(i), held, {1'000'000}));
  CHECK(load_standings(*db, {1'000'000})->size() == 1000);
  CHECK(load_standings(*db, {1'000'000})->count(url(0)) == 0);
  CHECK((*load_standings(*db, {1'000'600}))[url(1199)].left == Seconds(1200));
  CHECK((*load_standings(*db, {2'000'000}))[url(1199)].left == Seconds(0));
  CHECK((*load_standings(*db, {0}))[url(1199)].left == Seconds(3600));
  REQUIRE(save_standing(*db, url(1199), {}, {1'000'000}));
  CHECK(load_standings(*db, {1'000'000})->count(url(1199)) == 0);
}
