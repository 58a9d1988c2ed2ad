#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nostr/frame_verifier.h"

namespace ipnscast::nostr::net {

class Loop;

// The threads verify-1 to verify-N: frames in, checked frames out. All frames of one relay go to
// the same thread, so that EVENT, EOSE and OK keep their order. Outlives nothing that it calls:
// destroy it before its sink's owner.
class VerifyThreads {
 public:
  struct Job {
    uint64_t relay = 0;
    std::string frame;
  };
  struct Checked {
    uint64_t relay = 0;
    CheckedFrame result;
    std::string frame;  // kept for duplicates, whose event is not parsed
  };
  // Called on the net thread with a batch, in order.
  using Sink = std::function<void(std::vector<Checked>)>;
  // Called on the net thread when a full inbox has room again.
  using Room = std::function<void()>;

  VerifyThreads(Loop& loop, size_t threads, MessageLimits limits, Sink sink, Room room);
  // Ends the threads; frames that wait are dropped. Not from the net thread. The sink is not called
  // afterwards.
  ~VerifyThreads();

  // Net thread. False, with the job untouched, when the relay's thread has its hands full: try
  // again after `room`.
  bool submit(Job&& job);

 private:
  class Worker;
  VerifiedSet verified_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace ipnscast::nostr::net
