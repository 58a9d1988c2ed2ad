#pragma once

#include <map>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::sync {

// How often a gateway that answers an old record is given ours: once a minute for each name. Owned
// by one thread.
class RepairLimit {
 public:
  static constexpr Milliseconds kBetween{60'000};
  static constexpr size_t kMost = 4'096;  // repairs a minute; the rest has to wait

  // True when the gateway may be repaired now, which counts.
  bool admit(const IpnsName& name, size_t gateway, Instant now) {
    const auto key = std::make_pair(name, gateway);
    const auto it = last_.find(key);
    if (it != last_.end() && now < it->second + kBetween) return false;
    if (it == last_.end() && last_.size() >= kMost) {
      std::erase_if(last_, [&](const auto& entry) { return entry.second + kBetween <= now; });
      if (last_.size() >= kMost) return false;
    }
    last_[key] = now;
    return true;
  }

 private:
  std::map<std::pair<IpnsName, size_t>, Instant> last_;
};

}  // namespace ipnscast::sync
