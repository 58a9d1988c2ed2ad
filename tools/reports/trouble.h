#pragma once

#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "ipnscast/sync/ipfs/ipns/ipns_name.h"
#include "ipnscast/tools/cli/command.h"
#include "ipnscast/tools/cli/json_text.h"

namespace ipnscast::tools {

// What is wrong, as long as nothing better is known. Thread-safe.
class Trouble {
 public:
  explicit Trouble(bool json) : json_(json) {}

  void note(const std::optional<sync::IpnsName>& name, const std::string& text) {
    {
      const std::lock_guard lock(mutex_);
      last_ = text;
    }
    if (!json_) return;  // it stands in the log
    nlohmann::ordered_json line = {{"event", "trouble"}};
    line["name"] = name ? nlohmann::ordered_json(name->to_string()) : nullptr;
    line["message"] = text;
    print_line(dump(line));
  }
  // ": why", or nothing.
  std::string last() const {
    const std::lock_guard lock(mutex_);
    return last_.empty() ? "" : ": " + last_;
  }

 private:
  const bool json_;
  mutable std::mutex mutex_;
  std::string last_;  // guarded by mutex_
};

}  // namespace ipnscast::tools
