#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ipnscast/sync/engine/engine.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tests/support/catch.h"

namespace ipnscast::test {

using namespace sync;

inline Cid cid(uint8_t tag) { return {1, 0x55, {0x12, Bytes(32, tag)}}; }
inline nostr::PublicKey author(uint8_t tag) { return nostr::PublicKey::from(Bytes(32, tag)); }
inline nostr::EventId event(uint8_t tag) { return nostr::EventId::from(Bytes(32, tag)); }

inline const IpnsName kName = IpnsName::from_key({KeyType::ed25519, Bytes(32, 1)});
inline const SourceId kRelay{SourceKind::nostr, "wss://relay.example"};
inline const SourceId kNode{SourceKind::poll, "http://node.example"};
inline const nostr::PublicKey kFriend = author(1);
inline const nostr::PublicKey kStranger = author(9);

// One engine and what it asked for last, on a clock that the test moves.
struct Bench {
  explicit Bench(EngineOptions given = {}) : options(std::move(given)) {
    options.trusted_authors = {kFriend};
    now = {Instant() + std::chrono::hours(1000), {1'790'000'000'000}};
    restart();
  }

  void restart() { engine = std::make_unique<Engine>(options, 1, writers); }

  void feed(Input input) {
    for (auto& action : engine->handle(std::move(input), now)) {
      if (auto* commit = std::get_if<action::Commit>(&action)) {
        for (const auto& row : commit->rows) committed = row;
        commits.push_back(commit->job);
        REQUIRE(save_names(*state, commit->rows));
        REQUIRE(save_history(*state, kName, commit->notes, options.history_versions));
      }
      actions.push_back(std::move(action));
    }
    while (const auto read = next<action::ReadVersion>()) {
      auto found = find_version(*state, kName, read->search);
      REQUIRE(found);
      feed(input::VersionRead{kName, read->job, std::move(*found)});
    }
    if (!auto_commit) return;
    while (!commits.empty()) {
      const JobId job = commits.front();
      commits.erase(commits.begin());
      feed(input::Committed{job, {}});
    }
  }

  // The oldest action of this type that was not taken yet.
  template <typename T>
  std::optional<T> next() {
    for (auto it = actions.begin(); it != actions.end(); ++it) {
      if (auto* found = std::get_if<T>(&*it)) {
        T out = std::move(*found);
        actions.erase(it);
        return out;
      }
    }
    return std::nullopt;
  }

  void pass(Milliseconds time) {
    const Instant end = now.steady + time;
    while (true) {
      const auto wake = engine->next_wake();
      const Instant to = wake ? std::min(*wake, end) : end;
      now.wall.value += std::chrono::ceil<Milliseconds>(to - now.steady).count();
      now.steady = to;
      if (!wake || *wake > end) return;
      feed(input::Tick{});
    }
  }

  void watch(bool has_handler = true) {
    feed(input::Watch{kName, true, has_handler, committed, true, pulls, every_version});
  }

  KnownRecord record(uint64_t sequence, uint8_t tag, int64_t lives_seconds = 172'800) {
    return {{sequence}, value_of(cid(tag)), {now.wall.value / 1000 + lives_seconds, 0}, {tag}, {}};
  }
  void arrive(const KnownRecord& known) { feed(RecordArrived{kName, known, kRelay}); }

  News news(std::optional<uint64_t> sequence, uint8_t tag, nostr::PublicKey by = kFriend) {
    News out{.name = kName,
             .cid = cid(tag),
             .sequence = {},
             .author = by,
             .event_id = event(tag),
             .address = nostr::Address{30078, by, "ipns-sync-" + kName.to_string()},
             .created_at = now.seconds(),
             .device_id = {},
             .at_fault = false,
             .source = kRelay,
             .record = {}};
    if (sequence) out.sequence = Sequence{*sequence};
    return out;
  }

  void finish(const action::Resolve& job, std::optional<KnownRecord> found = {},
              size_t answered = 2) {
    feed(input::ResolveUpdate{kName, job.job, std::move(found), kNode, answered, true, true});
  }
  void fetched() {
    const auto fetch = next<action::Fetch>();
    REQUIRE(fetch);
    feed(input::Fetched{kName, fetch->job, std::nullopt});
  }
  Change delivered() {
    const auto deliver = next<action::Deliver>();
    REQUIRE(deliver);
    last_delivery = deliver->job;
    return deliver->change;
  }
  void acknowledge() { feed(input::Handled{kName, last_delivery, {}}); }
  void refuse() { feed(input::Handled{kName, last_delivery, fail(Errc::io, "no")}); }

  // The name is known with this record, and its handler has it.
  void settled_at(uint64_t sequence, uint8_t tag) {
    watch();
    const auto resolve = next<action::Resolve>();
    REQUIRE(resolve);
    finish(*resolve, record(sequence, tag));
    fetched();
    delivered();
    acknowledge();
    pass(Milliseconds(1));
    actions.clear();
  }

  EngineOptions options;
  WriterView* writers = nullptr;
  Now now;
  std::unique_ptr<Engine> engine;
  std::vector<Action> actions;
  std::vector<JobId> commits;
  bool auto_commit = true;
  bool pulls = false;  // changes are taken with input::Take
  bool every_version = false;
  const std::unique_ptr<store::Database> state =
      *store::Database::open(":memory:", {sync_schema()});
  std::optional<NameRow> committed;
  JobId last_delivery;
};

}  // namespace ipnscast::test
