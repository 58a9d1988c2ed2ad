#pragma once

#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

// What a command that probed several places ends with: 0 when all are fit, 3 when none was reached,
// 1 otherwise.
class ProbeTally {
 public:
  void add(bool unreachable, bool fit) {
    ++total_;
    if (unreachable) ++unreachable_;
    if (fit) ++fit_;
  }
  Exit exit() const {
    if (total_ > 0 && fit_ == total_) return Exit::done;
    return total_ > 0 && unreachable_ == total_ ? Exit::unreachable : Exit::no;
  }

 private:
  size_t total_ = 0;
  size_t unreachable_ = 0;
  size_t fit_ = 0;
};

}  // namespace ipnscast::tools
