#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "nostr/pool.h"
#include "sync/engine_messages.h"

namespace ipnscast::sync {

// Hints from Nostr relays: one subscription for the trusted authors, and with `open` a second one
// for anybody, both for all watched names. Lives on the sync thread; the pool outlives it.
class NostrSource {
 public:
  struct Options {
    std::vector<nostr::PublicKey> authors;
    std::vector<int> kinds;
    bool compat = true;
    bool open = false;
  };

  // `sink` takes what relays say, on the net thread; false when there is no room.
  NostrSource(nostr::Pool& pool, Options options, nostr::Pool::Sink sink);
  ~NostrSource();
  NostrSource(const NostrSource&) = delete;
  NostrSource& operator=(const NostrSource&) = delete;

  // Asks for these names from now on.
  void set_names(const std::vector<IpnsName>& names);

  // What a message means to the engine: news, or a source's health. Nothing for what is no hint.
  std::optional<Input> read(const nostr::PoolMessage& message, Now now) const;

 private:
  struct Feed {
    std::optional<nostr::SubscriptionKey> key;
    std::vector<nostr::PublicKey> authors;
  };
  void ask(Feed& feed, const std::vector<IpnsName>& names);

  nostr::Pool& pool_;
  const Options options_;
  const nostr::Pool::Sink sink_;
  Feed trusted_;
  Feed open_;
};

}  // namespace ipnscast::sync
