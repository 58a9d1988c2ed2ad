#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/sync/config.h"

namespace ipnscast::sync {

// A setting that makes no sense.
struct ConfigFault {
  std::string_view setting;  // the member of Config: "poll_min"
  std::string why;           // what is wrong with it and what is wanted instead
  // Another member that may as well be the wrong one of the two; empty: none.
  std::string_view other{};
};

// The first one of this configuration, whoever made it: Client::open() and the reader of the
// configuration file both ask here. Leaves out what a file does not say: state_dir, the signer, and
// whether the relays suffice for the quorum. Reads access.ca_file.
std::optional<ConfigFault> find_fault(const Config& config);

}  // namespace ipnscast::sync
