#pragma once

#include <string>
#include <vector>

namespace ipnscast::tools {

enum class Health { ok, warning, problem };

// One row of `doctor`: what was looked at, what was found, and what to do about it.
struct Finding {
  Health health = Health::ok;
  std::string check;    // "clock", "keys", "config", "relay", "gateway", "state", "disk", "name"
  std::string subject;  // a URL, file or name; may be empty
  std::string text;
  std::string advice{};  // empty when all is well
};
using Findings = std::vector<Finding>;

}  // namespace ipnscast::tools
