#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/file/folder.h"

namespace ipnscast::sync::control {

// Lines over a connected local socket, some with a descriptor. One thread reads, any may write and
// shut.
class LineChannel {
 public:
  static constexpr size_t kMaxLine = 1 << 20;  // bytes
  explicit LineChannel(Descriptor socket);

  // Waits for the next line, and gives it without its end. Errc::closed when the other side is
  // gone, Errc::timeout, Errc::too_large for one beyond kMaxLine, Errc::io.
  Result<std::string> read(std::optional<Instant> deadline = {});
  // The last descriptor that came along with what was read so far; -1: none. On the reading thread.
  Descriptor take_descriptor() { return std::exchange(descriptor_, Descriptor()); }
  // Waits for two seconds at most when the other side reads nothing; then the channel is shut.
  // Errc::too_large, Errc::closed.
  Status write(std::string_view line, int descriptor = -1);
  // Nothing comes any more, and nothing goes: read() ends.
  void shut();
  // Only read() ends.
  void shut_reading();

 private:
  Status fill(std::optional<Instant> deadline);

  const Descriptor socket_;
  std::string read_;  // of the reading thread, as is the next
  Descriptor descriptor_;
  std::mutex writing_;
};

}  // namespace ipnscast::sync::control
