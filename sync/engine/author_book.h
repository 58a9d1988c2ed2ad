#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/event/event.h"

namespace ipnscast::sync {

// What we hold against authors of hints, and what strangers may still cost us. Bounded: the author
// who was heard of longest ago goes first. One thread.
class AuthorBook {
 public:
  struct Options {
    size_t max_authors = 4096;
    int marks_to_distrust = 3;  // within `mark_lifetime`
    Milliseconds mark_lifetime{3'600'000};
    int budget = 10;          // resolutions that a stranger's hints may cause per `budget_window`
    int budget_of_all = 100;  // the same for all strangers together
    Milliseconds budget_window{60'000};
  };

  AuthorBook();
  explicit AuthorBook(Options options);

  // The record proved a hint of this author wrong, or the hint was malformed.
  void mark(const nostr::PublicKey& author, Instant now);
  // So many marks within the hour that the word of even a trusted author is treated as a
  // stranger's.
  bool distrusted(const nostr::PublicKey& author, Instant now) const;

  // Takes one resolution from the author's budget. False when the author's or everybody's is used
  // up.
  bool spend(const nostr::PublicKey& author, Instant now);

  size_t size() const { return authors_.size(); }
  uint64_t marks_given() const { return marks_given_; }

 private:
  struct Window {
    Instant start;
    int used = 0;
    // Counts one; false when `limit` are used in this window already.
    bool take(int limit, Milliseconds length, Instant now);
  };
  struct Author {
    Window marks;
    Window budget;
    std::list<nostr::PublicKey>::iterator place;
  };
  Author& touch(const nostr::PublicKey& author);

  // constant after construction
  const Options options_;

  std::unordered_map<nostr::PublicKey, Author> authors_;
  std::list<nostr::PublicKey> order_;  // heard of longest ago first
  Window all_;
  uint64_t marks_given_ = 0;
};

}  // namespace ipnscast::sync
