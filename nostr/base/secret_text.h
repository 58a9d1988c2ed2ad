#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast {

// A secret text of any length, such as a password: moved, never copied, wiped at the end, never
// printed.
class SecretText {
 public:
  SecretText() = default;
  // Copies the text and wipes the caller's.
  static SecretText take(std::string& text) {
    SecretText out;
    out.bytes_ = to_bytes(text);
    wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()});
    text.clear();
    return out;
  }
  SecretText(SecretText&& other) noexcept : bytes_(std::move(other.bytes_)) {}
  SecretText& operator=(SecretText&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText() { wipe(bytes_); }

  std::string_view view() const { return as_text(bytes_); }

 private:
  Bytes bytes_;  // never grows, so no second copy is left behind
};

// Gives the password of an encrypted key. `what` says of which, for a person who is asked. An error
// when none can be had: it becomes the error of whoever needed the key.
using PasswordSource = std::function<Result<SecretText>(const std::string& what)>;

}  // namespace ipnscast
