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

}  // namespace ipnscast::sync
