#pragma once

#include <vector>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync {

// The kinds under which hints may be published. Kinds from 30000 to 39999 are addressable (NIP-01):
// a relay keeps the latest event of each author and `d`, so a hint replaces an older hint of the
// same name and nothing else. A replaceable kind (0, 3, 10002) would take the place of the user's
// profile, contacts or relay list, and a regular one (1, 5, 7) would be a post, a deletion or a
// reaction in the user's name. Errc::invalid also for an empty list.
Status check_hint_kinds(const std::vector<int>& kinds);

// The kind under which each change may be repeated so that it can be replayed: 1000 to 9999, the
// regular kinds that NIP-01 leaves to applications. Relays keep all events of these. The regular
// kinds below are what people write and read (notes, messages, deletions, reposts, reactions).
Status check_history_kind(int kind);

}  // namespace ipnscast::sync
