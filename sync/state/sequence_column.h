#pragma once

#include <cstdint>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// Sequences stay below 2^63 (kMaxSequence), so that a column of integers holds them.
inline int64_t number(Sequence sequence) { return static_cast<int64_t>(sequence.value); }
inline Sequence sequence_at(const store::Statement& s, int column) {
  return {static_cast<uint64_t>(s.integer(column))};
}

}  // namespace ipnscast::sync
