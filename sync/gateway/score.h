#pragma once

#include <string>
#include <vector>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::sync::gateway {

// What is kept of one gateway from run to run.
struct GatewayMemory {
  std::string url;  // without a user and a password
  // How often it kept its word, failed, and lied; what is older counts less (score.h).
  double answers = 0;
  double failures = 0;
  double lies = 0;
  std::vector<Milliseconds> latencies;  // of its last answers, the oldest first
  UnixMillis at;                        // when all of that was so
};

// How a gateway kept its word. An answer or a failure counts half after a day, a lie after a week,
// so that a gateway that mended its ways gets its place back, a liar late. Pure; one thread at a
// time.
class Score {
 public:
  // `age` ago the counts were these.
  void restore(const GatewayMemory& memory, Milliseconds age, Instant now);

  void answered(Instant now);
  void failed(Instant now);
  void lied(Instant now);

  double answers(Instant now) const;
  double failures(Instant now) const;
  double lies(Instant now) const;
  // 1 without failures, towards 0 with nothing but failures.
  double reliability(Instant now) const;
  // One lie makes it so for two weeks, more make it so for longer.
  bool liar(Instant now) const { return lies(now) >= 0.25; }

 private:
  void age(Instant now);

  double answers_ = 0;
  double failures_ = 0;
  double lies_ = 0;
  Instant as_of_{};  // when the three were so
};

// A gateway's memory as points from 0 to 100, for people: 100 for one that always answers at once
// and never lies.
int points(const GatewayMemory& memory);
// The median of its latencies; 0 without any.
Milliseconds median_latency(const GatewayMemory& memory);

}  // namespace ipnscast::sync::gateway
