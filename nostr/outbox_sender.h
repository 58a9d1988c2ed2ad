#pragma once

#include <functional>
#include <memory>

#include "nostr/base/store/writer.h"
#include "nostr/outbox.h"
#include "nostr/pool.h"

namespace ipnscast::nostr {

// The outbox thread: carries what stands in the outbox to its relays, again and again until each
// has settled, also after a restart. Outlived by the pool and the writer. Thread-safe.
class OutboxSender {
 public:
  struct Options {
    Backoff::Options retry{Milliseconds(1'000), Milliseconds(300'000), Milliseconds(60'000)};
    Milliseconds deadline{10'000};  // of one try
  };
  // Called on the outbox thread; must not block.
  using OnReport = std::function<void(const PublishReport&)>;

  // Begins with what is left from before.
  OutboxSender(Pool& pool, store::Writer& writer, Options options);
  OutboxSender(Pool& pool, store::Writer& writer);
  // Stops trying. What is unsent stays in the outbox.
  ~OutboxSender();

  // This was committed to the outbox. `first_report` is called once: as soon as `quorum` relays
  // have stored it, or after the first try. It is dropped when the sender goes first.
  void committed(OutboxEntry entry, size_t quorum, OnReport first_report);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::nostr
