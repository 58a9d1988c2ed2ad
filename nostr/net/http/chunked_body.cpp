#include "ipnscast/nostr/net/http/chunked_body.h"

#include <algorithm>
#include <utility>

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

bool is_control_but_tab(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
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

void ChunkedBody::end_line() {
  switch (step_) {
    case Step::size:
    case Step::size_gap:
    case Step::extension:
      return end_size_line();
    case Step::data_end:
      step_ = Step::size;
      return;
    case Step::trailer_start:
      step_ = Step::done;
      return;
    default:
      step_ = Step::trailer_start;
  }
}

// A proxy that reads the same bytes must not find other chunks in them: a line ends with "\r\n" and
// nothing else, and holds no other control characters than tabs.
void ChunkedBody::take(char c) {
  if (std::exchange(cr_, false)) {
    if (c == '\n') return end_line();
    step_ = Step::malformed;
    return;
  }
  if (c == '\r') {
    cr_ = true;
    return;
  }
  if (is_control_but_tab(c)) {
    step_ = Step::malformed;
    return;
  }
  switch (step_) {
    case Step::size:
      if (const int digit = hex_digit(c); digit >= 0 && digits_ < kMaxDigits) {
        left_ = left_ * 16 + static_cast<uint64_t>(digit);
        ++digits_;
        return;
      }
      if (digits_ == 0) break;
      [[fallthrough]];
    case Step::size_gap:
      if (c == ';') {
        step_ = Step::extension;
      } else if (c == ' ' || c == '\t') {
        step_ = Step::size_gap;
      } else {
        break;
      }
      return pass_over();
    case Step::trailer_start:
      step_ = Step::trailer;
      return pass_over();
    case Step::extension:
    case Step::trailer:
      return pass_over();
    default:
      break;
  }
  step_ = Step::malformed;
}

void ChunkedBody::pass_over() {
  if (++passed_over_ > kMaxPassedOver) step_ = Step::malformed;
}

}  // namespace ipnscast::nostr::net
