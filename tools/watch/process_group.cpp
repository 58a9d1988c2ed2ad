#include "ipnscast/tools/watch/process_group.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kLookAgain{20};

// "PID (NAME) STATE PPID PGRP ...", where NAME may hold anything: proc(5).
bool runs_in(const std::filesystem::path& process, pid_t group) {
  std::ifstream in(process / "stat");
  std::string line;
  if (!std::getline(in, line)) return false;
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos || name_end + 4 > line.size()) return false;
  const char state = line[name_end + 2];
  const size_t parent = name_end + 4;
  const size_t pgrp = line.find(' ', parent);
  if (pgrp == std::string::npos || state == 'Z' || state == 'X') return false;
  return line.compare(pgrp + 1, line.find(' ', pgrp + 1) - pgrp - 1, std::to_string(group)) == 0;
}

bool any_runs(pid_t group) {
  std::error_code failed;
  for (std::filesystem::directory_iterator at("/proc", failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename().string();
    const bool process =
        std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (process && runs_in(at->path(), group)) return true;
  }
  return false;
}

}  // namespace

void end_process_group(pid_t group, Milliseconds grace) {
  const Instant end = std::chrono::steady_clock::now() + grace;
  ::kill(-group, SIGTERM);
  while (any_runs(group) && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(kLookAgain);
  ::kill(-group, SIGKILL);
}

}  // namespace ipnscast::tools
