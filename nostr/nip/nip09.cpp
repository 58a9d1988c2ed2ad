#include "ipnscast/nostr/nip/nip09.h"

#include "ipnscast/nostr/base/hex.h"

namespace ipnscast::nostr {
std::optional<Deletion> Deletion::of(const Event& event) {
  if (event.kind != kDeletionKind) return std::nullopt;
  Deletion out;
  out.author_ = event.pubkey;
  out.created_at_ = event.created_at;
  for (const Tag& tag : event.tags) {
    if (tag.size() < 2) continue;
    if (tag[0] == "e") out.ids_.insert(tag[1]);
    if (tag[0] == "a") out.addresses_.insert(tag[1]);
  }
  return out;
}

bool Deletion::covers(const Event& event) const {
  if (event.pubkey != author_) return false;
  const auto address = address_of(event);
  return covers(event.id, event.kind, address ? std::optional(address->d) : std::nullopt,
                event.created_at);
}

// To delete a deletion has no effect.
bool Deletion::covers(const EventId& id, int kind, const std::optional<std::string>& d,
                      UnixSeconds created_at) const {
  if (kind == kDeletionKind) return false;
  if (ids_.count(to_hex(id.view())) != 0) return true;
  if (!d || created_at > created_at_) return false;
  return addresses_.count(std::to_string(kind) + ":" + to_hex(author_.view()) + ":" + *d) != 0;
}

}  // namespace ipnscast::nostr
