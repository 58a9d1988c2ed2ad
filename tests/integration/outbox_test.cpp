// The outbox on real sockets and a real state file, against scripted relays.
#include "nostr/outbox.h"

#include <filesystem>
#include <fstream>

#include "nostr/base/inbox.h"
#include "nostr/keys.h"
#include "nostr/limits_store.h"
#include "nostr/outbox_sender.h"
#include "nostr/quarantine_store.h"
#include "nostr/server/relay_server.h"
#include "tests/support/catch.h"
#include "tests/support/scripted_relay.h"
#include "tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

constexpr Milliseconds kWait{10'000};

const SecretKey& author() {
  static const SecretKey key = SecretKey::generate();
  return key;
}

Event hint(const std::string& d, int64_t created_at, const std::string& content = "") {
  return sign_event(author(), {{created_at}, 30078, {{"d", d}}, content});
}

int64_t now_seconds() { return system_now().seconds().value; }

// One process: a state file, a pool and an outbox.
struct Sender {
  std::unique_ptr<net::Loop> loop = std::move(*net::Loop::start());
  std::vector<RelayUrl> relays;
  std::unique_ptr<Pool> pool;
  std::unique_ptr<store::Writer> writer;
  Inbox<std::pair<Event, Event>> superseded{16};
  std::unique_ptr<OutboxSender> outbox;

  Sender(const std::filesystem::path& file, std::vector<RelayUrl> urls,
         OutboxSender::Options options = quick())
      : relays(urls) {
    PoolOptions with;
    with.relays = std::move(urls);
    with.relay.connect =
        with.relay.connect_in_outage = {Milliseconds(50), Milliseconds(200), Milliseconds(60'000)};
    pool = Pool::start(*loop, std::move(with));
    writer =
        std::make_unique<store::Writer>(std::move(*store::Database::open(file, {outbox_schema()})));
    options.on_superseded = [this](const Event& ours, const Event& newer) {
      superseded.try_push({ours, newer});
    };
    outbox = std::make_unique<OutboxSender>(*pool, *writer, std::move(options));
  }
  ~Sender() {
    outbox.reset();
    pool.reset();
  }

  static OutboxSender::Options quick() {
    OutboxSender::Options out;
    out.retry = {Milliseconds(50), Milliseconds(200), Milliseconds(60'000)};
    out.read_back = Milliseconds(50);
    return out;
  }

  // The first report.
  PublishReport send(const Event& event, Quorum quorum = {}) {
    REQUIRE(writer->run([&](store::Database& db) { return outbox_add(db, event, relays); }));
    auto reports = std::make_shared<Inbox<PublishReport>>(4);
    outbox->committed({event, relays}, std::move(quorum), [reports](const PublishReport& report) {
      reports->push_reserved(PublishReport(report));
    });
    auto report = reports->pop_until(std::chrono::steady_clock::now() + kWait);
    REQUIRE(report);
    return *report;
  }
  size_t waiting() {
    size_t out = 0;
    REQUIRE(writer->run([&](store::Database& db) -> Status {
      out = outbox_pending(db)->size();
      return {};
    }));
    return out;
  }
  bool wait_empty() {
    const Instant deadline = std::chrono::steady_clock::now() + kWait;
    while (std::chrono::steady_clock::now() < deadline) {
      if (waiting() == 0) return true;
    }
    return false;
  }
};

// Keeps what it is sent, as a good relay does, or loses what it acknowledged.
struct Shelf {
  std::mutex mutex;
  std::map<std::string, Event> newest;
  std::atomic<int> loses = 0;  // so many events yet

  void put(const Event& event) {
    std::lock_guard lock(mutex);
    auto [known, added] = newest.try_emplace(std::string(*event.tag("d")), event);
    if (!added && supersedes(event, known->second)) known->second = event;
  }
  std::optional<Event> get(const std::string& d) {
    std::lock_guard lock(mutex);
    const auto found = newest.find(d);
    return found == newest.end() ? std::nullopt : std::optional(found->second);
  }
  ScriptedRelay::Script script() {
    return [this](ScriptedRelay& self, auto c, const ClientMessage& m) {
      if (const auto* p = std::get_if<PublishRequest>(&m)) {
        if (loses > 0) {
          --loses;
        } else {
          put(p->event);
        }
        self.say(c, RelayMessage(OkMessage{p->event.id, true, ""}));
      } else if (const auto* req = std::get_if<ReqRequest>(&m)) {
        if (const auto event = get(req->filters[0].tags.at('d')[0]))
          self.say(c, RelayMessage(EventMessage{req->subscription, *event}));
        self.say(c, RelayMessage(EoseMessage{req->subscription}));
      }
    };
  }
};

}  // namespace

TEST_CASE("what a relay missed while it was away is sent as soon as it is back") {
  TempDir dir;
  Shelf shelf;
  std::optional<ScriptedRelay> relay(shelf.script());
  const uint16_t port = relay->port();
  OutboxSender::Options options = Sender::quick();
  options.deadline = Milliseconds(300);
  options.retry = {Milliseconds(60'000), Milliseconds(60'000), Milliseconds(60'000)};
  Sender sender(dir.path() / "state.db", {relay->url()}, options);
  relay.reset();
  const Event event = hint("a", now_seconds());
  CHECK(sender.send(event).relays.begin()->second.state == PublishState::unreachable);
  CHECK(sender.waiting() == 1);
  relay.emplace(shelf.script(), port);
  CHECK(sender.wait_empty());
  CHECK(shelf.get("a") == event);
}

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
  std::array<Shelf, 4> shelves;
  shelves[0].loses = 1000;
  std::vector<std::unique_ptr<ScriptedRelay>> relays;
  std::vector<RelayUrl> urls;
  for (Shelf& shelf : shelves) {
    relays.push_back(std::make_unique<ScriptedRelay>(shelf.script()));
    urls.push_back(relays.back()->url());
  }
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
  std::array<Shelf, 3> shelves;
  shelves[0].loses = 1000;
  std::vector<std::unique_ptr<ScriptedRelay>> relays;
  std::vector<RelayUrl> urls;
  for (Shelf& shelf : shelves) {
    relays.push_back(std::make_unique<ScriptedRelay>(shelf.script()));
    urls.push_back(relays.back()->url());
  }
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

TEST_CASE("R17 a missing OK is settled by reading back") {
  TempDir dir;
  Shelf shelf;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* p = std::get_if<PublishRequest>(&m)) return shelf.put(p->event);  // no OK
    shelf.script()(self, c, m);
  });
  Sender sender(dir.path() / "state.db", {relay.url()}, [] {
    auto options = Sender::quick();
    options.deadline = Milliseconds(200);
    return options;
  }());
  const Event event = hint("a", now_seconds());
  CHECK(sender.send(event).relays.begin()->second.state == PublishState::no_answer);
  CHECK(sender.wait_empty());
  CHECK(relay.heard().size() == 3);  // EVENT, REQ, CLOSE: not sent again
}

TEST_CASE("R2 a refusal for good ends there, one for now is tried again") {
  TempDir dir;
  Shelf shelf;
  std::atomic<int> refusals = 2;
  ScriptedRelay good([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* p = std::get_if<PublishRequest>(&m);
    if (p != nullptr && refusals-- > 0)
      return self.say(c, RelayMessage(OkMessage{p->event.id, false, "error: disk is busy"}));
    shelf.script()(self, c, m);
  });
  ScriptedRelay bad([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* p = std::get_if<PublishRequest>(&m))
      self.say(c, RelayMessage(OkMessage{p->event.id, false, "blocked: not you"}));
  });
  Sender sender(dir.path() / "state.db", {good.url(), bad.url()});
  const Event event = hint("a", now_seconds());
  const PublishReport report = sender.send(event, {1, true, {}});
  CHECK(report.relays.at(bad.url()).permanent);
  CHECK_FALSE(report.relays.at(good.url()).permanent);
  CHECK(sender.wait_empty());
  CHECK(shelf.get("a") == event);
  CHECK(bad.heard().size() == 1);
}

TEST_CASE("R2 a refusal without a known prefix is tried again") {
  TempDir dir;
  Shelf shelf;
  std::atomic<int> refusals = 2;
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    const auto* p = std::get_if<PublishRequest>(&m);
    if (p != nullptr && refusals-- > 0)
      return self.say(c, RelayMessage(OkMessage{p->event.id, false, "database is locked"}));
    shelf.script()(self, c, m);
  });
  Sender sender(dir.path() / "state.db", {relay.url()});
  const Event event = hint("a", now_seconds());
  CHECK_FALSE(sender.send(event).relays.at(relay.url()).permanent);
  CHECK(sender.wait_empty());
  CHECK(shelf.get("a") == event);
}

// A relay that answers "duplicate" without having the event; `shelf` says what it has.
RelayOutcome told_duplicate(Shelf& shelf, bool accepted, const Event& event) {
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* p = std::get_if<PublishRequest>(&m))
      return self.say(c, RelayMessage(OkMessage{p->event.id, accepted, "duplicate: have it"}));
    shelf.script()(self, c, m);
  });
  const auto loop = *net::Loop::start();
  PoolOptions with;
  with.relays = {relay.url()};
  const auto pool = Pool::start(*loop, std::move(with));
  Inbox<PublishReport> reports(1);
  pool->publish(event, {}, [&](PublishReport report) { reports.try_push(std::move(report)); });
  const auto report = reports.pop_until(std::chrono::steady_clock::now() + kWait);
  REQUIRE(report);
  return report->relays.at(relay.url());
}

TEST_CASE("a duplicate is looked for at its address, also where nobody asked for a read-back") {
  const Event ours = hint("a", 1000, "ours");
  const Event newer = hint("a", 2000, "newer");
  for (const bool accepted : {false, true}) {
    Shelf empty, same, other;
    same.put(ours);
    other.put(newer);
    const RelayOutcome none = told_duplicate(empty, accepted, ours);
    CHECK(none.state == PublishState::no_answer);
    CHECK(none.read_back == ReadBack::missing);
    CHECK_FALSE(none.stored());
    const RelayOutcome there = told_duplicate(same, accepted, ours);
    CHECK(there.state == PublishState::duplicate);
    CHECK(there.stored());
    const RelayOutcome stale = told_duplicate(other, accepted, ours);
    CHECK(stale.state == PublishState::superseded);
    REQUIRE(stale.newer);
    CHECK(*stale.newer == newer);
  }
}

TEST_CASE("a newer event at our address is given back, and ours leaves the outbox") {
  TempDir dir;
  Shelf shelf;
  const Event newer = hint("a", now_seconds() + 100, "of another device");
  shelf.put(newer);
  ScriptedRelay relay([&](ScriptedRelay& self, auto c, const ClientMessage& m) {
    if (const auto* p = std::get_if<PublishRequest>(&m))  // as some relays do for what is stale
      return self.say(c, RelayMessage(OkMessage{p->event.id, true, "duplicate: have it"}));
    shelf.script()(self, c, m);
  });
  Sender sender(dir.path() / "state.db", {relay.url()});
  const Event ours = hint("a", now_seconds());
  sender.send(ours);
  const auto given = sender.superseded.pop_until(std::chrono::steady_clock::now() + kWait);
  REQUIRE(given);
  CHECK(given->first == ours);
  CHECK(given->second == newer);
  CHECK(sender.wait_empty());
}

TEST_CASE("what waits survives the process, and a damaged row keeps nothing else back") {
  TempDir dir;
  const Event lost = hint("lost", now_seconds());
  const Event kept = hint("kept", now_seconds());
  const RelayUrl nowhere = *RelayUrl::parse("ws://127.0.0.1:1");
  Shelf shelf;
  ScriptedRelay relay(shelf.script());
  {
    auto db = std::move(*store::Database::open(dir.path() / "state.db", {outbox_schema()}));
    REQUIRE(outbox_add(*db, lost, {relay.url()}));
    REQUIRE(outbox_add(*db, kept, {relay.url()}));
    REQUIRE(
        db->execute("UPDATE outbox SET json = replace(json, '\"kind\":30078', "
                    "'\"kind\":30079') WHERE d = 'lost'"));
  }
  Sender sender(dir.path() / "state.db", {relay.url()});
  const Instant deadline = std::chrono::steady_clock::now() + kWait;
  while (!shelf.get("kept") && std::chrono::steady_clock::now() < deadline) sender.waiting();
  CHECK(shelf.get("kept") == kept);
  CHECK_FALSE(shelf.get("lost"));
}

TEST_CASE("a full outbox gives up what some relay has, never what none has") {
  auto db = std::move(*store::Database::open(":memory:", {outbox_schema()}));
  const RelayUrl alive = *RelayUrl::parse("ws://127.0.0.1:1");
  const RelayUrl dead = *RelayUrl::parse("ws://127.0.0.1:2");
  const OutboxLimits limits{3, Seconds(1000)};
  std::vector<Event> events;
  for (int i = 0; i < 4; ++i) events.push_back(hint(std::to_string(i), 1000 + i));
  for (int i = 0; i < 3; ++i) REQUIRE(outbox_add(*db, events[i], {alive, dead}, limits));
  const auto refused = outbox_add(*db, events[3], {alive, dead}, limits);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::busy);
  REQUIRE(outbox_note(*db, events[1].id, alive, {PublishState::acknowledged}));
  REQUIRE(outbox_add(*db, events[3], {alive, dead}, limits));
  const auto pending = outbox_pending(*db);
  REQUIRE(pending->size() == 3);
  for (const auto& entry : *pending) CHECK_FALSE(entry.event == events[1]);

  REQUIRE(outbox_advance_clock(*db, Seconds(1000), {2000}));
  REQUIRE(outbox_expire(*db, limits)->empty());
  REQUIRE(outbox_advance_clock(*db, Seconds(1), {2001}));
  const auto expired = outbox_expire(*db, limits);
  REQUIRE(expired);
  REQUIRE(expired->size() == 3);
  CHECK(expired->front().event == events[0]);
  CHECK(expired->front().relays.size() == 2);
  CHECK(outbox_pending(*db)->empty());
}

namespace {

// An outbox with one event, as processes find it whose clocks say what they say.
struct Waiting {
  static constexpr int64_t kDay = 86'400;
  std::unique_ptr<store::Database> db =
      std::move(*store::Database::open(":memory:", {outbox_schema()}));
  int64_t wall = 1'800'000'000;

  Waiting() {
    start(0);
    REQUIRE(outbox_add(*db, hint("a", 1000), {*RelayUrl::parse("ws://127.0.0.1:1")}));
  }
  // Another process, after the machine's clock went on by so much.
  void start(int64_t passed) {
    wall += passed;
    REQUIRE(outbox_resume_clock(*db, {wall}));
  }
  // So much true time, counted once an hour; the machine's clock keeps what it is wrong by.
  void run(int64_t seconds) {
    for (; seconds > 0; seconds -= 3600) {
      wall += 3600;
      REQUIRE(outbox_advance_clock(*db, Seconds(3600), {wall}));
    }
  }
  size_t given_up() { return outbox_expire(*db, OutboxLimits{})->size(); }
};

}  // namespace

TEST_CASE("a clock that jumps a year ahead or back gives up no event") {
  for (const int64_t jump :
       {365 * Waiting::kDay, 31 * Waiting::kDay, -365 * Waiting::kDay, int64_t{-1'700'000'000}}) {
    INFO("a jump of " << jump << " s");
    Waiting outbox;
    outbox.start(jump);  // a false reading between two processes
    CHECK(outbox.given_up() == 0);
    outbox.wall += jump;  // and within one
    outbox.run(3600);
    CHECK(outbox.given_up() == 0);
    outbox.start(-jump);  // and it is set right
    CHECK(outbox.given_up() == 0);
    for (int i = 0; i < 20; ++i) {  // a board without a battery: 1970 until the network is there
      outbox.start(-1'700'000'000);
      outbox.start(1'700'000'000);
    }
    CHECK(outbox.given_up() == 0);
    outbox.run(28 * Waiting::kDay);
    CHECK(outbox.given_up() == 0);
    outbox.run(2 * Waiting::kDay);
    CHECK(outbox.given_up() == 1);
  }
}

TEST_CASE("an event is given up after its time, whether processes run on or are started daily") {
  Waiting daemon;
  daemon.run(30 * Waiting::kDay);
  CHECK(daemon.given_up() == 0);
  daemon.run(3600);
  CHECK(daemon.given_up() == 1);
  Waiting daily;
  for (int day = 0; day < 30; ++day) daily.start(Waiting::kDay);
  CHECK(daily.given_up() == 0);
  daily.start(60);
  CHECK(daily.given_up() == 1);
}

TEST_CASE("an event whose created_at lies far back is kept and sent") {
  TempDir dir;
  Shelf shelf;
  ScriptedRelay relay(shelf.script());
  const Event old = hint("old", 1000);
  {
    auto db = std::move(*store::Database::open(dir.path() / "state.db", {outbox_schema()}));
    REQUIRE(outbox_add(*db, old, {relay.url()}));
  }
  Sender sender(dir.path() / "state.db", {relay.url()});
  CHECK(sender.wait_empty());
  CHECK(shelf.get("old") == old);
}

TEST_CASE("what waits can be looked at: what each relay said, how often, a bounded number") {
  auto db = std::move(*store::Database::open(":memory:", {outbox_schema()}));
  const RelayUrl kept = *RelayUrl::parse("ws://127.0.0.1:1");
  const RelayUrl lacks = *RelayUrl::parse("ws://127.0.0.1:2");
  for (int i = 0; i < 5; ++i)
    REQUIRE(outbox_add(*db, hint(std::to_string(i), 1000 + i), {kept, lacks}));
  const auto id = outbox_view(*db, 1)->first.front().id;
  const std::string words = "error: " + std::string(291, 'x') + "\xe2\x82\xac and more";
  REQUIRE(outbox_note(*db, id, kept, {PublishState::acknowledged}));
  REQUIRE(outbox_note(*db, id, lacks, {PublishState::refused, words, false}));
  REQUIRE(outbox_note(*db, id, lacks, {PublishState::refused, words, false}));
  const auto view = outbox_view(*db, 2);
  REQUIRE(view);
  CHECK(view->events == 5);
  REQUIRE(view->first.size() == 2);
  const WaitingEvent& waiting = view->first[0];
  CHECK(waiting.kind == 30078);
  CHECK(waiting.d == "0");
  CHECK(std::abs(waiting.accepted_at.value - now_seconds()) < 60);
  REQUIRE(waiting.relays.size() == 1);
  CHECK(waiting.relays[0].relay == lacks);
  CHECK(waiting.relays[0].state == "refused");
  CHECK(waiting.relays[0].reason == "error: " + std::string(291, 'x'));  // no half character
  CHECK(waiting.relays[0].tries == 2);
  CHECK(view->first[1].relays.size() == 2);
  CHECK(view->first[1].relays[0].tries == 0);
}

TEST_CASE("an outbox of the first schema keeps what waits in it") {
  TempDir dir;
  const auto file = dir.path() / "state.db";
  const Event event = hint("a", 1000);
  {
    const store::Schema first{"nostr", {outbox_schema().migrations.front()}};
    auto db = std::move(*store::Database::open(file, {first}));
    auto row = db->prepare(
        "INSERT INTO outbox (event_id, kind, pubkey, d, created_at, json) VALUES (?, 30078, ?, "
        "'a', 1000, ?)");
    row.bind(event.id.view()).bind(event.pubkey.view()).bind(std::string_view(to_json(event)));
    REQUIRE(row.run());
    REQUIRE(
        db->execute("INSERT INTO outbox_relays (number, relay) VALUES (1, 'ws://127.0.0.1:1')"));
  }
  auto db = std::move(*store::Database::open(file, {outbox_schema()}));
  CHECK(outbox_expire(*db, OutboxLimits{})->empty());
  const auto pending = outbox_pending(*db);
  REQUIRE(pending->size() == 1);
  CHECK(pending->front().event == event);
}

TEST_CASE("a full disk refuses the event and keeps what was accepted") {
  auto db = std::move(*store::Database::open(":memory:", {outbox_schema()}));
  const RelayUrl relay = *RelayUrl::parse("ws://127.0.0.1:1");
  REQUIRE(db->execute("PRAGMA max_page_count = 30"));
  size_t accepted = 0;
  Status last;
  for (int i = 0; i < 100 && last; ++i) {
    REQUIRE(db->begin());
    last = outbox_add(*db, hint(std::to_string(i), 1000 + i, std::string(2000, 'x')), {relay});
    if (last) last = db->commit();
    if (last) ++accepted;
    if (!last) db->rollback();
  }
  REQUIRE_FALSE(last);
  CHECK(last.error().message.find("full") != std::string::npos);
  CHECK(accepted > 5);
  CHECK(outbox_pending(*db)->size() == accepted);
}

TEST_CASE(
    "NIP-11 what a relay says it does not take is refused here, with its limit in the reason") {
  TempDir dir;
  auto loop = *net::Loop::start();
  server::RelayOptions limits;
  limits.max_event_tags = 3;
  auto relay = server::RelayServer::start(*loop, {.port = 0, .relay = limits});
  REQUIRE(relay);
  const RelayUrl url = *RelayUrl::parse((*relay)->url());
  Sender sender(dir.path() / "state.db", {url});
  const std::vector<Tag> tags{{"d", "a"}, {"t", "1"}, {"t", "2"}, {"t", "3"}};
  const Instant deadline = std::chrono::steady_clock::now() + kWait;
  std::string reason;
  for (int i = 0; reason.find("this relay takes 3") == std::string::npos; ++i) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);  // until the document is here
    const Event event = sign_event(author(), {{now_seconds() + i}, 30078, tags, ""});
    const PublishReport report = sender.send(event);
    REQUIRE(report.relays.at(url).state == PublishState::refused);
    reason = report.relays.at(url).reason;
  }
  CHECK(reason == "invalid: tags 4, this relay takes 3");
}
