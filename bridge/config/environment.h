#pragma once

#include <map>
#include <string>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::bridge {

// Variables by name.
using Environment = std::map<std::string, std::string>;

// Settings that were typed as options of a command, by key.
struct Typed {
  std::string flag;  // "--proxy"
  std::string text;
};
using Flags = std::map<std::string, Typed>;

// Variables of this process that are meant for us, or that may be meant for us and are misspelt,
// and those that say where the configuration is. Values of what is no setting are left out.
Environment process_environment();

// Errc::invalid for a variable that looks like a setting and is none, with the one that was
// probably meant: whoever sets it believes that it has an effect. Variables that others have put
// there under our prefix (container links, our own --exec) are left alone.
Status check_names(const Environment& environment);

}  // namespace ipnscast::bridge
