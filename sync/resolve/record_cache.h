#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// What the resolver remembers: the best verified record of each name, the ETags it came with, and
// which source lately had none. Bounded: the name that came first goes first. Pure; one thread at a
// time (S1-09, S1-27).
class RecordCache {
 public:
  struct Options {
    Milliseconds longest{60'000};   // a record is fresh for min(its TTL, this)
    Milliseconds negative{30'000};  // "not found" is believed so long
    size_t names = 65'536;
  };
  struct Stats {
    uint64_t hits = 0;
    uint64_t misses = 0;
    size_t names = 0;
  };

  explicit RecordCache(Options options) : options_(options) {}

  // A record that needs no asking. Counts a hit or a miss.
  const IpnsRecord* fresh(const IpnsName& name, Now now);
  // The best that was ever put, fresh or not.
  const IpnsRecord* known(const IpnsName& name) const;
  // A verified record that was just received. A worse one than the known changes nothing, and gives
  // false; a better one outdates the ETags of the others.
  bool put(const IpnsName& name, const IpnsRecord& record, Now now);
  // A source says that the record it gave under this ETag, the best known, is still current.
  void renew(const IpnsName& name, Now now);

  // Sources are numbered by the caller.
  void note_etag(const IpnsName& name, size_t source, std::string etag);
  std::string etag(const IpnsName& name, size_t source) const;
  void note_missing(const IpnsName& name, size_t source, Now now);
  bool missing(const IpnsName& name, size_t source, Now now) const;

  // How often this was called of the name before, as far as is remembered.
  uint32_t next_poll(const IpnsName& name) { return entry(name).polls++; }

  void invalidate(const IpnsName& name) { entries_.erase(name); }
  Stats stats() const { return {hits_, misses_, entries_.size()}; }

 private:
  struct Entry {
    std::optional<IpnsRecord> record;
    Instant fresh_until{};
    std::map<size_t, std::string> etags;
    std::map<size_t, Instant> missing_until;
    uint32_t polls = 0;
  };
  Entry& entry(const IpnsName& name);
  Instant fresh_until(const IpnsRecord& record, Now now) const;

  // constant after construction
  const Options options_;

  std::unordered_map<IpnsName, Entry> entries_;
  std::deque<IpnsName> order_;  // of arrival; may name what is gone
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
};

}  // namespace ipnscast::sync
