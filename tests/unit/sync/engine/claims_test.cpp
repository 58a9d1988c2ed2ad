#include "ipnscast/tests/unit/sync/engine/engine_bench.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

TEST_CASE(
    "a trusted hint without a record is fetched at once and resolved beside it, and handed over "
    "when confirmed") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  const auto resolve = b.next<action::Resolve>();
  REQUIRE(resolve);
  CHECK(resolve->floor == Sequence{6});
  b.pass(Milliseconds(80));
  b.fetched();
  CHECK_FALSE(b.next<action::Deliver>());
  b.pass(Milliseconds(20));
  b.finish(*resolve, b.record(6, 6));
  CHECK_FALSE(b.next<action::Fetch>());
  const auto change = b.delivered();
  CHECK(change.cid == cid(6));
  CHECK(change.previous == cid(5));
  CHECK(change.source == SourceKind::nostr);
  CHECK(change.author == kFriend);
  CHECK(change.timing.confirmed == std::chrono::microseconds(100'000));
  CHECK(change.timing.fetched == std::chrono::microseconds(80'000));
}

TEST_CASE("a record inside of a hint confirms it whoever sent it (R1)") {
  Bench b;
  b.settled_at(5, 5);
  auto news = b.news(6, 6, kStranger);
  news.record = b.record(6, 6);
  b.feed(news);
  CHECK_FALSE(b.next<action::Resolve>());
  b.fetched();
  CHECK(b.delivered().cid == cid(6));
}

TEST_CASE(
    "a hint that arrives during a resolution is followed up right after it, without a loop (S0-23, "
    "R14)") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  const auto first = b.next<action::Resolve>();
  b.pass(Milliseconds(600));
  b.feed(b.news(7, 7));
  b.feed(b.news(8, 8));
  CHECK_FALSE(b.next<action::Resolve>());
  b.finish(*first, b.record(6, 6));
  const auto second = b.next<action::Resolve>();
  REQUIRE(second);
  CHECK(second->floor == Sequence{8});
  b.finish(*second, b.record(8, 8));
  CHECK_FALSE(b.next<action::Resolve>());
}

TEST_CASE(
    "at the first contact a trusted author's content is fetched while the others are asked, and "
    "handed over when they have answered (S0-17)") {
  const auto hint_with_record = [](Bench& b, uint64_t sequence, uint8_t tag,
                                   nostr::PublicKey by = kFriend) {
    News news = b.news(sequence, tag, by);
    news.record = b.record(sequence, tag);
    return news;
  };
  {
    Bench b;
    b.watch();
    const auto resolve = b.next<action::Resolve>();
    b.feed(hint_with_record(b, 6, 6));
    b.fetched();
    CHECK_FALSE(b.next<action::Deliver>());
    b.finish(*resolve, b.record(6, 6));
    CHECK_FALSE(b.next<action::Fetch>());
    CHECK(b.delivered().value == value_of(cid(6)));
  }
  {
    Bench b;  // somebody has a newer one
    b.watch();
    const auto resolve = b.next<action::Resolve>();
    b.feed(hint_with_record(b, 6, 6));
    const auto early = b.next<action::Fetch>();
    REQUIRE(early);
    b.finish(*resolve, b.record(7, 7));
    const auto cancel = b.next<action::Cancel>();
    REQUIRE(cancel);
    CHECK(cancel->job == early->job);
    b.fetched();
    CHECK(b.delivered().value == value_of(cid(7)));
  }
  {
    Bench b;
    b.watch();
    const auto resolve = b.next<action::Resolve>();
    b.feed(hint_with_record(b, 6, 6, kStranger));
    CHECK_FALSE(b.next<action::Fetch>());
  }
}

TEST_CASE("a burst of hints is coalesced, and the last one is never dropped") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  b.finish(*b.next<action::Resolve>(), b.record(6, 6));
  for (uint8_t i = 7; i < 50; ++i) b.feed(b.news(i, i));
  CHECK_FALSE(b.next<action::Resolve>());
  b.pass(Milliseconds(500));
  const auto resolve = b.next<action::Resolve>();
  REQUIRE(resolve);
  CHECK(resolve->floor == Sequence{49});
}

TEST_CASE("provisional: handed over before its record, then confirmed") {
  Bench b({.confirm = Confirm::trusted});
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  const auto resolve = b.next<action::Resolve>();
  b.fetched();
  const auto early = b.delivered();
  CHECK(early.kind == ChangeKind::provisional);
  CHECK(early.cid == cid(6));
  CHECK(early.author == kFriend);
  b.acknowledge();
  b.finish(*resolve, b.record(6, 6));
  CHECK_FALSE(b.next<action::Fetch>());
  const auto late = b.delivered();
  CHECK(late.kind == ChangeKind::confirmed);
  CHECK(late.sequence == Sequence{6});
}

TEST_CASE(
    "provisional: withdrawn when a record proves it wrong, also after a crash, then the truth "
    "follows (S0-19)") {
  for (const bool crash : {false, true}) {
    Bench b({.confirm = Confirm::trusted});
    b.settled_at(5, 5);
    b.feed(b.news(6, 6));
    b.fetched();
    CHECK(b.delivered().kind == ChangeKind::provisional);
    if (crash) {
      b.restart();
      b.actions.clear();
      b.watch();
    } else {
      b.acknowledge();
    }
    const auto resolve = b.next<action::Resolve>();
    REQUIRE(resolve);
    b.finish(*resolve, b.record(6, 7));
    const auto wrong = b.delivered();
    CHECK(wrong.kind == ChangeKind::withdrawn);
    CHECK(wrong.cid == cid(6));
    CHECK(wrong.previous == cid(5));
    b.acknowledge();
    b.fetched();
    CHECK(b.delivered().cid == cid(7));
  }
}

TEST_CASE("provisional: withdrawn when nothing proves it for five minutes") {
  Bench b({.confirm = Confirm::trusted});
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  b.fetched();
  CHECK(b.delivered().kind == ChangeKind::provisional);
  b.acknowledge();
  b.pass(Milliseconds(299'000));
  CHECK_FALSE(b.next<action::Deliver>());
  b.pass(Milliseconds(1'000));
  CHECK(b.delivered().kind == ChangeKind::withdrawn);
}

TEST_CASE("the same hint over a second source is counted and triggers nothing (S0-54, S0-56)") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  CHECK(b.next<action::Resolve>());
  auto copy = b.news(6, 6);
  copy.source = {SourceKind::websocket, "wss://push.example"};
  copy.event_id.reset();
  b.feed(copy);
  b.pass(Milliseconds(1'000));
  CHECK_FALSE(b.next<action::Resolve>());
  CHECK(b.engine->deduplicator().duplicates(SourceKind::websocket) == 1);
}

TEST_CASE("the echo of our own event asks for no work (S0-31, S0-35)") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(input::Sent{event(6), *b.news(6, 6).address, b.now.seconds()});
  b.feed(b.news(6, 6));
  CHECK(b.actions.empty());
  CHECK(b.engine->counts().at(Row::own_echo) == 1);
}

TEST_CASE(
    "an event of ours that the table of sent ones has dropped tells of no copied state (R37)") {
  Bench b({.own_key = author(3), .device_id = "phone"});
  b.settled_at(5, 5);
  auto old = b.news(6, 6, author(3));
  old.device_id = "phone";
  b.feed(input::Sent{event(7), *old.address, old.created_at});
  b.feed(old);
  CHECK_FALSE(b.next<action::NewDeviceId>());
  auto later = b.news(7, 8, author(3));
  later.device_id = "phone";
  later.created_at.value += 1;
  b.feed(later);
  CHECK(b.next<action::NewDeviceId>());
}

TEST_CASE("a copied state directory is noticed once and the event still counts") {
  Bench b({.own_key = author(3), .device_id = "phone"});
  b.settled_at(5, 5);
  auto news = b.news(6, 6, author(3));
  news.device_id = "phone";
  b.feed(news);
  CHECK(b.next<action::NewDeviceId>());
  CHECK(b.next<action::Resolve>());
  news.cid = cid(7);
  news.sequence = Sequence{7};
  b.feed(news);
  CHECK_FALSE(b.next<action::NewDeviceId>());
  b.feed(input::DeviceId{"phone-2"});
  news.sequence = Sequence{8};
  b.feed(news);
  CHECK_FALSE(b.next<action::NewDeviceId>());
}

TEST_CASE("strangers cause no fetch and a bounded number of resolutions") {
  Bench b;
  b.settled_at(5, 5);
  size_t resolutions = 0;
  for (uint8_t i = 0; i < 100; ++i) {
    b.feed(b.news(100 + i, i, kStranger));
    while (const auto resolve = b.next<action::Resolve>()) {
      ++resolutions;
      CHECK_FALSE(resolve->floor);
      b.finish(*resolve);
    }
    b.pass(Milliseconds(500));
  }
  CHECK_FALSE(b.next<action::Fetch>());
  CHECK(resolutions <= 11);
}

TEST_CASE("a trusted author whose hints are proved wrong is treated as a stranger") {
  Bench b;
  b.settled_at(5, 5);
  for (uint8_t i = 6; i < 9; ++i) {
    auto lie = b.news(i, 100);
    lie.record = b.record(i, i);
    b.feed(lie);
  }
  b.actions.clear();
  b.feed(b.news(20, 20));
  b.pass(Milliseconds(500));
  CHECK(b.next<action::Resolve>());
  for (const auto& action : b.actions) {
    if (const auto* fetch = std::get_if<action::Fetch>(&action))
      CHECK(fetch->value != value_of(cid(20)));
  }
}

TEST_CASE(
    "names are polled every 30 to 60 s, and every 120 s when their change came over a healthy "
    "source (S0-57, R29)") {
  Bench b;
  b.settled_at(5, 5);
  const auto poll = [&] {
    const Instant start = b.now.steady;
    while (true) {
      b.pass(Milliseconds(100));
      if (const auto asked = b.next<action::Poll>()) {
        b.feed(input::PollDone{kName, asked->job, std::nullopt, kNode, false});
        return std::chrono::duration_cast<Milliseconds>(b.now.steady - start);
      }
      REQUIRE(b.now.steady - start < std::chrono::minutes(3));
    }
  };
  b.feed(SourceHealth{kRelay, true});
  poll();
  // A relay on which nobody announced this name proves nothing for it.
  CHECK(poll() <= Milliseconds(60'200));
  b.arrive(b.record(6, 6));
  b.fetched();
  b.delivered();
  b.acknowledge();
  poll();
  CHECK(poll() >= Milliseconds(119'000));
  b.feed(SourceHealth{kRelay, false});
  CHECK(poll() <= Milliseconds(60'200));
  b.feed(SourceHealth{kRelay, true});
  poll();
  CHECK(poll() >= Milliseconds(119'000));
}

TEST_CASE("a poll that fails asks everybody (S0-58)") {
  Bench b;
  b.settled_at(5, 5);
  std::optional<action::Poll> poll;
  while (!poll) {
    b.pass(Milliseconds(1'000));
    poll = b.next<action::Poll>();
  }
  b.feed(input::PollDone{kName, poll->job, std::nullopt, kNode, true});
  CHECK(b.next<action::Resolve>());
}

TEST_CASE("work that nobody answers is given up and polling goes on") {
  Bench b;
  b.settled_at(5, 5);
  b.feed(b.news(6, 6));
  const auto lost = b.next<action::Resolve>();
  REQUIRE(lost);
  b.pass(Milliseconds(66'000));
  bool cancelled = false;
  while (const auto cancel = b.next<action::Cancel>())
    cancelled = cancelled || cancel->job == lost->job;
  CHECK(cancelled);
  b.pass(Milliseconds(120'000));
  CHECK((b.next<action::Poll>() || b.next<action::Resolve>()));
}

TEST_CASE(
    "a higher sequence is followed up whatever source tells of it, with its record or without, and "
    "the change names that source (S0-37)") {
  for (const auto kind :
       {SourceKind::nostr, SourceKind::websocket, SourceKind::sse, SourceKind::pubsub}) {
    for (const bool with_record : {true, false}) {
      Bench b;
      b.settled_at(5, 5);
      auto news = b.news(6, 6);
      news.source = {kind, "somewhere"};
      if (with_record) news.record = b.record(6, 6);
      b.feed(news);
      if (!with_record) b.finish(*b.next<action::Resolve>(), b.record(6, 6));
      b.fetched();
      const auto change = b.delivered();
      CHECK(change.sequence == Sequence{6});
      CHECK(change.source == kind);
    }
  }
}

TEST_CASE("a push server's claims are asked about within a budget of its own (S0-45)") {
  EngineOptions options;
  options.server_burst = 3;
  options.server_rate = 1;
  options.debounce = Milliseconds(0);
  Bench b(options);
  b.settled_at(5, 5);
  const auto claims = [&](const SourceId& from, uint64_t sequence) {
    News news = b.news(sequence, 9);
    news.author.reset();
    news.event_id.reset();
    news.address.reset();
    news.source = from;
    b.feed(news);
    const auto resolve = b.next<action::Resolve>();
    if (resolve) b.finish(*resolve);
    return resolve.has_value();
  };
  const SourceId one{SourceKind::websocket, "wss://one.example"};
  const SourceId two{SourceKind::sse, "https://two.example"};
  for (uint64_t sequence = 100; sequence < 103; ++sequence) CHECK(claims(one, sequence));
  CHECK_FALSE(claims(one, 103));
  CHECK(claims(two, 104));                           // another server has its own
  CHECK(claims({SourceKind::app, "own way"}, 105));  // and the application none (S0-37)
  b.pass(Milliseconds(1'000));
  CHECK(claims(one, 106));
  CHECK_FALSE(claims(one, 107));
  CHECK_FALSE(b.next<action::Fetch>());  // a stranger's word brings no content
}

TEST_CASE("a push server's claim that a record proves is the source of the change (S0-45)") {
  Bench b;
  b.settled_at(5, 5);
  News news = b.news(6, 6);
  news.author.reset();
  news.source = {SourceKind::websocket, "wss://one.example"};
  b.feed(news);
  const auto resolve = b.next<action::Resolve>();
  REQUIRE(resolve);
  b.finish(*resolve, b.record(6, 6));
  b.fetched();
  const auto change = b.delivered();
  CHECK(change.source == SourceKind::websocket);
  CHECK_FALSE(change.author);
}
