#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/sync/hint/private_hint.h"
#include "ipnscast/sync/source/known_hints.h"
#include "ipnscast/sync/source/source.h"
#include "ipnscast/sync/state/status.h"

namespace ipnscast::sync {

// Hints from Nostr relays: one subscription for the trusted authors, and with `open` a second one
// for anybody, both for all watched names. Lives on the sync thread; the pool outlives it.
class NostrSource {
 public:
  // How our own private hints are found and read.
  struct Private {
    nostr::PublicKey own_key;
    std::shared_ptr<const PrivateNames> names;
    // Names of our own are not told to relays: our plain hints are asked for by topic.
    bool hide = false;
    std::string topic;
  };
  struct Options {
    std::vector<nostr::PublicKey> authors;
    std::vector<int> kinds;
    bool compat = true;
    bool open = false;
    std::optional<Private> own_private;  // only when our own key is among the authors
    std::shared_ptr<KnownHints> known;   // learns what comes; null: relays are told of nothing
  };

  // `sink` takes what relays say, on the net thread; false when there is no room.
  NostrSource(nostr::Pool& pool, Options options, nostr::Pool::Sink sink);
  ~NostrSource();
  NostrSource(const NostrSource&) = delete;
  NostrSource& operator=(const NostrSource&) = delete;

  // Asks for these names from now on.
  void set_names(const std::vector<IpnsName>& names);

  // What a message means to the engine: news, or a source's health. Nothing for what is no hint.
  // `text`: what the signer made of the content of an event that may be a private hint.
  std::optional<SourceWord> read(const nostr::PoolMessage& message,
                                 const std::optional<Result<std::string>>& text, Now now);

  const PrivateHintCounters& counters() const { return counters_; }

 private:
  using Feed = std::optional<nostr::SubscriptionKey>;
  void ask(Feed& feed, std::vector<nostr::Filter> filters, nostr::SubscribeOptions with);
  Result<Hint> hint_of(const nostr::Event& event, const std::optional<Result<std::string>>& text);

  nostr::Pool& pool_;
  const Options options_;
  const nostr::Pool::Sink sink_;
  Feed trusted_;
  Feed open_;
  PrivateHintCounters counters_;
};

// The filters for our trusted authors' hints of these names, private ones of ours included.
std::vector<nostr::Filter> trusted_hint_filters(const NostrSource::Options& options,
                                                const std::vector<IpnsName>& names);

}  // namespace ipnscast::sync
