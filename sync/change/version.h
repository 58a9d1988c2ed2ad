#pragma once

#include <string>

#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// A state of a name: what people mean by "the version".
struct Version {
  Sequence sequence;
  std::string value;  // "/ipfs/<cid>[/path]"
  bool operator==(const Version&) const = default;
};

}  // namespace ipnscast::sync
