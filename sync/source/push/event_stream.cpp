#include "ipnscast/sync/source/push/event_stream.h"

#include <charconv>
#include <utility>

namespace ipnscast::sync::push {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kMaxId = 1024;
constexpr int64_t kMaxRetry = 3'600'000;

}  // namespace

void EventStream::add(std::string_view bytes, const Take& take) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const size_t end = bytes.find_first_of("\r\n");
    const std::string_view part = bytes.substr(0, end);
    if (line_.size() + part.size() > kMaxEvent)
      line_too_long_ = true;
    else
      line_ += part;
    if (end == std::string_view::npos) return;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    end_of_line(take);
  }
}

void EventStream::end_of_line(const Take& take) {
  std::string_view line = line_;
  if (std::exchange(at_start_, false) && line.starts_with(kByteOrderMark))
    line.remove_prefix(kByteOrderMark.size());
  if (line_too_long_) {
    event_too_long_ = true;
  } else if (line.empty()) {
    last_id_ = id_;
    if (event_too_long_)
      ++dropped_;
    else if (has_data_)
      take(event_);
    event_ = {};
    has_data_ = false;
    event_too_long_ = false;
  } else if (const size_t colon = line.find(':'); colon != 0) {  // else it is a comment
    std::string_view value =
        colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    field(line.substr(0, colon), value);
  }
  line_.clear();
  line_too_long_ = false;
}

void EventStream::field(std::string_view name, std::string_view value) {
  if (name == "data") {
    if (event_.data.size() + value.size() + 1 > kMaxEvent) {
      event_too_long_ = true;
      return;
    }
    if (has_data_) event_.data += '\n';
    has_data_ = true;
    event_.data += value;
  } else if (name == "event") {
    event_.type = value;
  } else if (name == "id") {
    // What would not be a header of one line is not kept either.
    const bool fits = value.size() <= kMaxId && value.find('\0') == std::string_view::npos;
    if (fits) id_ = value;
  } else if (name == "retry") {
    int64_t time = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), time);
    const bool digits = !value.empty() && value.front() != '-' && error == std::errc() &&
                        end == value.data() + value.size();
    if (digits && time <= kMaxRetry) retry_ = Milliseconds(time);
  }
}

void EventStream::reset() {
  line_.clear();
  line_too_long_ = false;
  after_cr_ = false;
  at_start_ = true;
  event_ = {};
  id_ = last_id_;
  has_data_ = false;
  event_too_long_ = false;
}

}  // namespace ipnscast::sync::push
