// What publishing promises about nodes and routers: only what is new travels, what one of them
// lacks is finished later, and what is too old goes.
#include "ipnscast/tests/integration/sync/publish_nodes.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

TEST_CASE(
    "a node that was away gets content and record as soon as it is back, in this run (S0-27, "
    "S3-11)") {
  Nodes world(2);
  auto writer = *Client::open(world.config("writer"));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  world.stop(1);
  const auto outcome = writer->publish(world.key, world.tree("two"));
  REQUIRE(outcome);
  CHECK(outcome->quorum_met);
  CHECK_FALSE(outcome->complete());
  REQUIRE(find_place(*outcome, world.rpc(1)));
  CHECK_FALSE(find_place(*outcome, world.rpc(1))->ok);
  CHECK(find_place(*outcome, world.rpc(0))->ok);
  world.start(1);
  CHECK(Nodes::eventually([&] { return world.pinned(1, outcome->cid); }));
  CHECK(
      Nodes::eventually([&] { return world.sequence(1, world.key.name()) == outcome->sequence; }));
}

TEST_CASE("what an earlier run left undone is finished by the next one, and only that") {
  Nodes world(2);
  std::optional<Outcome> outcome;
  {
    auto writer = *Client::open(world.config("writer"));
    world.stop(1);
    outcome = *writer->publish(world.key, world.tree("one"));
    CHECK_FALSE(outcome->complete());
  }
  world.start(1);
  CHECK_FALSE(world.pinned(1, outcome->cid));
  CHECK_FALSE(world.sequence(1, world.key.name()));
  {
    auto again = *Client::open(world.config("writer"));
    CHECK(Nodes::eventually([&] { return world.pinned(1, outcome->cid); }));
    CHECK(Nodes::eventually(
        [&] { return world.sequence(1, world.key.name()) == outcome->sequence; }));
    // The next publish finds everything in order.
    const auto next = again->publish(world.key, world.tree("two"));
    REQUIRE(next);
    CHECK(next->complete());
    CHECK(next->sequence.value == outcome->sequence.value + 1);
  }
}

TEST_CASE("S0-27 a publish is queued while no node is reachable, and a later run finishes it") {
  Nodes world(1);
  auto config = world.config("writer");
  config.publish_timeout = Milliseconds(4'000);
  const IpnsName name = world.key.name();
  std::optional<Outcome> outcome;
  {
    auto writer = *Client::open(config);
    REQUIRE(writer->publish(world.key, world.tree("one")));
    world.stop(0);
    const auto refused = writer->publish(world.key, world.tree("two"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::unreachable);
    CHECK(refused.error().message.find("--queue") != std::string::npos);
    outcome = *writer->publish(world.key, world.tree("two"), {.queue = true});
    CHECK(outcome->queued);
    CHECK(outcome->sequence == Sequence{2});
    CHECK_FALSE(outcome->complete());
    CHECK(outcome->relays_acknowledged == 1);
    // What this device knows nothing of is not queued: its sequence might be taken already.
    const auto secret = nostr::SecretKey::generate();
    const auto unknown = *IpnsKey::derive_ed25519(secret.secret_view());
    const auto fresh = writer->publish(unknown, world.tree("three"), {.queue = true});
    REQUIRE_FALSE(fresh);
    CHECK(fresh.error().code == Errc::unreachable);
  }
  world.start(0);
  CHECK_FALSE(world.pinned(0, outcome->cid));
  auto later = *Client::open(config);
  CHECK(Nodes::eventually([&] { return world.pinned(0, outcome->cid); }));
  CHECK(Nodes::eventually([&] { return world.sequence(0, name) == Sequence{2}; }));
  const auto next = later->publish(world.key, world.tree("four"));
  REQUIRE(next);
  CHECK(next->sequence == Sequence{3});
  CHECK(next->complete());
}

TEST_CASE("R31 a node keeps the current and the last versions, whatever it missed meanwhile") {
  Nodes world(2);
  auto config = world.config("writer");
  config.versions = 2;
  auto writer = *Client::open(config);
  std::vector<Cid> roots;
  for (int i = 0; i < 6; ++i) {
    if (i == 4) world.stop(1);
    const auto outcome = writer->publish(world.key, world.tree(std::to_string(i)));
    REQUIRE(outcome);
    roots.push_back(outcome->cid);
  }
  const auto kept = [&](size_t node) {
    std::vector<bool> out;
    for (const Cid& root : roots) out.push_back(world.pinned(node, root));
    return out;
  };
  const std::vector<bool> last_three{false, false, false, true, true, true};
  CHECK(Nodes::eventually([&] { return kept(0) == last_three; }));
  world.start(1);
  // What it missed and is old by now is not brought to it any more.
  const std::vector<bool> without_the_missed{false, false, false, true, false, true};
  CHECK(Nodes::eventually([&] { return kept(1) == without_the_missed; }));
}

TEST_CASE("R31 a version that another name of ours still has is never unpinned") {
  Nodes world(1);
  auto config = world.config("writer");
  config.versions = 1;
  auto writer = *Client::open(config);
  const auto other_secret = nostr::SecretKey::generate();
  const auto other = *IpnsKey::derive_ed25519(other_secret.secret_view());
  const auto shared = writer->publish(world.key, world.tree("shared"));
  REQUIRE(shared);
  REQUIRE(writer->publish(other, world.tree("shared")));
  std::vector<Cid> roots;
  for (int i = 0; i < 4; ++i)
    roots.push_back(writer->publish(world.key, world.tree(std::to_string(i)))->cid);
  CHECK(Nodes::eventually([&] { return !world.pinned(0, roots[1]); }));
  CHECK(world.pinned(0, shared->cid));
  // As soon as the other name has gone on twice, nobody wants it.
  REQUIRE(writer->publish(other, world.tree("a")));
  REQUIRE(writer->publish(other, world.tree("b")));
  CHECK(Nodes::eventually([&] { return !world.pinned(0, shared->cid); }));
}

TEST_CASE("a pin that was at the node before is not ours to take away") {
  Nodes world(1);
  auto config = world.config("writer");
  config.versions = 0;
  const auto foreign = [&] {
    auto helper = *Client::open(world.config("somebody"));
    const auto secret = nostr::SecretKey::generate();
    return helper->publish(*IpnsKey::derive_ed25519(secret.secret_view()), world.tree("theirs"))
        ->cid;
  }();
  auto writer = *Client::open(config);
  const auto theirs = writer->publish(world.key, world.tree("theirs"));
  REQUIRE(theirs);
  CHECK(theirs->cid == foreign);
  const auto ours = writer->publish(world.key, world.tree("ours"));
  REQUIRE(writer->publish(world.key, world.tree("next")));
  CHECK(Nodes::eventually([&] { return !world.pinned(0, ours->cid); }));
  CHECK(world.pinned(0, foreign));
}

TEST_CASE("what was sent for a publish that came to nothing is taken off the node again") {
  Nodes world(1);
  auto writer = *Client::open(world.config("writer"));
  REQUIRE(writer->publish(world.key, world.tree("one")));
  const auto packed_root = [&] {
    const auto refused =
        writer->publish(world.key, world.tree("two"), {.expect_sequence = Sequence{7}});
    CHECK_FALSE(refused);
    return pack_root(world.tree("two"));
  }();
  CHECK(Nodes::eventually([&] { return !world.pinned(0, packed_root); }));
}

TEST_CASE("a compare-and-set that nobody can answer is refused") {
  Nodes world(1);
  auto config = world.config("writer");
  config.answer_by = Milliseconds(500);
  auto writer = *Client::open(config);
  const auto first = writer->publish(world.key, world.tree("one"));
  REQUIRE(first);
  world.stop(0);
  const auto refused = writer->publish_cid(world.key, first->cid, {.expect_sequence = Sequence{1}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unreachable);
  CHECK(
      writer->publish_cid(world.key, first->cid, {.expect_sequence = Sequence{1}, .force = true}));
}

TEST_CASE("read repair: a router that answers an older record of ours gets the latest") {
  Nodes world(2);
  auto config = world.config("writer");
  config.retry_min = config.retry_max =
      std::chrono::hours(1);  // so that only repair can explain it
  const IpnsName name = world.key.name();
  auto writer = *Client::open(config);
  REQUIRE(writer->publish(world.key, world.tree("one")));
  world.stop(1);
  const auto second = writer->publish(world.key, world.tree("two"));
  REQUIRE(second);
  world.start(1);
  REQUIRE(world.sequence(1, name) == Sequence{1});
  SECTION("when the name is resolved") {
    // Its breaker may keep the node out of the first ones.
    CHECK(Nodes::eventually([&] {
      const auto report = writer->resolve(name, Milliseconds(2'000));
      return report && world.sequence(1, name) == second->sequence;
    }));
  }
  SECTION("when a watcher with our state polls it, also after a restart") {
    writer.reset();
    config.poll_min = Milliseconds(100);
    config.poll_max = Milliseconds(200);
    config.poll_healthy = Milliseconds(200);
    auto again = *Client::open(config);
    test::Changes changes;
    REQUIRE(again->watch(name, changes.options()));
    CHECK(Nodes::eventually([&] { return world.sequence(1, name) == second->sequence; }));
  }
}

TEST_CASE("a record is renewed before its end: same value, same sequence, everywhere") {
  Nodes world(2);
  auto config = world.config("writer");
  config.record_lifetime = std::chrono::hours(1);
  config.record_previous = true;
  const IpnsName name = world.key.name();
  std::optional<Outcome> outcome;
  {
    auto writer = *Client::open(config);
    REQUIRE(writer->publish(world.key, world.tree("zero")));
    outcome = *writer->publish(world.key, world.tree("one"));
  }
  const auto before = world.record(1, name);
  REQUIRE(before);
  // Of 48 hours, less than half is left.
  config.record_lifetime = std::chrono::hours(48);
  test::Changes changes;
  auto reader = *Client::open(world.config("reader"));
  REQUIRE(reader->watch(name, changes.options()));
  REQUIRE(changes.next(ChangeKind::change));
  auto writer = *Client::open(config);
  CHECK(world.seconds_left(0, name) < 3'700);
  REQUIRE(writer->keep_alive(world.key));
  for (const size_t node : {size_t{0}, size_t{1}}) {
    CHECK(Nodes::eventually([&] { return world.seconds_left(node, name) > 47 * 3'600; }));
    const auto after = world.record(node, name);
    REQUIRE(after);
    CHECK(after->fields().sequence == outcome->sequence);
    CHECK(after->fields().value == before->fields().value);
    CHECK(after->fields().extra == before->fields().extra);
  }
  // The reader hears it from the hint, as no change.
  CHECK(Nodes::eventually([&] {
    const auto known = reader->status();
    return known.size() == 1 && known[0].eol.seconds > system_now().seconds().value + 47 * 3'600;
  }));
  // The next publish goes on from there.
  const auto next = writer->publish(world.key, world.tree("two"));
  REQUIRE(next);
  CHECK(next->sequence.value == outcome->sequence.value + 1);
}

TEST_CASE("what is renewed is what another device of ours published last, not what we did") {
  Nodes world(1);
  const IpnsName name = world.key.name();
  auto config = world.config("here");
  config.record_lifetime = std::chrono::hours(1);
  {
    auto here = *Client::open(config);
    REQUIRE(here->publish(world.key, world.tree("ours")));
  }
  std::optional<Outcome> theirs;
  {
    auto other = world.config("there");
    other.record_lifetime = std::chrono::hours(1);
    theirs = *(*Client::open(other))->publish(world.key, world.tree("theirs"), {.replace = true});
  }
  config.record_lifetime = std::chrono::hours(48);
  auto here = *Client::open(config);
  REQUIRE(here->keep_alive(world.key));
  REQUIRE(Nodes::eventually([&] { return world.seconds_left(0, name) > 47 * 3'600; }));
  const auto after = world.record(0, name);
  CHECK(after->fields().sequence == theirs->sequence);
  CHECK(after->fields().value == "/ipfs/" + theirs->cid.to_string());
}

TEST_CASE("a record names its announcer and the value before when that is asked for") {
  Nodes world(1);
  auto config = world.config("writer");
  config.record_announcer = true;
  config.record_previous = true;
  auto writer = *Client::open(config);
  const auto first = writer->publish(world.key, world.tree("one"));
  REQUIRE(writer->publish(world.key, world.tree("two")));
  const auto record = world.record(0, world.key.name());
  REQUIRE(record);
  const auto announcer = announcer_of(record->fields());
  REQUIRE(announcer);
  CHECK(announcer->pubkey == world.nostr_key.public_key());
  CHECK(announcer->relays.empty());  // ws:// on loopback is nobody else's business
  CHECK(previous_of(record->fields()) == first->cid);

  config.private_hints = true;
  config.state_dir = world.dir.path() / "private";
  const auto refused = Client::open(config);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::invalid);
}
