#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ipnscast/sync/state/known_record.h"
#include "ipnscast/sync/state/status.h"
#include "ipnscast/sync/writer/version_vector.h"

namespace ipnscast::sync {

// A verified record and what it says it contains. Nothing: it has no vector, as Kubo's records.
struct SeenRecord {
  KnownRecord record;
  std::optional<VersionVector> vector;

  Version version() const { return {record.sequence, record.value}; }
  bool operator==(const SeenRecord&) const = default;
};

SeenRecord seen_record(const IpnsRecord& record);

// One value that this device published, from before it is sent until it is certain that it cannot
// vanish unnoticed.
struct OwnPublish {
  // Stored as these numbers.
  enum class State {
    tentative = 0,     // reserved, while the deciding node is asked
    sent = 1,          // committed and on its way
    settled = 2,       // the decider stored it, everybody shows it, or others have built on it
    lost = 3,          // displaced by a version that does not contain it
    acknowledged = 4,  // lost, and a person or a program has dealt with it
  };
  // Another publish of the same value: by another device under the same sequence, or by this one
  // before it was lost and published again. Whoever builds on that contains this one as well.
  struct Twin {
    DeviceTag tag;
    uint64_t count = 0;
    bool operator==(const Twin&) const = default;
  };
  DeviceTag tag;  // under which it is compared; an earlier one of this device after it was cloned
  uint64_t count = 0;
  SeenRecord seen;
  std::optional<Version> made_on;  // what the edit was made on
  std::optional<Twin> twin;
  State state = State::sent;
  bool queued = false;               // committed while nobody answered: nobody has been told of it
  std::optional<Sequence> expected;  // of a tentative one: compare-and-set
  // Of a lost one.
  std::optional<SeenRecord> theirs;  // what displaced it
  bool certain = true;               // `theirs` says that it does not contain it
  bool told = false;                 // the application knows

  const std::string& value() const { return seen.record.value; }
  Sequence sequence() const { return seen.record.sequence; }
  bool alive() const { return state == State::sent || state == State::settled; }
  bool operator==(const OwnPublish&) const = default;
};

// What the state file keeps of a name that this device writes.
struct WriterState {
  // What this device has taken in last: what its next edit is made on.
  struct Base {
    Version version;
    std::optional<VersionVector> vector;
    bool operator==(const Base&) const = default;
  };
  // Two values are known for the sequence of `known`.
  struct Contested {
    Sequence sequence;
    std::string loser;
    bool operator==(const Contested&) const = default;
  };

  DeviceTag tag;
  uint64_t count = 0;  // of publishes; grows with tentative ones too and is never given again
  Sequence highest;    // that was ever signed here
  std::optional<Base> base;
  std::optional<SeenRecord> known;
  std::optional<Contested> contested;
  std::optional<SeenRecord> owed;          // what this device brings to all places and relays
  std::optional<SeenRecord> before_queue;  // `known` when the first queued publish was made
  std::vector<OwnPublish> own;             // in the order in which they were made
  bool operator==(const WriterState&) const = default;
};

// What people and programs are told of those that are lost, the oldest first.
std::vector<LostPublish> lost_publishes(const WriterState& state);

}  // namespace ipnscast::sync
