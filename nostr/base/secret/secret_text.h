#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/base/secret/secret_memory.h"

namespace ipnscast {

// A secret text of any length, such as a password, in memory of its own (secret_memory.h): moved,
// never copied, never printed.
class SecretText {
 public:
  SecretText() = default;
  // Copies the text and wipes the caller's.
  static SecretText take(std::string& text) {
    SecretText out;
    out.memory_ = SecretMemory(text.size());
    std::copy(text.begin(), text.end(), out.memory_.mutable_view().begin());
    wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()});
    text.clear();
    return out;
  }

  std::string_view view() const { return as_text(memory_.view()); }

 private:
  SecretMemory memory_;
};

// Gives the password of an encrypted key. `what` says of which, for a person who is asked. An error
// when none can be had: it becomes the error of whoever needed the key.
using PasswordSource = std::function<Result<SecretText>(const std::string& what)>;

}  // namespace ipnscast
