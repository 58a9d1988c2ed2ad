// A program decides what becomes of a publish that another device has displaced.
#include <atomic>
#include <stdexcept>

#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/sync/state/known_record.h"
#include "ipnscast/tests/integration/sync/client_world.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

using Choice = Resolution::Choice;

std::string value_of(const Outcome& outcome) { return "/ipfs/" + outcome.cid.to_string(); }

// "file.txt" of what a version of the test's tree holds, from the cache alone.
std::string text_in(Client& client, const Version& version) {
  const auto root = root_of(version.value);
  REQUIRE(root);
  DagBudget way{DagLimits{}};
  const auto file = resolve_path(way, client.blocks(), *root, "file.txt");
  REQUIRE(file);
  std::string out;
  const auto read = read_file_content(client.blocks(), *file, 1'000, [&](ByteView bytes) {
    out += as_text(bytes);
    return Status{};
  });
  REQUIRE(read);
  return out;
}

std::optional<Change> change_at(Changes& changes, uint64_t sequence) {
  auto change = changes.next(ChangeKind::change);
  while (change && change->sequence < Sequence{sequence}) change = changes.next(ChangeKind::change);
  return change;
}

// Two devices; what the first has published is displaced by the second, which never saw it.
struct Displaced : World {
  Displaced() {
    first = *Client::open(config("first"));
    ours = *first->publish(key, tree("ours"), {.settle = PublishOptions::Settle::yes});
    second = *Client::open(config("second"));
    theirs = *second->publish(key, tree("theirs"), {.replace = true});
    REQUIRE(theirs.sequence == Sequence{2});
  }
  WatchOptions deciding(std::function<Result<Resolution>(const Conflict&)> decide) {
    WatchOptions out = changes.options();
    out.on_conflict = [this, decide = std::move(decide)](const Conflict& conflict) {
      asked.push_reserved(conflict);
      return decide(conflict);
    };
    return out;
  }
  std::optional<Conflict> next_conflict() {
    return asked.pop_until(std::chrono::steady_clock::now() + Milliseconds(200'000));
  }
  void reopen_first() {
    first->close();
    first = *Client::open(config("first"));
    REQUIRE(first->keep_alive(key));
  }

  Outcome ours{key.name(), Cid{}}, theirs{key.name(), Cid{}};
  // What handlers use outlives the clients.
  std::atomic<int> calls = 0;
  Changes changes, others;
  Inbox<Conflict> asked{100};
  std::unique_ptr<Client> first, second;
};

}  // namespace

TEST_CASE(
    "a program that merges gets both contents, and its merge reaches everybody as the next "
    "version (S0-06, S2-08, S2-09, S2-10, S3-03, S0-67)") {
  Displaced world;
  REQUIRE(world.second->watch(world.key.name(), world.others.options()));
  REQUIRE(world.first->watch(world.key.name(), world.deciding([&](const Conflict& conflict) {
    const std::string both =
        text_in(*world.first, conflict.ours) + " and " + text_in(*world.first, conflict.theirs);
    return Resolution{Choice::path, world.tree(both), std::nullopt};
  })));
  const auto conflict = world.next_conflict();
  REQUIRE(conflict);
  CHECK(conflict->name == world.key.name());
  CHECK(conflict->ours == Version{{1}, value_of(world.ours)});
  CHECK(conflict->theirs == Version{{2}, value_of(world.theirs)});
  CHECK(conflict->our_record == world.ours.record);
  CHECK(conflict->their_record == world.theirs.record);
  // Whoever merged gets the merge as well: it may show something else by now.
  for (Changes* changes : {&world.changes, &world.others}) {
    const auto change = change_at(*changes, 3);
    REQUIRE(change);
    CHECK(change->sequence == Sequence{3});
  }
  CHECK(text_in(*world.second, {{3}, world.second->status().at(0).value}) == "ours and theirs");
  CHECK(world.first->lost(world.key.name()).empty());
  CHECK(world.second->lost(world.key.name()).empty());
}

TEST_CASE("a program that keeps theirs publishes nothing, and nothing is lost any more (R35)") {
  Displaced world;
  REQUIRE(world.first->watch(world.key.name(), world.deciding([](const Conflict&) {
    return Resolution{Choice::theirs};
  })));
  REQUIRE(world.next_conflict());
  // What is published next rests on theirs.
  REQUIRE(world.changes.next(ChangeKind::change));
  const auto next = world.first->publish(world.key, world.tree("next"));
  REQUIRE(next);
  CHECK(next->sequence == Sequence{3});
  CHECK(world.first->lost(world.key.name()).empty());
}

TEST_CASE(
    "a program that fails is asked again, and what it republishes is told as lost by the other "
    "(R33)") {
  Displaced world;
  REQUIRE(world.second->watch(world.key.name(), world.others.options()));
  REQUIRE(world.first->watch(world.key.name(),
                             world.deciding([&](const Conflict&) -> Result<Resolution> {
                               if (++world.calls == 1) return fail(Errc::busy, "not now");
                               if (world.calls == 2) throw std::runtime_error("nor now");
                               return Resolution{Choice::ours};
                             })));
  const auto lost = world.others.next(ChangeKind::lost);
  REQUIRE(lost);
  CHECK(lost->other_value == value_of(world.theirs));
  CHECK(lost->value == value_of(world.ours));
  CHECK(lost->sequence == Sequence{3});
  CHECK(world.calls == 3);
  CHECK(world.first->lost(world.key.name()).empty());
}

TEST_CASE("what waits for a person is asked about at the next start, once for each start (R35)") {
  Displaced world;
  REQUIRE(world.first->watch(
      world.key.name(), world.deciding([](const Conflict&) { return Resolution{Choice::wait}; })));
  REQUIRE(world.next_conflict());
  REQUIRE(world.first->lost(world.key.name()).size() == 1);
  world.reopen_first();
  REQUIRE(world.first->watch(world.key.name(), world.deciding([&](const Conflict&) {
    return Resolution{Choice::cid, {}, world.ours.cid};
  })));
  const auto again = world.next_conflict();
  REQUIRE(again);
  CHECK(again->ours.value == value_of(world.ours));
  const auto merged = change_at(world.changes, 3);
  REQUIRE(merged);
  CHECK(merged->value == value_of(world.ours));
  CHECK(world.first->lost(world.key.name()).empty());
  CHECK(world.asked.drain().empty());
}

TEST_CASE("a conflict handler without a change handler is refused") {
  World world;
  const auto client = *Client::open(world.config("only"));
  WatchOptions options;
  options.on_conflict = [](const Conflict&) { return Resolution{}; };
  const auto refused = client->watch(world.key.name(), std::move(options));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::invalid);
}

TEST_CASE(
    "of a split on one device and a transfer on another, made on the same version, one is refused, "
    "and so is what builds on that, until the other one is taken in (S0-68, S0-77)") {
  World world;
  Changes changes;
  auto first = *Client::open(world.config("first"));
  auto second = *Client::open(world.config("second"));
  REQUIRE(first->publish(world.key, world.tree("token")));
  REQUIRE(second->watch(world.key.name(), changes.options()));
  REQUIRE(change_at(changes, 1));
  second->unwatch(world.key.name());
  const auto split = first->publish(world.key, world.tree("split"));
  REQUIRE(split);
  for (const char* edit : {"transfer", "transfer, once more"}) {
    const auto refused = second->publish(world.key, world.tree(edit));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::conflict);
  }
  const auto found = first->resolve(world.key.name(), Seconds(10));
  REQUIRE(found);
  REQUIRE(found->best);
  CHECK(found->best->fields().value == value_of(*split));
  REQUIRE(second->watch(world.key.name(), changes.options()));
  REQUIRE(change_at(changes, 2));
  const auto transfer = second->publish(world.key, world.tree("transfer of what was split"));
  REQUIRE(transfer);
  CHECK(transfer->sequence == Sequence{3});
  CHECK(first->lost(world.key.name()).empty());
}
