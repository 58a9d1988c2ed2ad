#pragma once

#include "ipnscast/nostr/base/bytes.h"

namespace ipnscast {

// SipHash (Aumasson and Bernstein, 2012): a 64-bit hash under a secret key, so that whoever chooses
// the values of a hash table cannot choose them to collide. For tables only, never as a MAC.
struct SipKey {
  uint64_t k0 = 0;
  uint64_t k1 = 0;
  static SipKey random();
};

// SipHash-1-3, as in the hash tables of Rust and Python.
uint64_t sip_hash_1_3(const SipKey& key, ByteView bytes);
// SipHash-2-4, which has official vectors: the same code with more rounds.
uint64_t sip_hash_2_4(const SipKey& key, ByteView bytes);

}  // namespace ipnscast
