#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "ipnscast/bridge/node/store/precondition.h"
#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::bridge {

// What became of a record that was offered.
struct Offered {
  enum class Outcome {
    stored,  // it is the name's record now
    known,   // the same bytes are there
    older,   // a better one is there
    rival,   // one of the same sequence is there, with another value
    unmet,   // the precondition does not hold
  };
  Outcome outcome = Outcome::stored;
  // The record that stays, when another was offered. Nothing: there is none.
  std::optional<Bytes> there{};
};

// The best record of each name that the embedded node has seen, in a SQLite file. Only records that
// verify get in, so anybody may offer one, unless the names are listed. It decides between writers:
// a precondition is looked at and the record stored in one step, and a record never makes room for
// one of its own sequence with another value, however it ranks. Thread-safe.
class RecordStore {
 public:
  // ":memory:" works for tests. Above `max_names` new names are refused. Only records of `writers`
  // are taken; empty: of any name.
  static Result<std::unique_ptr<RecordStore>> open(const std::filesystem::path& file,
                                                   uint64_t max_names = 1'000'000,
                                                   std::set<sync::IpnsName> writers = {});

  // Errc::refused for a name that is not among the writers; Errc::signature, Errc::expired,
  // Errc::parse or Errc::too_large for a record that does not verify; Errc::busy when there are too
  // many names. Committed on return. The same bytes again are welcome whatever the precondition
  // says, so that a writer who missed the answer may ask twice. A record whose time is over keeps
  // its rank (R36).
  Result<Offered> offer(const sync::IpnsName& name, ByteView record, UnixMillis now,
                        const Precondition& precondition = {});
  // The name's record, or nothing when there is none. Also one whose time is over: who asks checks
  // that itself, and a publisher without state learns from it which sequence was used last.
  Result<std::optional<sync::IpnsRecord>> get(const sync::IpnsName& name, UnixMillis now);

 private:
  RecordStore(std::unique_ptr<store::Database> db, uint64_t names, uint64_t max_names,
              std::set<sync::IpnsName> writers)
      : max_names_(max_names), writers_(std::move(writers)), db_(std::move(db)), names_(names) {}
  Result<std::optional<Bytes>> read(const sync::IpnsName& name);
  Status write(const sync::IpnsName& name, ByteView record, bool is_new);

  const uint64_t max_names_;
  const std::set<sync::IpnsName> writers_;

  std::mutex mutex_;
  // guarded by mutex_
  std::unique_ptr<store::Database> db_;
  uint64_t names_;  // that have a record, expired ones included
};

}  // namespace ipnscast::bridge
