#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast {

// What the servers that the configuration names say the time is (their "Date"), so that a clock of
// ours that is wrong can be told from a mark that is. The latest word of each endpoint counts, for
// an hour, and as long as our own clock was not set since nor the machine asleep. Thread-safe.
class ClockWitness {
 public:
  static constexpr size_t kMostEndpoints = 64;  // the one that was heard longest ago goes first
  static constexpr Seconds kKept{3'600};
  // Our two clocks may part by so much, before a word that lies behind it counts for nothing.
  static constexpr Seconds kClocksAgree{60};
  // Two in the middle that are further apart than this have no median that means anything.
  static constexpr Seconds kServersAgree{600};

  // `received`: when the answer came.
  void note(std::string_view endpoint, UnixSeconds server, Now received);
  // The same from the header's text; what is no date is left out.
  void note_date(std::string_view endpoint, std::string_view date, Now received);

  // By how much our clock is behind the median of the servers; negative: ahead. Nothing when nobody
  // was heard, or when those in the middle contradict each other.
  std::optional<Milliseconds> offset(Now now) const;
  // What the time is, by them.
  std::optional<UnixSeconds> time(Now now) const;

 private:
  struct Word {
    Milliseconds offset{0};
    Now received;
  };
  static bool counts(const Word& word, Now now);

  mutable std::mutex mutex_;
  std::map<std::string, Word, std::less<>> words_;  // guarded by mutex_
};

}  // namespace ipnscast
