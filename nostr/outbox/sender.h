#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/nostr/pool/pool.h"

namespace ipnscast::nostr {

// The outbox thread: carries what stands in the outbox to its relays, again and again until each
// has settled, also after a restart, and at once when a relay comes back. What a relay acknowledged
// is read back, by a later process when this one ends first, and sent again when it is lost (R15).
// Outlived by the pool, whose on_connected() it takes, and the writer. Thread-safe.
class OutboxSender {
 public:
  struct Options {
    Backoff::Options retry{Milliseconds(1'000), Milliseconds(300'000), Milliseconds(60'000)};
    Milliseconds deadline{10'000};                 // of one try
    std::optional<Milliseconds> read_back{2'000};  // see PublishOptions::read_back; none: never
    OutboxLimits limits;
    // A relay has a newer event at the address of ours, which it gave; ours leaves the outbox.
    // Called on the outbox thread; must not block. May be empty.
    std::function<void(const Event& ours, const Event& newer)> on_superseded;
  };
  // Called on the outbox thread; must not block.
  using OnReport = std::function<void(const PublishReport&)>;

  // Begins with what is left from before.
  OutboxSender(Pool& pool, store::Writer& writer, Options options);
  OutboxSender(Pool& pool, store::Writer& writer);
  // Stops trying. What is unsent stays in the outbox.
  ~OutboxSender();

  // This was committed to the outbox. `first_report` is called once: as soon as the quorum has
  // stored it, or after the first try. It is dropped when the sender goes first.
  void committed(OutboxEntry entry, Quorum quorum, OnReport first_report);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::nostr
