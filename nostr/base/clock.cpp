#include "ipnscast/nostr/base/clock.h"

namespace ipnscast {

Now system_now() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::steady_clock::now(),
          {std::chrono::duration_cast<std::chrono::milliseconds>(wall).count()}};
}

}  // namespace ipnscast
