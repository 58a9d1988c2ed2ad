#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "ipnscast/sync/source/hint_opener.h"
#include "ipnscast/sync/source/nostr_source.h"
#include "ipnscast/sync/source/source.h"

namespace ipnscast::sync {

// How many private hints of ours were read and dropped. Any thread.
struct PrivateHintTally {
  std::atomic<uint64_t> read = 0;
  std::atomic<uint64_t> dropped = 0;
};

// The relays of a pool as a source: hints are brought to the sync thread, private ones decrypted on
// their way, and read there.
class RelaySource final : public Source {
 public:
  struct Parts {
    nostr::Pool& pool;                      // outlives this
    std::shared_ptr<nostr::Signer> opener;  // decrypts private hints; null: there are none
    std::shared_ptr<PrivateHintTally> tally;
  };
  struct Options {
    NostrSource::Options hints;
    // A verified event of this key, from any device, before it is read. Sync thread.
    std::optional<nostr::PublicKey> own_key;
    std::function<void(const nostr::Event&)> on_own_event;
  };

  RelaySource(Parts parts, Options options, std::shared_ptr<SourceSink> sink);

  void follow(const std::vector<IpnsName>& names) override { reader_.set_names(names); }
  void room() override;

 private:
  class Message;
  class Answer;

  bool accept(nostr::PoolMessage& message);
  bool put(nostr::PoolMessage& message);
  void take(nostr::PoolMessage message, const Say& say);
  void take(HintOpener::Answer answer, const Say& say);
  void read_opened(const Say& say);
  void read(const nostr::PoolMessage& message, const std::optional<Result<std::string>>& text,
            const Say& say);

  // constant after construction
  const Parts parts_;
  const Options options_;
  const std::shared_ptr<SourceSink> sink_;

  std::atomic<bool> held_back_ = false;  // the pool, for the opener's sake
  std::atomic<size_t> opening_ = 0;      // messages that the opener holds
  NostrSource reader_;
  std::unique_ptr<HintOpener> opener_;  // null: no private hints
};

}  // namespace ipnscast::sync
