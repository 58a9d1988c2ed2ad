#pragma once

#include <functional>
#include <unordered_set>

#include "ipnscast/nostr/verify/frame_verifier.h"
#include "ipnscast/nostr/verify/newest_rule.h"

namespace ipnscast::nostr {

struct RelayFrame {
  uint64_t relay = 0;
  std::string text;
};
struct CheckedRelayFrame {
  uint64_t relay = 0;
  CheckedFrame result;
  std::string text;  // kept for duplicates, whose event is not parsed
};

// Checks the frames that wait at one worker together, so that of the versions of one address the
// newest is verified first and the ones that it covers (see NewestRule) not at all. An event is
// skipped only once the one that covers it was verified; a forged one covers nothing and costs its
// own verification. Each event is verified at most once.
//
// Within the batch only frames of the same relay and subscription cover each other: they reach the
// subscriber together or, when the connection is lost, neither does and both are asked for again.
//
// Pure; owned by one thread.
class FrameBatch {
 public:
  // `verified` and `rules` outlive it.
  FrameBatch(VerifiedSet& verified, const NewestRules& rules, MessageLimits limits = {})
      : verifier_(verified, limits), rules_(rules) {}

  // Gives each frame's result to `emit`, in the order of the frames and as early as it is known.
  void check(std::vector<RelayFrame> frames, const std::function<void(CheckedRelayFrame)>& emit);

  // Signatures verified so far, good and bad.
  uint64_t signatures() const { return verifier_.signatures(); }

 private:
  struct Version;
  struct Ahead;

  std::shared_ptr<NewestRule> rule_for(std::string_view subscription);
  void open_ahead(const std::vector<RelayFrame>& frames, Ahead& ahead);
  CheckedFrame settle(Ahead& ahead, size_t version);
  bool is_covered(Ahead& ahead, size_t version);
  void verify(Version& version);

  FrameVerifier verifier_;
  const NewestRules& rules_;
};

}  // namespace ipnscast::nostr
