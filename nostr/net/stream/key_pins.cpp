#include "ipnscast/nostr/net/stream/key_pins.h"

#include "ipnscast/nostr/base/base64.h"

namespace ipnscast::nostr::net {
namespace {

constexpr std::string_view kPrefix = "sha256/";

auto bad_pin(const std::string& text) {
  return fail(Errc::invalid, "key pin \"" + text.substr(0, 200) +
                                 "\": want sha256/BASE64, or wss://RELAY sha256/BASE64");
}

}  // namespace

std::string to_text(const KeyPin& pin) { return std::string(kPrefix) + to_base64(pin.view()); }

Result<KeyPins> KeyPins::parse(const std::vector<std::string>& texts) {
  KeyPins out;
  for (const std::string& text : texts) {
    const size_t space = text.rfind(' ');
    const std::string_view pin =
        std::string_view(text).substr(space == std::string::npos ? 0 : space + 1);
    if (!pin.starts_with(kPrefix)) return bad_pin(text);
    const auto bytes = from_base64(pin.substr(kPrefix.size()), KeyPin::kSize);
    if (!bytes || bytes->size() != KeyPin::kSize) return bad_pin(text);
    if (space == std::string::npos) {
      out.all_.push_back(KeyPin::from(*bytes));
      continue;
    }
    const auto relay = RelayUrl::parse(std::string_view(text).substr(0, space));
    if (!relay || !relay->tls()) return bad_pin(text);
    out.own_[*relay].push_back(KeyPin::from(*bytes));
  }
  return out;
}

const std::vector<KeyPin>& KeyPins::of(const RelayUrl& relay) const {
  const auto own = own_.find(relay);
  return own == own_.end() ? all_ : own->second;
}

}  // namespace ipnscast::nostr::net
