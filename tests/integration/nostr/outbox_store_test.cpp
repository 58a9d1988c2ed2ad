// What the outbox keeps through clocks that jump, full disks and damaged files.
#include <cmath>

#include "ipnscast/tests/integration/nostr/outbox_fixture.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

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

TEST_CASE(
    "R30 in a full outbox a newer version takes the place of the older one, and a deletion that no "
    "relay has got stays: what does not fit is refused aloud") {
  auto db = std::move(*store::Database::open(":memory:", {outbox_schema()}));
  const std::vector<RelayUrl> relays = {*RelayUrl::parse("ws://127.0.0.1:1")};
  const OutboxLimits limits{3, Seconds(1000)};
  const Event deletion = sign_event(author(), {{1000}, 5, {{"e", std::string(64, 'a')}}, ""});
  const Event first = hint("a", 1000, "one");
  const Event other = hint("b", 1000);
  for (const Event& event : {deletion, first, other})
    REQUIRE(outbox_add(*db, event, relays, limits));
  const Event second = hint("a", 1001, "two");
  REQUIRE(outbox_add(*db, second, relays, limits));
  const auto refused = outbox_add(*db, hint("c", 1000), relays, limits);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::busy);
  const auto pending = outbox_pending(*db);
  REQUIRE(pending);
  const auto waits = [&](const Event& event) {
    return std::any_of(pending->begin(), pending->end(),
                       [&](const auto& entry) { return entry.event == event; });
  };
  CHECK(pending->size() == 3);
  CHECK(waits(deletion));
  CHECK(waits(second));
  CHECK(waits(other));
}
