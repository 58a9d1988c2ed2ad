#include <cstdlib>

#include "ipnscast/nostr/nip/negentropy.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

// Bytes as a message to either side, which holds a set with ties and close ids: what is answered
// must be a message that the other side can read, within its size.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const NegentropySet set = [] {
    std::vector<NegentropyItem> items;
    for (int i = 0; i < 300; ++i) {
      NegentropyItem item{{i / 7}, {}};
      item.id.bytes[i % 32] = static_cast<uint8_t>(i);
      item.id.bytes[31] = static_cast<uint8_t>(i >> 8);
      items.push_back(item);
    }
    return *NegentropySet::seal(std::move(items));
  }();
  const NegentropyLimits limits{.max_message_bytes = 4096};
  const auto answer = negentropy_answer(set, {data, size}, limits);
  NegentropyInitiator initiator(set, limits);
  initiator.start();
  if (answer && (answer->size() > 4096 || !initiator.receive(*answer))) std::abort();
  const auto next = initiator.receive({data, size});
  if (next && *next && ((*next)->size() > 4096 || !negentropy_answer(set, **next))) std::abort();
  return 0;
}
