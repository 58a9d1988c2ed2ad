#pragma once

#include <secp256k1.h>

namespace ipnscast::sync {

// The process's one context for record keys, made on first use with random blinding. Thread-safe.
const secp256k1_context* secp256k1();

}  // namespace ipnscast::sync
