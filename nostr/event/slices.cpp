#include "ipnscast/nostr/event/slices.h"

#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/nostr/json/json_characters.h"
#include "ipnscast/nostr/json/quote_index.h"

namespace ipnscast::nostr {
namespace {

// The text that is left, token by token. After a refusal its state means nothing.
class Cursor {
 public:
  Cursor(std::string_view text, std::span<const uint32_t> quotes) : text_(text), quotes_(quotes) {}

  bool at_end() const { return at_ == text_.size(); }
  size_t position() const { return at_; }
  std::string_view since(size_t start) const { return text_.substr(start, at_ - start); }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // True when there was some.
  bool skip_space() {
    const size_t start = at_;
    while (!at_end() && is_json_space(text_[at_])) ++at_;
    return at_ != start;
  }
  // A string in its quotes; empty when there is none.
  std::string_view string() {
    if (next_quote_ + 1 >= quotes_.size() || quotes_[next_quote_] != at_) return {};
    const size_t start = at_;
    at_ = quotes_[next_quote_ + 1] + 1;
    next_quote_ += 2;
    return since(start);
  }
  std::string_view digits() {
    const size_t start = at_;
    while (!at_end() && is_json_digit(text_[at_])) ++at_;
    return since(start);
  }

 private:
  const std::string_view text_;
  const std::span<const uint32_t> quotes_;
  size_t at_ = 0;
  size_t next_quote_ = 0;
};

// [["d","x"],...], white space left out by way of `buffer`.
class TagsReader {
 public:
  TagsReader(Cursor& cursor, std::string& buffer)
      : cursor_(cursor), buffer_(buffer), start_(cursor.position()) {
    buffer_.clear();
  }

  // Empty when there are none of the right form.
  std::string_view read() {
    const bool good = list([this] { return list([this] { return !cursor_.string().empty(); }); });
    if (!good) return {};
    if (buffer_.empty()) return cursor_.since(start_);
    buffer_.append(cursor_.since(start_));
    return buffer_;
  }

 private:
  template <typename ReadItem>
  bool list(ReadItem read_item) {
    if (!cursor_.take('[')) return false;
    skip_space();
    if (cursor_.take(']')) return true;
    for (;;) {
      if (!read_item()) return false;
      skip_space();
      if (cursor_.take(']')) return true;
      if (!cursor_.take(',')) return false;
      skip_space();
    }
  }
  void skip_space() {
    const std::string_view before = cursor_.since(start_);
    if (!cursor_.skip_space()) return;
    buffer_.append(before);
    start_ = cursor_.position();
  }

  Cursor& cursor_;
  std::string& buffer_;
  size_t start_;  // of what is not in the buffer yet
};

std::string_view hex_digits(Cursor& cursor, size_t bytes) {
  const std::string_view text = cursor.string();
  return text.size() == 2 * bytes + 2 ? text.substr(1, 2 * bytes) : std::string_view();
}

// Reads the value of the member `key` to where it belongs; false for an unknown or repeated one.
bool read_value(std::string_view key, Cursor& cursor, std::string& buffer, EventSlices& out) {
  std::string_view* slot = nullptr;
  std::string_view value;
  if (key == "\"id\"") {
    slot = &out.id;
    value = hex_digits(cursor, EventId::kSize);
  } else if (key == "\"pubkey\"") {
    slot = &out.pubkey;
    value = hex_digits(cursor, PublicKey::kSize);
  } else if (key == "\"sig\"") {
    slot = &out.sig;
    value = hex_digits(cursor, Signature::kSize);
  } else if (key == "\"created_at\"") {
    slot = &out.created_at;
    value = cursor.digits();
  } else if (key == "\"kind\"") {
    slot = &out.kind;
    value = cursor.digits();
  } else if (key == "\"tags\"") {
    slot = &out.tags;
    value = TagsReader(cursor, buffer).read();
  } else if (key == "\"content\"") {
    slot = &out.content;
    value = cursor.string();
  }
  if (slot == nullptr || !slot->empty() || value.empty()) return false;
  *slot = value;
  return true;
}

}  // namespace

std::optional<EventSlices> slice_event(std::string_view event, SliceBuffers& buffers) {
  constexpr int kMembers = 7;
  const auto quotes = index_quotes(event, buffers.quotes);
  if (!quotes) return std::nullopt;
  Cursor cursor(event, *quotes);
  EventSlices out;
  for (int i = 0; i < kMembers; ++i) {
    if (!cursor.take(i == 0 ? '{' : ',')) return std::nullopt;
    cursor.skip_space();
    const std::string_view key = cursor.string();
    cursor.skip_space();
    if (!cursor.take(':')) return std::nullopt;
    cursor.skip_space();
    if (!read_value(key, cursor, buffers.tags, out)) return std::nullopt;
    cursor.skip_space();
  }
  // Seven different members: none is missing.
  if (!cursor.take('}') || !cursor.at_end()) return std::nullopt;
  return out;
}

EventId compute_id(const EventSlices& slices) {
  // One piece is hashed in half the time that many small ones take.
  thread_local std::string text;
  text.clear();
  for (const std::string_view part :
       {std::string_view("[0,\""), slices.pubkey, std::string_view("\","), slices.created_at,
        std::string_view(","), slices.kind, std::string_view(","), slices.tags,
        std::string_view(","), slices.content, std::string_view("]")}) {
    text.append(part);
  }
  return {sha256(as_bytes(text))};
}

}  // namespace ipnscast::nostr
