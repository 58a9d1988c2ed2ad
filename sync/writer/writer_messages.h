#pragma once

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "ipnscast/nostr/base/strong_id.h"
#include "ipnscast/sync/writer/own_publish.h"

namespace ipnscast::sync {

using PublishId = StrongId<struct PublishTag>;
using WriterJob = StrongId<struct WriterJobTag>;

// What a NameWriter is told.
namespace writer_input {

// Publish `value`. The answer is action Answer with the same id.
struct Publish {
  PublishId id;
  std::string value;
  std::optional<Version> based_on;  // what the edit was made on; nothing: what was taken in last
  std::optional<Sequence> expect;   // compare-and-set, whatever it was made on; 0: no record
  bool replace = false;             // over whatever is there
  bool force = false;               // what is known here counts, though nobody answered
  bool wait = false;                // answer when `settle` is over
  bool for_followers = false;       // those who follow the name here do not know of it
};
// The known record gets a later end of life.
struct Renew {};
// A verified record turned up, anywhere. `place`: who shows it, when it is a place or relay of
// ours.
struct Saw {
  SeenRecord seen;
  std::string place;
};
// Ask is through. Everything that was found came as Saw before.
struct Asked {
  WriterJob job;
  bool answered = false;          // somebody did
  bool all = false;               // every own node did
  std::optional<bool> decider{};  // there is one now; nothing: as before
};
struct Signed {
  WriterJob job;
  std::optional<KnownRecord> record;  // nothing: the signer failed
};
struct Committed {
  WriterJob job;
  bool ok = false;
};
// What the deciding node answered.
struct Decided {
  enum class Answer { stored, refused, nothing };
  WriterJob job;
  Answer answer = Answer::nothing;
  std::optional<SeenRecord> stored;  // refused: what it has
  bool never_sent = false;           // nothing: it cannot have stored it
};
struct DeciderHas {
  WriterJob job;
  bool answered = false;
  std::optional<SeenRecord> stored;
};
// Places and relays that are connected now.
struct Places {
  std::set<std::string> connected;
  std::set<std::string> relays;  // those of `connected` that are
  bool broadcast = false;        // a relay was in this run: others may have heard what was sent
};
// A place has no record.
struct ShowsNothing {
  std::string place;
};
// The application has taken this version in.
struct TakenIn {
  SeenRecord seen;
};
// The application was told what became of a publish.
struct Told {
  DeviceTag tag;
  uint64_t count = 0;
};
// What to do about a conflict.
struct Resolved {
  enum class Choice {
    theirs,
    ours,
    merged,
    wait,   // for a person, or for the next start
    later,  // it could not be decided now
  };
  WriterJob job;
  Choice choice = Choice::wait;
  std::string value{};  // merged
  PublishId id{};       // ours, merged: who waits for the Answer, if anybody
};
// Whether there is a program that answers AskResolution. Nothing said: there is none.
struct ProgramDecides {
  bool there = false;
};
// `forget --lost`.
struct Acknowledge {};
// This device goes by another id from now on.
struct Identity {
  DeviceTag tag;
};
struct Tick {};

}  // namespace writer_input

using WriterInput =
    std::variant<writer_input::Publish, writer_input::Renew, writer_input::Saw, writer_input::Asked,
                 writer_input::Signed, writer_input::Committed, writer_input::Decided,
                 writer_input::DeciderHas, writer_input::Places, writer_input::ShowsNothing,
                 writer_input::TakenIn, writer_input::Told, writer_input::Resolved,
                 writer_input::ProgramDecides, writer_input::Acknowledge, writer_input::Identity,
                 writer_input::Tick>;

// What it wants done.
namespace writer_action {

// Ask all places and the own address at the relays what the name has now.
struct Ask {
  WriterJob job;
};
struct Sign {
  WriterJob job;
  PublishId id;  // for which publish; none: of its own accord
  std::string value;
  Sequence sequence;
  bool renewal = false;                 // the known record with a later end of life
  std::optional<VersionVector> vector;  // for the record
};
// Write this in one transaction; what is owed goes with it, as outbox and owed rows.
struct Commit {
  WriterJob job;
  WriterState state;
};
// Put at the deciding node, on condition that it has exactly `instead_of` (nothing: no record).
struct Decide {
  WriterJob job;
  KnownRecord record;
  std::optional<Bytes> instead_of;
};
struct AskDecider {
  WriterJob job;
};
// The committed state owes this to all places and relays. Places that hold the same sequence with
// another value, or a better record, are never written to.
struct Send {
  SeenRecord seen;
};
// This place shows an older record than the one that was given to Send, though it had the time to
// take that: a relay keeps the hint with the later time, whatever it tells.
struct SendAgain {
  SeenRecord seen;
  std::string place;
};
struct Answer {
  enum class Result {
    published,    // committed and on its way
    queued,       // committed; nobody answered
    conflict,     // somebody else's `winner` is there
    unreachable,  // nothing was committed
    perhaps,      // compare-and-set: the decider did not say; it is asked again
    failed,       // signing or the state file failed
  };
  PublishId id;
  Result result = Result::failed;
  Version version{};
  bool settled = false;
  bool undecided = false;  // no single place decided
  std::optional<SeenRecord> winner{};
};
// Let the program decide; answer with Resolved.
struct AskResolution {
  WriterJob job;
  OwnPublish ours;
  SeenRecord theirs;
  std::optional<Version> common{};
};
// Another device runs on a copy of this state.
struct NewIdentity {};

}  // namespace writer_action

using WriterAction =
    std::variant<writer_action::Ask, writer_action::Sign, writer_action::Commit,
                 writer_action::Decide, writer_action::AskDecider, writer_action::Send,
                 writer_action::SendAgain, writer_action::Answer, writer_action::AskResolution,
                 writer_action::NewIdentity>;

// A publish of this device was displaced. Answer with Told when the application knows.
struct LossReport {
  OwnPublish ours;  // the latest of its chain
  bool conflict = false;
  std::optional<Version> common{};
};

}  // namespace ipnscast::sync
