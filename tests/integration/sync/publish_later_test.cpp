// What is finished later, what was there already, and what is taken back.
#include <atomic>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/sync/hint/hint_search.h"
#include "ipnscast/sync/ipfs/unixfs/packer.h"
#include "ipnscast/sync/state/publish_state.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tests/integration/nostr/stored_events.h"
#include "ipnscast/tests/integration/sync/publish_fixture.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

using What = Outcome::Place::What;
constexpr Seconds kPatience{20};

bool eventually(const std::function<bool()>& reached) {
  const Instant end = std::chrono::steady_clock::now() + kPatience;
  while (!reached()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(Milliseconds(10));
  }
  return true;
}

// The embedded node of a world, with content that somebody else brought.
struct WorldWithContent : World {
  std::unique_ptr<gateway::HttpClient> http = std::move(*gateway::HttpClient::open());
  BlockTable table;
  Cid root;

  WorldWithContent() {
    TableSink sink(table);
    root = pack_path(tree("theirs"), {}, sink)->root;
  }
  void bring() {
    const auto answer = http->fetch(
        gateway::kubo_dag_import_call({node->rpc_url(), {}}, as_bytes(table.car(root)), false));
    REQUIRE(answer);
    REQUIRE(gateway::read_kubo_dag_import(*answer));
  }
  bool pinned(const Cid& cid) {
    const auto answer = http->fetch(gateway::kubo_pin_ls_call({node->rpc_url(), {}}, cid));
    if (!answer) return false;
    const auto kept = gateway::read_kubo_pin_ls(*answer);
    return kept && *kept;
  }
};

// The state of a device whose clock was ahead by so much when it published.
void put_clock_ahead(const Config& config, const World& world, Seconds ahead) {
  auto db = *store::Database::open(config.state_dir / kStateFile,
                                   {nostr::outbox_schema(), sync_schema()});
  const nostr::Address address{30078, world.nostr_key.public_key(), hint_d(world.key.name())};
  const UnixSeconds then{system_now().seconds().value + ahead.count()};
  nostr::EventId id;
  id.bytes[0] = 7;
  REQUIRE(save_created_at(*db, address, then));
  REQUIRE(save_sent(*db, id, address, then));
}

}  // namespace

TEST_CASE("content that a node has from elsewhere is pinned, and that pin is ours") {
  WorldWithContent world;
  auto config = world.config("writer");
  config.versions = 0;
  config.publish_timeout = Milliseconds(60'000);
  auto writer = *Client::open(config);
  world.bring();
  REQUIRE_FALSE(world.pinned(world.root));
  const auto outcome = writer->publish_cid(world.key, world.root);
  REQUIRE(outcome);
  CHECK(outcome->complete());
  const auto* row = find_place(*outcome, world.node->rpc_url(), What::content);
  REQUIRE(row);
  CHECK(row->detail == "has it from elsewhere, pinned now");
  CHECK(world.pinned(world.root));
  REQUIRE(writer->publish(world.key, world.tree("next")));
  CHECK(eventually([&] { return !world.pinned(world.root); }));
}

TEST_CASE("a CID that no place has is not published, unless that is forced") {
  WorldWithContent world;
  auto writer = *Client::open(world.config("writer"));
  const auto refused = writer->publish_cid(world.key, world.root);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::not_found);
  CHECK(events_of(world, {30078}).empty());
  const auto queued = writer->publish_cid(world.key, world.root, {.queue = true});
  CHECK_FALSE(queued);  // there is nothing to bring later
  const auto forced = writer->publish_cid(world.key, world.root, {.force = true});
  REQUIRE(forced);
  CHECK(forced->sequence == Sequence{1});
  CHECK_FALSE(forced->complete());
}

TEST_CASE("a CID that only our cache has is sent to the nodes first") {
  ScriptedWorld world;
  ScriptedNode node;
  auto writer = *Client::open(world.config("writer", {&node}));
  const auto first = writer->publish(world.key, world.tree("one"));
  REQUIRE(first);
  {
    std::lock_guard lock(node.keeping.mutex);
    node.keeping.blocks.clear();
    node.keeping.pinned.clear();
  }
  const auto again = writer->publish_cid(world.key, first->cid);
  REQUIRE(again);
  CHECK(again->sequence == Sequence{2});
  std::lock_guard lock(node.keeping.mutex);
  CHECK(node.keeping.pinned.count(first->cid.to_string()) == 1);
}

TEST_CASE("a CID that a gateway without RPC serves can be published") {
  WorldWithContent world;
  world.bring();
  auto config = world.config("writer");
  config.gateways = {{world.node->gateway_url()}};
  auto writer = *Client::open(config);
  const auto outcome = writer->publish_cid(world.key, world.root);
  REQUIRE(outcome);
  const auto* row = find_place(*outcome, world.node->gateway_url(), What::content);
  REQUIRE(row);
  CHECK(row->ok);
}

TEST_CASE("read repair is owed from the moment it is seen, and a later run brings it (S3-11)") {
  ScriptedWorld world;
  ScriptedNode first;
  std::atomic<bool> deaf = false;
  ScriptedNode second([&](const ScriptedRequest& request) -> std::optional<ScriptedAnswer> {
    if (deaf && asks(request, "/put")) return hang();
    return std::nullopt;
  });
  const auto config = world.config("writer", {&first, &second});
  const IpnsName name = world.key.name();
  std::optional<Outcome> outcome;
  {
    auto writer = *Client::open(config);
    outcome = *writer->publish(world.key, world.tree("one"));
    REQUIRE(outcome->complete());
  }
  const auto published = second.kept(name);
  REQUIRE(published);
  SECTION("it has an older sequence") { second.keeps(world.record(0)); }
  SECTION("it has the same sequence with an older end of life") {
    second.keeps(
        *create_record(world.key, {.value = published->fields().value,
                                   .sequence = published->fields().sequence,
                                   .eol = Eol::after(system_now().wall, std::chrono::hours(1))}));
  }
  deaf = true;
  {
    auto looker = *Client::open(config);
    REQUIRE(looker->resolve(name, Milliseconds(3'000)));
  }  // ends before anything got there
  CHECK(second.kept(name)->bytes() != published->bytes());
  deaf = false;
  auto later = *Client::open(config);
  CHECK(eventually([&] {
    const auto kept = second.kept(name);
    return kept && kept->bytes() == published->bytes();
  }));
}

TEST_CASE("R4 a mark from a clock that was wrong does not block publishing: it is deleted first") {
  World world;
  const auto config = world.config("writer");
  REQUIRE((*Client::open(config))->publish(world.key, world.tree("one")));
  const Seconds ahead = GENERATE(Seconds(3'600), Seconds(10LL * 365 * 86'400));
  put_clock_ahead(config, world, ahead);
  auto writer = *Client::open(config);
  const UnixSeconds now = system_now().seconds();
  const auto outcome = writer->publish(world.key, world.tree("two"));
  REQUIRE(outcome);
  CHECK(outcome->sequence == Sequence{2});
  CHECK(outcome->relays_acknowledged == 1);
  const auto hints = events_of(world, {30078});
  REQUIRE(hints.size() == 1);
  CHECK(hints[0].created_at.value <= now.value + 60);
  const auto deletions = events_of(world, {5});
  REQUIRE(deletions.size() == 1);
  CHECK(deletions[0].tag("e") == "07" + std::string(62, '0'));
  CHECK(deletions[0].tag("k") == "30078");
  // After that it goes on as ever, also in the next run.
  writer.reset();
  writer = *Client::open(config);
  const auto third = writer->publish(world.key, world.tree("three"));
  REQUIRE(third);
  CHECK(third->relays_acknowledged == 1);
  CHECK(events_of(world, {5}).size() == 1);
}

TEST_CASE("a hint is retracted, an older copy does not come back, and the next one is taken") {
  World world;
  auto config = world.config("writer");
  SECTION("a plain one") {}
  SECTION("public ones") { config.publish_public = true; }
  auto writer = *Client::open(config);
  REQUIRE(writer->publish(world.key, world.tree("one")));
  const auto before = events_of(world, {30078, 30079});
  REQUIRE(before.size() == (config.publish_public ? 2 : 1));
  const auto outcome = writer->retract(world.key.name());
  REQUIRE(outcome);
  CHECK(outcome->relays_acknowledged == 1);
  CHECK(outcome->quorum_met);
  CHECK(events_of(world, {30078, 30079}).empty());
  const auto deletions = events_of(world, {5});
  REQUIRE(deletions.size() == 1);
  CHECK(deletions[0].id == *outcome->hint);
  CHECK(deletions[0].tag("a") == "30078:" + to_hex(world.nostr_key.public_key().view()) +
                                     ":ipns-sync-" + world.key.name().to_string());
  // From a relay that was away, say.
  const auto pool =
      nostr::Pool::start(*world.loop, {.relays = {*nostr::RelayUrl::parse(world.relay->url())}});
  Inbox<nostr::PublishReport> reports(1);
  pool->publish(before[0], {},
                [&](nostr::PublishReport report) { reports.push_reserved(std::move(report)); });
  REQUIRE(reports.pop_until(std::chrono::steady_clock::now() + kPatience));
  CHECK(events_of(world, {30078, 30079}).empty());

  const auto next = writer->publish(world.key, world.tree("two"));
  REQUIRE(next);
  CHECK(next->relays_acknowledged == 1);
  CHECK(events_of(world, {30078, 30079}).size() == before.size());
}

TEST_CASE("R12 a tree without a byte in it does not replace a richer one unasked") {
  ScriptedWorld world;
  ScriptedNode node;
  auto writer = *Client::open(world.config("writer", {&node}));
  const auto path = world.dir.path() / "hollow";
  std::filesystem::create_directories(path / "empty" / "below");
  write_file(path / "nothing.txt", "");
  // Over nothing, or over itself, it may be published.
  REQUIRE(writer->publish(world.key, path));
  REQUIRE(writer->publish(world.key, path));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  const auto refused = writer->publish(world.key, path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::refused);
  CHECK(writer->publish(world.key, path, {.force = true}));
  write_file(path / "nothing.txt", "x");
  CHECK(writer->publish(world.key, path));
}
