#include "ipnscast/sync/ipfs/ipns/secp256k1_context.h"

#include <array>
#include <cassert>
#include <memory>

#include "ipnscast/nostr/base/random.h"

namespace ipnscast::sync {
namespace {

struct Destroy {
  void operator()(secp256k1_context* context) const { secp256k1_context_destroy(context); }
};
using Context = std::unique_ptr<secp256k1_context, Destroy>;

Context make_context() {
  Context out(secp256k1_context_create(SECP256K1_CONTEXT_NONE));
  std::array<uint8_t, 32> seed;
  fill_random(seed);
  // Fails only for a context that cannot sign, which this one can.
  [[maybe_unused]] const int randomized = secp256k1_context_randomize(out.get(), seed.data());
  assert(randomized == 1);
  wipe(seed);
  return out;
}

}  // namespace

const secp256k1_context* secp256k1() {
  static const Context context = make_context();
  return context.get();
}

}  // namespace ipnscast::sync
