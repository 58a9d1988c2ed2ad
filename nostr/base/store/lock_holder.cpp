#include "ipnscast/nostr/base/store/lock_holder.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace ipnscast::store {
namespace {

constexpr size_t kMaxCommand = 1'000;

// A row of the table: "5: FLOCK  ADVISORY  WRITE 20851 fe:00:9986333 0 EOF". Those that wait for a
// lock have "->" behind the number. The device is not compared: some file systems show another one
// here than stat() does.
std::optional<pid_t> holder_in(const std::string& row, ino_t inode) {
  std::istringstream words(row);
  std::string number, type, mode, access, place;
  pid_t pid = 0;
  if (!(words >> number >> type >> mode >> access >> pid >> place) || type != "FLOCK" || pid <= 0)
    return std::nullopt;
  const size_t colon = place.rfind(':');
  if (colon == std::string::npos || place.substr(colon + 1) != std::to_string(inode))
    return std::nullopt;
  return pid;
}

std::string command_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  std::string out(kMaxCommand, '\0');
  file.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<size_t>(file.gcount()));
  while (!out.empty() && out.back() == '\0') out.pop_back();
  const size_t program = std::min(out.find('\0'), out.size());
  const size_t slash = out.rfind('/', program);
  std::replace(out.begin(), out.end(), '\0', ' ');
  return slash < program ? out.substr(slash + 1) : out;
}

}  // namespace

std::optional<LockHolder> lock_holder(const std::filesystem::path& directory) {
  struct stat about {};
  if (::stat((directory / "lock").c_str(), &about) != 0) return std::nullopt;
  std::string noted;
  std::ifstream(directory / "lock") >> noted;
  std::ifstream table("/proc/locks");
  for (std::string row; std::getline(table, row);) {
    const auto pid = holder_in(row, about.st_ino);
    // The same number on another file system is somebody else's lock.
    if (pid && std::to_string(*pid) == noted) return LockHolder{*pid, command_of(*pid)};
  }
  return std::nullopt;
}

}  // namespace ipnscast::store
