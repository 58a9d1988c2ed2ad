#include "ipnscast/nostr/net/event_fd_keeper.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "ipnscast/nostr/base/file/folder.h"

namespace ipnscast::nostr::net {
namespace {

// What the kernel says of an open file: a line "eventfd-count: " in hex, and "eventfd-id: ".
std::string told(int fd, const std::string& what) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
  for (std::string line; std::getline(info, line);) {
    if (line.rfind(what, 0) == 0) return line.substr(what.size());
  }
  return {};
}

std::optional<uint64_t> count_of(int fd) {
  const std::string text = told(fd, "eventfd-count:");
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return std::nullopt;
  uint64_t out = 0;
  const auto [end, failed] =
      std::from_chars(text.data() + begin, text.data() + text.size(), out, 16);
  return failed == std::errc() ? std::optional(out) : std::nullopt;
}

// The eventfds of this process and what they stand at.
std::map<int, uint64_t> event_fds() {
  std::map<int, uint64_t> out;
  const std::filesystem::path all = "/proc/self/fd";
  const auto folder = Folder::open(all);
  const auto numbers = folder ? folder->names() : fail(folder.error());
  if (!numbers) return out;
  for (const std::string& number : *numbers) {
    std::error_code gone;
    if (std::filesystem::read_symlink(all / number, gone) != "anon_inode:[eventfd]") continue;
    const int fd = std::stoi(number);
    if (const auto count = count_of(fd)) out.emplace(fd, *count);
  }
  return out;
}

}  // namespace

// Others' may be written to meanwhile: only ours rises by these numbers, one after the other.
void EventFdKeeper::find(const std::function<void()>& wake) {
  auto candidates = event_fds();
  for (const uint64_t times : {3, 5, 2}) {
    for (uint64_t i = 0; i < times; ++i) wake();
    std::map<int, uint64_t> left;
    for (const auto& [fd, count] : candidates) {
      const auto now = count_of(fd);
      if (now && *now == count + times) left.emplace(fd, *now);
    }
    candidates = std::move(left);
  }
  if (candidates.size() != 1) return;
  same_ = UniqueFd(::fcntl(candidates.begin()->first, F_DUPFD_CLOEXEC, 0));
  if (same_) number_ = candidates.begin()->first;
}

void EventFdKeeper::close_leaked() {
  if (number_ < 0) return;
  // Whatever has this number now, it is not this eventfd unless it was left open.
  const std::string id = told(same_.get(), "eventfd-id:");
  if (!id.empty() && told(number_, "eventfd-id:") == id) ::close(number_);
  number_ = -1;
  same_.reset();
}

}  // namespace ipnscast::nostr::net
