#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/nip/negentropy.h"
#include "ipnscast/sync/hint/hint.h"

namespace ipnscast::sync {

// Which events of trusted authors need not come again: their hints were read, and a record that the
// state file has is at least as new as what they claim. That is what a relay is told after a long
// absence (NIP-77), so that it sends the others only. Of each address the latest; kept for the life
// of the process. Thread-safe: read and written on the sync thread, asked on the net thread.
class KnownHints {
 public:
  void read(const nostr::Event& event, const Hint& hint);
  // The state file has a verified record with this sequence and value.
  void committed(const IpnsName& name, Sequence sequence, const std::string& value);
  // Nothing of the name is known any more.
  void forget(const IpnsName& name);

  // Those that the filter asks for; one without `d` gets all of its kinds and authors.
  std::vector<nostr::NegentropyItem> of(const nostr::Filter& filter) const;

 private:
  struct Heard {
    nostr::NegentropyItem item;
    IpnsName name;
    std::optional<Sequence> sequence;
    std::string value;
  };
  struct State {
    Sequence sequence;
    std::string value;
  };
  using Key = std::pair<int, nostr::PublicKey>;  // kind and author

  bool covered(const Heard& heard) const;
  void add(const std::map<Key, Heard>& at_d, const nostr::Filter& filter,
           std::vector<nostr::NegentropyItem>& out) const;

  mutable std::mutex mutex_;
  // guarded by mutex_
  std::map<std::string, std::map<Key, Heard>> heard_;  // by d
  std::map<IpnsName, State> states_;
};

}  // namespace ipnscast::sync
