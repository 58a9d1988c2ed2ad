#include "ipnscast/nostr/net/http/chunked_body.h"

#include <algorithm>

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kMaxDigits = 15;
constexpr size_t kMaxPassedOver = 16 * 1024;

// -1 for what is no digit.
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedBody::State ChunkedBody::feed(std::string_view& bytes, Bytes& out, size_t max_bytes) {
  while (!bytes.empty() && step_ != Step::done && step_ != Step::malformed) {
    if (step_ != Step::data) {
      take(bytes.front());
      bytes.remove_prefix(1);
      continue;
    }
    const size_t room = max_bytes - std::min(max_bytes, out.size());
    const auto part = std::min<uint64_t>({left_, bytes.size(), room});
    if (part == 0) return State::more;
    append(out, as_bytes(bytes.substr(0, part)));
    bytes.remove_prefix(part);
    left_ -= part;
    if (left_ == 0) step_ = Step::data_end;
  }
  if (step_ == Step::malformed) return State::malformed;
  return step_ == Step::done ? State::done : State::more;
}

void ChunkedBody::end_size_line() {
  if (digits_ == 0) {
    step_ = Step::malformed;
    return;
  }
  step_ = left_ == 0 ? Step::trailer_start : Step::data;
  digits_ = 0;
}

// A line ends with "\n"; a "\r" before it is passed over.
void ChunkedBody::take(char c) {
  switch (step_) {
    case Step::size:
      if (const int digit = hex_digit(c); digit >= 0 && digits_ < kMaxDigits) {
        left_ = left_ * 16 + static_cast<uint64_t>(digit);
        ++digits_;
      } else if (c == '\n') {
        end_size_line();
      } else if (digits_ > 0 && (c == ';' || c == '\r' || c == ' ' || c == '\t')) {
        step_ = Step::extension;
      } else {
        step_ = Step::malformed;
      }
      return;
    case Step::extension:
      if (c == '\n') return end_size_line();
      if (++passed_over_ > kMaxPassedOver) step_ = Step::malformed;
      return;
    case Step::data_end:
      if (c == '\n') {
        step_ = Step::size;
      } else if (c != '\r') {
        step_ = Step::malformed;
      }
      return;
    case Step::trailer_start:
      if (c == '\n') {
        step_ = Step::done;
      } else if (c != '\r') {
        step_ = Step::trailer;
      }
      if (++passed_over_ > kMaxPassedOver) step_ = Step::malformed;
      return;
    case Step::trailer:
      if (c == '\n') step_ = Step::trailer_start;
      if (++passed_over_ > kMaxPassedOver) step_ = Step::malformed;
      return;
    default:
      return;
  }
}

}  // namespace ipnscast::nostr::net
