#pragma once

#include <optional>
#include <set>
#include <string>

#include "ipnscast/nostr/event/event.h"

namespace ipnscast::nostr {

inline constexpr int kDeletionKind = 5;  // of a deletion request

// What a deletion request asks to end: events of its author, by id or, up to its own second, by
// address. NIP-09. Pure.
class Deletion {
 public:
  // Nothing when the event is no deletion request.
  static std::optional<Deletion> of(const Event& event);

  const PublicKey& author() const { return author_; }
  bool covers(const Event& event) const;
  // The same of an event of the author that is known by these; no address: `d` is none.
  bool covers(const EventId& id, int kind, const std::optional<std::string>& d,
              UnixSeconds created_at) const;

 private:
  PublicKey author_;
  UnixSeconds created_at_;
  std::set<std::string> ids_;        // hex
  std::set<std::string> addresses_;  // "kind:pubkey:d"
};

}  // namespace ipnscast::nostr
