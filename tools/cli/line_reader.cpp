#include "ipnscast/tools/cli/line_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ipnscast::tools {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
}

Result<bool> LineReader::fill() {
  constexpr size_t kChunk = 65536;
  buffer_.resize(kChunk);
  at_ = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd_, buffer_.data(), kChunk);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    buffer_.clear();
    return fail(Errc::io, std::string("standard input: ") + std::strerror(errno));
  }
  buffer_.resize(static_cast<size_t>(got));
  return got > 0;
}

Result<std::optional<LineReader::Line>> LineReader::next() {
  Line line;
  bool any = false;
  while (true) {
    if (at_ == buffer_.size()) {
      const auto more = fill();
      if (!more) return fail(more.error());
      if (!*more) break;
    }
    any = true;
    const size_t end = std::min(buffer_.find('\n', at_), buffer_.size());
    const size_t room = max_bytes_ - line.text.size();
    line.too_long |= end - at_ > room;
    line.text.append(buffer_, at_, std::min(end - at_, room));
    at_ = end;
    if (end < buffer_.size()) {
      ++at_;
      break;
    }
  }
  if (!any) return std::optional<Line>();
  line.number = ++number_;
  return std::optional<Line>(std::move(line));
}

}  // namespace ipnscast::tools
