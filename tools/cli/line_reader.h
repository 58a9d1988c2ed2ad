#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// Nothing but white space.
bool is_blank(std::string_view text);

// Lines of a file descriptor, of which each is bounded and none is held longer than needed.
class LineReader {
 public:
  struct Line {
    size_t number = 0;      // from 1; blank lines count
    bool too_long = false;  // the text is cut off
    std::string text;       // without the line feed
  };

  LineReader(int fd, size_t max_bytes) : fd_(fd), max_bytes_(max_bytes) {}

  // The next line, the last one also without a line feed; nothing at the end. Errc::io.
  Result<std::optional<Line>> next();

 private:
  // False at the end of the input.
  Result<bool> fill();

  const int fd_;
  const size_t max_bytes_;
  std::string buffer_;
  size_t at_ = 0;
  size_t number_ = 0;
};

}  // namespace ipnscast::tools
