#include "ipnscast/tools/cli/left_behind.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "ipnscast/nostr/base/file/folder.h"

namespace ipnscast::tools {
namespace {

constexpr std::chrono::hours kMost(1);

// Nothing that somebody waits for stays open: whoever reads our output wants to see its end, and
// the next command our locks.
void keep_only(int descriptor) {
  const int nothing = ::open("/dev/null", O_RDWR);
  for (int standard = 0; standard <= 2; ++standard) {
    if (nothing >= 0) ::dup2(nothing, standard);
  }
  if (descriptor > 3) ::close_range(3, static_cast<unsigned>(descriptor) - 1, 0);
  ::close_range(static_cast<unsigned>(descriptor) + 1, ~0U, 0);
}

}  // namespace

void remove_left_behind(const std::filesystem::path& target) {
  const auto place = place_of(target);
  const auto names = place ? place->folder.names() : fail(place.error());
  if (!names || std::none_of(names->begin(), names->end(), is_temporary_name)) return;
  if (::fork() != 0) return;  // without a process the next command removes it
  ::setsid();                 // Ctrl-C is for those in the foreground
  keep_only(place->folder.get());
  remove_abandoned(place->folder, kMost);
  ::_exit(0);
}

}  // namespace ipnscast::tools
