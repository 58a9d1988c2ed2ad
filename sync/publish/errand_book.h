#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::sync {

// Something that is still to be done after a publish, at one place.
struct Errand {
  enum class Kind {
    content,  // the node lacks a DAG
    unpin,    // the node keeps a version that is too old
    record,   // the place lacks the latest record
    renew,    // the record of a name nears its end
  };
  Kind kind = Kind::record;
  Bytes what;         // the root's CID, or the name's multihash
  std::string place;  // URL; empty for renew
  bool operator==(const Errand&) const = default;
  std::strong_ordering operator<=>(const Errand& other) const {
    if (const auto by_kind = kind <=> other.kind; by_kind != 0) return by_kind;
    if (const auto by_what = compare_bytes(what, other.what); by_what != 0) return by_what;
    return place <=> other.place;
  }
};

// When each errand is due. Pure; one thread at a time. What is owed comes from the state file again
// and again; the times are kept here: a failed one waits, 1 s doubling to 5 min.
class ErrandBook {
 public:
  struct Options {
    Milliseconds retry_min{1'000};
    Milliseconds retry_max{300'000};
  };
  explicit ErrandBook(Options options) : options_(options) {}

  // These and no others are owed. Those not known yet are due at `first`.
  void owe(const std::vector<Errand>& all, Instant first);
  // The ones that are due, under way from now on. done() or failed() has to follow for each.
  std::vector<Errand> take_due(Instant now);
  void done(const Errand& errand);
  void failed(const Errand& errand, Instant now, Milliseconds at_least = Milliseconds(0));

  // Nothing: only when more is owed, or what is under way ends.
  std::optional<Instant> next_due() const;
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Instant due{};
    int failures = 0;
    bool under_way = false;
  };
  const Options options_;
  std::map<Errand, Entry> entries_;
};

}  // namespace ipnscast::sync
