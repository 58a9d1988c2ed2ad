#pragma once

#include <map>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/change/version.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::sync {

// The latest version of a name that a device's application has taken in.
struct Applied {
  Version version;
  UnixMillis at;  // by that device's clock
};

// A device of ours, as it says itself.
struct Device {
  std::string id;        // Config::device_id
  std::string name;      // for people; empty: it has none
  std::string platform;  // "Linux x86_64"
  std::string version;   // of ipnscast there
  UnixMillis at;         // when it said so
  std::map<IpnsName, Applied> applied{};
  bool own = false;  // it is this one

  // Its name, or the first 8 characters of its id.
  std::string label() const;
  // It has taken in this version of the name, or one with a higher sequence.
  bool has_applied(const IpnsName& of, const Version& version) const;
};

// Of one device, the names that changed last; more do not fit into an event.
inline constexpr size_t kMostApplied = 200;

// JSON, as it stands in the event before it is encrypted.
std::string encode_device(const Device& device);
// Unknown members are ignored, and names beyond kMostApplied. Errc::parse.
Result<Device> decode_device(std::string_view text);

}  // namespace ipnscast::sync
