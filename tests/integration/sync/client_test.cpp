// Devices, a relay and a node in one process, over real sockets.
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/tests/integration/sync/client_world.h"
#include "ipnscast/tests/support/gateways/raw_http.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::Changes;
using ipnscast::test::read_file;
using ipnscast::test::World;

// What polling would have brought comes a day later here: only a hint is as fast as S0-61 wants it.
// `tools/check bench` has the time.
TEST_CASE(
    "S0-26 S0-32 S0-60 S0-61 what one device publishes is handed over on the other by a hint, "
    "before any poll, verified, in order") {
  World world;
  Changes changes;
  auto writer = Client::open(world.config("writer"));
  REQUIRE(writer);
  auto reader_config = world.config("reader");
  reader_config.poll_min = reader_config.poll_max = reader_config.poll_healthy =
      std::chrono::hours(24);
  auto reader = Client::open(reader_config);
  REQUIRE(reader);
  REQUIRE((*reader)->watch(world.key.name(), changes.options()));

  std::optional<Cid> previous;
  for (const std::string text : {"one", "two", "three"}) {
    auto outcome = (*writer)->publish(world.key, world.tree(text));
    REQUIRE(outcome);
    CHECK(outcome->quorum_met);
    for (const auto& place : outcome->places) {
      INFO(place.url << " " << place.detail);
      CHECK(place.ok);
    }
    const auto change = changes.next(ChangeKind::change);
    REQUIRE(change);
    CHECK(change->sequence == outcome->sequence);
    CHECK(change->source == SourceKind::nostr);
    REQUIRE(change->cid);
    CHECK(change->cid->as_v1() == outcome->cid.as_v1());
    CHECK(change->previous == previous);
    previous = change->cid;
    const auto target = world.dir.path() / ("copy-" + text);
    REQUIRE(unpack((*reader)->blocks(), *change->cid, target));
    CHECK(read_file(target / "file.txt") == text);
    CHECK(read_file(target / "sub" / "other.txt") == text + " too");
  }
}

TEST_CASE(
    "S0-12 S0-66 a device that was away gets the latest, and sequences go on after a restart") {
  World world;
  Sequence last;
  {
    auto writer = *Client::open(world.config("writer"));
    REQUIRE(writer->publish(world.key, world.tree("one")));
  }
  {
    auto writer = *Client::open(world.config("writer"));
    auto outcome = writer->publish(world.key, world.tree("two"));
    REQUIRE(outcome);
    CHECK(outcome->sequence.value == 2);
    last = outcome->sequence;
  }
  Changes changes;
  auto reader = *Client::open(world.config("reader"));
  REQUIRE(reader->watch(world.key.name(), changes.options()));
  const auto change = changes.next(ChangeKind::change);
  REQUIRE(change);
  CHECK(change->sequence == last);
}

TEST_CASE(
    "R6 R8 a change whose handler fails comes again, also after a restart, until it succeeds "
    "once") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  {
    Inbox<Change> failed(100);
    auto reader = *Client::open(world.config("reader"));
    WatchOptions failing;
    failing.on_change = [&](const Change& change) {
      failed.push_reserved(change);
      return Status(fail(Errc::io, "the disk is full"));
    };
    REQUIRE(reader->watch(world.key.name(), failing));
    const auto deadline = std::chrono::steady_clock::now() + Milliseconds(200'000);
    REQUIRE(failed.pop_until(deadline));
    REQUIRE(failed.pop_until(deadline));
    reader->close();
  }
  {
    Changes changes;
    auto reader = *Client::open(world.config("reader"));
    REQUIRE(reader->watch(world.key.name(), changes.options()));
    REQUIRE(changes.next(ChangeKind::change));
    // The acknowledgement is committed behind the handler's back; close() waits for it.
    reader->close();
  }
  Changes changes;
  auto reader = *Client::open(world.config("reader"));
  REQUIRE(reader->watch(world.key.name(), changes.options()));
  // Relay and node have "one" still; what comes first is "two" all the same.
  REQUIRE(writer->publish(world.key, world.tree("two")));
  const auto first = changes.next();
  REQUIRE(first);
  CHECK(first->kind == ChangeKind::change);
  CHECK(first->sequence.value == 2);
}

TEST_CASE(
    "S0-14 a tree that was emptied stays empty, though a copy of the device announces what was in "
    "it") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  const auto full = writer->publish(world.key, world.tree("one"));
  REQUIRE(full);
  Changes changes;
  auto reader = *Client::open(world.config("reader"));
  REQUIRE(reader->watch(world.key.name(), changes.options()));
  REQUIRE(changes.next(ChangeKind::change));
  const auto empty = world.dir.path() / "empty";
  std::filesystem::create_directories(empty);
  const auto emptied = writer->publish(world.key, empty, {.force = true});
  REQUIRE(emptied);
  const auto deletion = changes.next(ChangeKind::change);
  REQUIRE(deletion);
  CHECK(deletion->sequence == emptied->sequence);
  // It kept the record from before the deletion.
  auto copy = *Client::open(world.config("copy"));
  const auto kept = verify_record(world.key.name(), full->record, system_now().wall);
  REQUIRE(kept);
  REQUIRE(copy->announce(world.key.name(), full->cid, full->sequence, *kept));
  const auto found = reader->resolve(world.key.name(), Seconds(10));
  REQUIRE(found);
  REQUIRE(found->best);
  CHECK(found->best->fields().sequence == emptied->sequence);
  REQUIRE(writer->publish(world.key, world.tree("two"), {.force = true}));
  const auto next = changes.next();
  REQUIRE(next);
  CHECK(next->kind == ChangeKind::change);
  CHECK(next->sequence.value == 3);
}

TEST_CASE("S0-70 S0-03 with every relay gone, polling finds the change") {
  World world;
  auto reader_config = world.config("reader");
  reader_config.relays.clear();
  reader_config.poll_min = Milliseconds(200);
  reader_config.poll_max = Milliseconds(400);
  auto writer = *Client::open(world.config("writer"));
  Changes changes;
  auto reader = *Client::open(reader_config);
  REQUIRE(reader->watch(world.key.name(), changes.options()));
  auto outcome = writer->publish(world.key, world.tree("one"));
  REQUIRE(outcome);
  const auto first = changes.next(ChangeKind::change);
  REQUIRE(first);
  CHECK(first->source == SourceKind::poll);
  REQUIRE(writer->publish(world.key, world.tree("two")));
  CHECK(changes.next(ChangeKind::change));
}

TEST_CASE("R12 nothing is not published over something, and a wrong expectation is a conflict") {
  World world;
  auto writer = *Client::open(world.config("writer"));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  const auto empty = world.dir.path() / "empty";
  std::filesystem::create_directories(empty);
  auto refused = writer->publish(world.key, empty);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::refused);
  CHECK(writer->publish(world.key, empty, {.force = true}));
  auto conflict = writer->publish(world.key, world.tree("two"), {.expect_sequence = Sequence{7}});
  REQUIRE_FALSE(conflict);
  CHECK(conflict.error().code == Errc::conflict);
  CHECK(writer->publish(world.key, world.tree("two"), {.expect_sequence = Sequence{2}}));
}

TEST_CASE(
    "S0-07 what a validator refuses is not handed over, and the next version names the one "
    "before") {
  World world;
  Changes changes;
  Inbox<Sequence> refused{10};
  auto writer = *Client::open(world.config("writer"));
  auto reader = *Client::open(world.config("reader"));
  WatchOptions options = changes.options();
  options.validate = [&](const Change& change, BlockSource& blocks) -> Status {
    const auto at = resolve_path(blocks, *change.cid, "file.txt");
    if (!at) return fail(at.error());
    const auto text = read_block(blocks, *at);
    if (!text) return fail(text.error());
    if (as_text(*text) != "bad") return {};
    refused.push_reserved(change.sequence);
    return fail(Errc::invalid, "no good");
  };
  REQUIRE(reader->watch(world.key.name(), options));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  const auto first = changes.next(ChangeKind::change);
  REQUIRE(first);
  CHECK(first->sequence.value == 1);
  REQUIRE(writer->publish(world.key, world.tree("bad")));
  REQUIRE(refused.pop_until(std::chrono::steady_clock::now() + Milliseconds(200'000)));
  REQUIRE(writer->publish(world.key, world.tree("two")));
  const auto change = changes.next();
  REQUIRE(change);
  CHECK(change->sequence.value == 3);
  CHECK(change->previous == first->cid);
}

TEST_CASE(
    "a second resolution comes from the cache where that is good enough (S1-15, S1-19, S1-22)") {
  World world;
  auto publisher = *sync::Client::open(world.config("laptop"));
  REQUIRE(publisher->publish(world.key, world.tree("one")));
  auto reader = *sync::Client::open(world.config("phone"));
  const sync::IpnsName name = world.key.name();
  const auto from_cache = [](const Result<sync::ResolveReport>& report) {
    REQUIRE(report);
    REQUIRE(report->best);
    return std::any_of(report->sources.begin(), report->sources.end(),
                       [](const auto& source) { return source.url == "cache"; });
  };
  CHECK_FALSE(from_cache(reader->resolve(name, Seconds(10), sync::Freshness::cached)));
  for (int i = 0; i < 9; ++i)
    CHECK(from_cache(reader->resolve(name, Seconds(10), sync::Freshness::cached)));
  CHECK(reader->metrics().records.hits == 9);
  CHECK_FALSE(from_cache(reader->resolve(name, Seconds(10))));
  reader->invalidate(name);
  CHECK_FALSE(from_cache(reader->resolve(name, Seconds(10), sync::Freshness::cached)));
}

TEST_CASE("a client whose hints would replace the user's profile is refused") {
  World world;
  const auto refused = [&](std::vector<int> kinds, std::vector<int> public_kinds) {
    auto config = world.config("one");
    config.kinds = std::move(kinds);
    config.public_kinds = std::move(public_kinds);
    const auto client = Client::open(std::move(config));
    return !client && client.error().code == Errc::invalid;
  };
  for (const int kind : {0, 1, 3, 5, 10002, 29999, 40000}) {
    INFO(kind);
    CHECK(refused({30078, kind}, {30078}));
    CHECK(refused({30078}, {kind}));
  }
  CHECK(refused({}, {30078}));
  CHECK_FALSE(refused({30000}, {39999}));
}

TEST_CASE("a state directory serves one client at a time, and the next when it is closed (S1-24)") {
  World world;
  auto first = Client::open(world.config("one"));
  REQUIRE(first);
  auto second = Client::open(world.config("one"));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::conflict);
  (*first)->close();
  CHECK(Client::open(world.config("one")));
}

TEST_CASE(
    "R3 a hint that a relay refuses for a newer one with an older state is signed again above") {
  World world;
  const Cid cid = *make_cid(Codec::raw, as_bytes("content"));
  const int64_t ahead = system_now().seconds().value + 100;
  HintDraft old{world.key.name(), cid, {1}, system_now().wall};
  const nostr::Event other =
      nostr::sign_event(world.nostr_key, *make_hint_event(old, UnixSeconds{ahead}));

  nostr::PoolOptions options;
  options.relays = {*nostr::RelayUrl::parse(world.relay->url())};
  const auto pool = nostr::Pool::start(*world.loop, options);
  Inbox<nostr::PublishReport> reports{4};
  pool->publish(other, {}, [&](nostr::PublishReport r) { reports.push_reserved(std::move(r)); });
  REQUIRE(reports.pop()->stored_count() == 1);
  Inbox<nostr::PoolMessage> heard{100};
  nostr::Filter all;
  all.kinds = {kHintKind};
  pool->subscribe({all}, [&](nostr::PoolMessage& m) { return heard.try_push(std::move(m)); });

  Config config = world.config("writer");
  config.read_back = Milliseconds(50);
  auto writer = Client::open(config);
  REQUIRE(writer);
  REQUIRE((*writer)->announce(world.key.name(), cid, {5}, std::nullopt));
  const Instant deadline = std::chrono::steady_clock::now() + Milliseconds(200'000);
  std::optional<Hint> last;
  while (!last || last->sequence != Sequence{5}) {
    auto message = heard.pop_until(deadline);
    REQUIRE(message);
    if (const auto* event = std::get_if<nostr::PoolEvent>(&*message))
      last = *parse_hint(event->event);
  }
  CHECK(last->created_at == UnixSeconds{ahead + 1});
}

TEST_CASE("R9 a device without a key to sign with gets every change by hints") {
  World world;
  Changes changes;
  auto config = world.config("reader");
  config.signer = nullptr;
  config.poll_min = config.poll_max = config.poll_healthy = std::chrono::hours(24);
  auto reader = *Client::open(config);
  REQUIRE(reader->watch(world.key.name(), changes.options()));
  auto writer = *Client::open(world.config("writer"));
  for (const std::string text : {"one", "two"}) {
    const auto outcome = writer->publish(world.key, world.tree(text));
    REQUIRE(outcome);
    const auto change = changes.next(ChangeKind::change);
    REQUIRE(change);
    CHECK(change->sequence == outcome->sequence);
    CHECK(change->source == SourceKind::nostr);
  }
  const auto refused = reader->announce(world.key.name(), *Cid::parse("bafkqaaa"), {9});
  CHECK_FALSE(refused);
}

TEST_CASE(
    "S0-69 a sync that loses the network between record and content is finished when the network "
    "is back") {
  World world;
  const auto restart_node = [&](uint16_t gateway, uint16_t rpc) {
    world.node.reset();
    world.node = *bridge::Node::start(
        *world.loop,
        {.gateway_port = gateway, .rpc_port = rpc, .directory = world.dir.path() / "node"});
  };
  restart_node(0, 0);
  const uint16_t gateway = test::port_of(world.node->gateway_url());
  const uint16_t rpc = test::port_of(world.node->rpc_url());
  REQUIRE((*Client::open(world.config("writer")))->publish(world.key, world.tree("one")));
  Changes changes;
  Inbox<std::string> troubles{100};
  auto config = world.config("reader");
  config.poll_min = config.poll_max = config.poll_healthy = Milliseconds(500);
  config.breaker = Milliseconds(200);
  config.on_trouble = [&](const std::optional<IpnsName>& name, const std::string& text) {
    if (name) troubles.try_push(std::string(text));
  };
  world.node.reset();
  auto reader = *Client::open(config);
  REQUIRE(reader->watch(world.key.name(), changes.options()));
  // The record came with the hint; its content cannot be fetched.
  REQUIRE(troubles.pop_until(std::chrono::steady_clock::now() + Milliseconds(200'000)));
  CHECK(changes.inbox.size() == 0);
  world.relay.reset();
  restart_node(gateway, rpc);
  const auto change = changes.next(ChangeKind::change);
  REQUIRE(change);
  CHECK(change->sequence == Sequence{1});
}
