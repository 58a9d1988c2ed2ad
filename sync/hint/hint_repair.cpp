#include "ipnscast/sync/hint/hint_repair.h"

#include <set>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/nip/nip09.h"

namespace ipnscast::sync {
namespace {

// Nobody can read the event. That a signer did not answer, or refused, proves nothing of the kind.
bool unreadable(const Error& error) {
  return error.code == Errc::parse || error.code == Errc::signature ||
         error.code == Errc::too_large || error.code == Errc::unsupported ||
         error.code == Errc::mismatch;
}

}  // namespace

bool hides(const Result<Hint>& ours, const Result<Hint>& newer) {
  if (!ours || !ours->sequence) return false;
  if (!newer) return unreadable(newer.error());
  return !newer->sequence || *newer->sequence < *ours->sequence;
}

bool is_rival(const Hint& ours, const Hint& newer) {
  return ours.sequence && ours.sequence == newer.sequence && ours.cid != newer.cid;
}

nostr::UnsignedEvent deletion_of(const nostr::Event& event, UnixSeconds now) {
  return deletion_of({event.id}, event.kind, now);
}

nostr::UnsignedEvent deletion_of(const std::vector<nostr::EventId>& ids, int kind,
                                 UnixSeconds now) {
  nostr::UnsignedEvent out{now, nostr::kDeletionKind, {}, "created in the future"};
  for (const nostr::EventId& id : ids) out.tags.push_back({"e", to_hex(id.view())});
  out.tags.push_back({"k", std::to_string(kind)});
  return out;
}

nostr::UnsignedEvent retraction_of(const std::vector<nostr::Address>& addresses,
                                   UnixSeconds until) {
  nostr::UnsignedEvent out{until, nostr::kDeletionKind, {}, ""};
  std::set<int> kinds;
  for (const nostr::Address& address : addresses) {
    out.tags.push_back({"a", std::to_string(address.kind) + ":" + to_hex(address.pubkey.view()) +
                                 ":" + address.d});
    kinds.insert(address.kind);
  }
  for (const int kind : kinds) out.tags.push_back({"k", std::to_string(kind)});
  return out;
}

}  // namespace ipnscast::sync
