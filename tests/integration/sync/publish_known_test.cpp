// What a publish finds out about its name before it signs, whoever is slow, silent or forgetful.
#include <atomic>

#include "ipnscast/tests/integration/sync/publish_fixture.h"
#include "ipnscast/tests/integration/sync/publish_nodes.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

using What = Outcome::Place::What;

// A node that forgets records at once.
std::optional<ScriptedAnswer> forgets(const ScriptedRequest& request) {
  if (asks_record(request)) return no_record();
  return std::nullopt;
}

}  // namespace

TEST_CASE("S0-12 another device with the same key goes on above the record in our own hint") {
  ScriptedWorld world;
  ScriptedNode node(forgets);
  const bool expired = GENERATE(false, true);
  {
    auto config = world.config("first", {&node});
    auto first = *Client::open(config);
    for (const char* text : {"one", "two"}) REQUIRE(first->publish(world.key, world.tree(text)));
  }
  {
    auto first = *Client::open(world.config("first", {&node}));
    const auto third = first->publish(world.key, world.tree("three"));
    REQUIRE(third);
    REQUIRE(third->sequence == Sequence{3});
    REQUIRE(third->relays_acknowledged == 1);
    if (expired) {
      // The same by a hint whose record is over by now.
      const auto over = create_record(world.key, {.value = "/ipfs/" + third->cid.to_string(),
                                                  .sequence = Sequence{3},
                                                  .eol = Eol{system_now().seconds().value - 1, 0}});
      REQUIRE(over);
      REQUIRE(first->announce(world.key.name(), third->cid, Sequence{3}, *over));
    }
  }
  auto second = *Client::open(world.config("second", {&node}));
  // It has taken in nothing of that yet, so it is asked what it means (R33).
  const auto unseen = second->publish(world.key, world.tree("four"));
  REQUIRE_FALSE(unseen);
  CHECK(unseen.error().code == Errc::conflict);
  CHECK(unseen.error().message.find("sequence 3") != std::string::npos);
  CHECK(unseen.error().message.find("--based-on 3") != std::string::npos);
  CHECK(unseen.error().message.find("--replace") != std::string::npos);
  // Neither is the richer content replaced by nothing unasked (R12).
  std::filesystem::create_directories(world.dir.path() / "empty");
  const auto empty = second->publish(world.key, world.dir.path() / "empty", {.replace = true});
  REQUIRE_FALSE(empty);
  CHECK(empty.error().code == Errc::refused);
  const auto fourth = second->publish(world.key, world.tree("four"), {.replace = true});
  REQUIRE(fourth);
  CHECK(fourth->sequence == Sequence{4});
}

TEST_CASE("S0-12 another device goes on above a private hint of ours too") {
  ScriptedWorld world;
  ScriptedNode node(forgets);
  const auto config = [&](const char* device) {
    auto out = world.config(device, {&node});
    out.private_hints = true;
    return out;
  };
  const auto secret = nostr::SecretKey::generate();
  const auto key = *IpnsKey::derive_ed25519(secret.secret_view());
  {
    auto first = *Client::open(config("first"));
    for (const char* text : {"one", "two"}) REQUIRE(first->publish(key, world.tree(text)));
  }
  auto second = *Client::open(config("second"));
  CHECK(second->publish(key, world.tree("three")).error().code == Errc::conflict);
  const auto third = second->publish(key, world.tree("three"), {.replace = true});
  REQUIRE(third);
  CHECK(third->sequence == Sequence{3});
}

TEST_CASE("an expired record is an answer: the next publish goes above it (S0-12)") {
  ScriptedWorld world;
  ScriptedNode node;
  node.keeps(world.record(7, std::chrono::seconds(-60)));
  auto config = world.config("fresh", {&node});
  config.relays.clear();
  auto writer = *Client::open(config);
  SECTION("a plain one") {
    const auto outcome = writer->publish(world.key, world.tree("one"), {.replace = true});
    REQUIRE(outcome);
    CHECK(outcome->sequence == Sequence{8});
  }
  SECTION("a compare-and-set") {
    CHECK(writer->publish(world.key, world.tree("one"), {.expect_sequence = Sequence{6}})
              .error()
              .code == Errc::conflict);
    CHECK(writer->publish(world.key, world.tree("one"), {.expect_sequence = Sequence{7}}));
  }
}

TEST_CASE("the next sequence is above the highest of all nodes, not above the fastest one's") {
  ScriptedWorld world;
  ScriptedNode fast;
  ScriptedNode slow([](const ScriptedRequest&) -> std::optional<ScriptedAnswer> {
    std::this_thread::sleep_for(Milliseconds(30));  // the distance, not a wait for something
    return std::nullopt;
  });
  auto config = world.config("writer", {&fast, &slow});
  config.relays.clear();
  auto writer = *Client::open(config);
  REQUIRE(writer->publish(world.key, world.tree("one")));
  slow.keeps(world.record(9));  // another device of ours reached only that one
  SECTION("a plain publish") {
    CHECK(writer->publish(world.key, world.tree("two")).error().code == Errc::conflict);
    const auto outcome = writer->publish(world.key, world.tree("two"), {.replace = true});
    REQUIRE(outcome);
    CHECK(outcome->sequence == Sequence{10});
    CHECK(outcome->complete());
  }
  SECTION("a compare-and-set") {
    const auto lost =
        writer->publish(world.key, world.tree("two"), {.expect_sequence = Sequence{1}});
    REQUIRE_FALSE(lost);
    CHECK(lost.error().code == Errc::conflict);
    CHECK(writer->publish(world.key, world.tree("two"), {.expect_sequence = Sequence{9}}));
  }
}

TEST_CASE("a compare-and-set is refused while an own node does not say what it has") {
  ScriptedWorld world;
  ScriptedNode good;
  ScriptedNode silent([](const ScriptedRequest& request) -> std::optional<ScriptedAnswer> {
    if (asks_record(request)) return hang();
    return std::nullopt;
  });
  auto config = world.config("writer", {&good, &silent});
  config.answer_by = Milliseconds(2'000);
  config.publish_timeout = Milliseconds(10'000);
  auto writer = *Client::open(config);
  good.keeps(world.record(4));
  const auto refused =
      writer->publish(world.key, world.tree("one"), {.expect_sequence = Sequence{4}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unreachable);
  CHECK(refused.error().message.find(silent.server.url()) != std::string::npos);
  CHECK(writer->publish(world.key, world.tree("one"),
                        {.expect_sequence = Sequence{4}, .force = true}));
}

TEST_CASE("the first publish of a name goes through although one node hangs") {
  ScriptedWorld world;
  ScriptedNode good;
  ScriptedNode silent([](const ScriptedRequest& request) -> std::optional<ScriptedAnswer> {
    if (asks_record(request)) return hang();
    return std::nullopt;
  });
  auto config = world.config("writer", {&good, &silent});
  config.relays.clear();
  config.answer_by = Milliseconds(2'000);
  config.publish_timeout = Milliseconds(10'000);
  auto writer = *Client::open(config);
  const auto outcome = writer->publish(world.key, world.tree("one"));
  INFO((outcome ? "" : outcome.error().message));
  REQUIRE(outcome);
  CHECK(outcome->sequence == Sequence{1});
  CHECK(outcome->quorum_met);
  // Who is not through is told as that.
  CHECK_FALSE(outcome->complete());
  const auto* row = find_place(*outcome, silent.server.url(), What::record);
  REQUIRE(row);
  CHECK_FALSE(row->ok);
  CHECK_FALSE(row->settled);
  CHECK(row->detail == "not yet, goes on");
}

TEST_CASE(
    "when a place has a newer record after all, nothing is signed above it: ours is told lost "
    "(R33)") {
  ScriptedWorld world;
  ScriptedNode good;
  std::atomic<bool> put = false;
  ScriptedNode late([&](const ScriptedRequest& request) -> std::optional<ScriptedAnswer> {
    if (asks(request, "name/put") && !put.exchange(true))
      return KeepingNode::error("can't replace a newer value with an older value");
    if (asks_record(request) && !put) return no_record();
    return std::nullopt;
  });
  late.keeps(world.record(9));
  auto config = world.config("writer", {&good, &late});
  config.publish_settle = kAnswers;
  auto writer = *Client::open(config);
  const IpnsName name = world.key.name();
  SECTION("later, when nobody waits for it") {
    const auto outcome = writer->publish(world.key, world.tree("one"));
    REQUIRE(outcome);
    CHECK(outcome->sequence == Sequence{1});
    CHECK_FALSE(outcome->settled);
    const auto* row = find_place(*outcome, late.server.url(), What::record);
    REQUIRE(row);
    CHECK(row->newer);
    CHECK(row->settled);
    CHECK(row->newer_sequence == Sequence{9});
    REQUIRE(Nodes::eventually([&] { return writer->lost(name).size() == 1; }));
    const LostPublish lost = writer->lost(name).front();
    CHECK(lost.ours == Version{{1}, "/ipfs/" + outcome->cid.to_string()});
    CHECK(lost.theirs.sequence == Sequence{9});
    REQUIRE(writer->acknowledge_lost(name));
    CHECK(writer->lost(name).empty());
    CHECK(writer->acknowledge_lost(name).error().code == Errc::not_found);
  }
  SECTION("at once, when the publish waits until it is settled") {
    const auto refused =
        writer->publish(world.key, world.tree("one"), {.settle = PublishOptions::Settle::yes});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::conflict);
  }
  SECTION("at once, when a sequence was asked for") {
    good.keeps(world.record(3));
    const auto refused =
        writer->publish(world.key, world.tree("one"), {.expect_sequence = Sequence{3}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::conflict);
  }
  CHECK(late.kept(name)->fields().sequence == Sequence{9});
}

TEST_CASE("content that no node takes is not published") {
  World world;
  auto config = world.config("writer");
  config.gateways.clear();
  SECTION("the only node is a gateway without RPC") {
    config.gateways = {{world.node->gateway_url()}};
  }
  SECTION("there are relays only") {}
  auto writer = *Client::open(config);
  const auto refused = writer->publish(world.key, world.tree("one"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unreachable);
  CHECK(refused.error().message.find("no node takes content") != std::string::npos);
  const auto forced = writer->publish(world.key, world.tree("one"), {.force = true});
  REQUIRE(forced);
  CHECK(forced->relays_acknowledged == 1);
  CHECK(forced->sequence == Sequence{1});
}

TEST_CASE("a publish ends although the only node hangs in dag/import, and names the option (A10)") {
  ScriptedWorld world;
  ScriptedNode node([](const ScriptedRequest& request) -> std::optional<ScriptedAnswer> {
    if (asks(request, "dag/import")) return hang();
    return std::nullopt;
  });
  auto config = world.config("writer", {&node});
  PublishOptions options;
  std::string option = "publish.stall";
  SECTION("no byte moves any more") { config.publish_stall = Milliseconds(1'000); }
  SECTION("the caller named a time") {
    options.deadline = std::chrono::steady_clock::now() + Milliseconds(4'000);
    option = "--timeout";
  }
  auto writer = *Client::open(config);
  const auto late = writer->publish(world.key, world.tree("one"), options);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::timeout);
  CHECK(late.error().message.find(option) != std::string::npos);
  CHECK_FALSE(node.kept(world.key.name()));
}

TEST_CASE("one node that hangs in dag/import leaves the record its share of the time") {
  ScriptedWorld world;
  ScriptedNode good;
  ScriptedNode stuck([](const ScriptedRequest& request) -> std::optional<ScriptedAnswer> {
    if (asks(request, "dag/import")) return hang();
    return std::nullopt;
  });
  auto config = world.config("writer", {&good, &stuck});
  config.publish_timeout = Milliseconds(20'000);
  config.publish_stall = Milliseconds(600'000);
  auto writer = *Client::open(config);
  const auto outcome = writer->publish(world.key, world.tree("one"));
  REQUIRE(outcome);
  CHECK(outcome->quorum_met);
  CHECK(good.kept(world.key.name()));
  CHECK(stuck.kept(world.key.name()));
  const auto* row = find_place(*outcome, stuck.server.url(), What::content);
  REQUIRE(row);
  CHECK(row->detail == "not yet, goes on");
}
