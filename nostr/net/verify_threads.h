#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ipnscast/nostr/relay/frame_batch.h"

namespace ipnscast::nostr::net {

class Loop;

// The threads verify-1 to verify-N: frames in, checked frames out. All frames of one relay go to
// the same thread, so that EVENT, EOSE and OK keep their order; what waits there is checked
// together (see frame_batch.h). Outlives nothing that it calls: destroy it before its sink's owner.
class VerifyThreads {
 public:
  using Job = RelayFrame;
  using Checked = CheckedRelayFrame;
  // Called on the net thread with a batch, in order.
  using Sink = std::function<void(std::vector<Checked>)>;
  // Called on the net thread when a full inbox has room again.
  using Room = std::function<void()>;

  VerifyThreads(Loop& loop, size_t threads, MessageLimits limits, const Sink& sink,
                const Room& room);
  // Ends the threads; frames that wait are dropped. Not from the net thread. The sink is not called
  // afterwards.
  ~VerifyThreads();

  // Net thread. Takes the job. False, with it untouched, when the relay's thread has its hands
  // full: try again after `room`.
  bool submit(Job& job);

  // By which events may go unverified, by subscription.
  NewestRules& rules() { return rules_; }

 private:
  class Worker;
  NewestRules rules_;
  VerifiedSet verified_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace ipnscast::nostr::net
