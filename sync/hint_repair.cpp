#include "sync/hint_repair.h"

#include "nostr/base/hex.h"

namespace ipnscast::sync {
namespace {

constexpr int kDeletionKind = 5;  // NIP-09

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

nostr::UnsignedEvent deletion_of(const nostr::Event& event, UnixSeconds now) {
  return {now,
          kDeletionKind,
          {{"e", to_hex(event.id.view())}, {"k", std::to_string(event.kind)}},
          "created in the future"};
}

}  // namespace ipnscast::sync
