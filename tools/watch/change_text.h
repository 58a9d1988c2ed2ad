#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "ipnscast/sync/client.h"
#include "ipnscast/tools/watch/tree_changes.h"

namespace ipnscast::tools {

// What `watch` did with a change.
struct Applied {
  std::chrono::microseconds took{0};  // since the change was seen
  std::optional<TreeChanges> mirror;
};

// The same for each time that this change is handed over, also after a restart, and for no other:
// "msg_" and 32 hex digits.
std::string change_id(const sync::Change& change);
// What a command that is run for a change finds in its environment. `path`: of the mirror, or
// empty.
std::map<std::string, std::string> change_variables(const sync::Change& change,
                                                    const std::string& path);
// The line of `watch --json`, without a line feed. CLI.md.
std::string change_json(const sync::Change& change, const Applied& applied);
// The same for people; of a mirror's paths one a line below it. Text from strangers has passed
// through shown_text(): for print_lines().
std::string change_lines(const sync::Change& change, const Applied& applied);

}  // namespace ipnscast::tools
