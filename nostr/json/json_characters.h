#pragma once

// The characters of JSON's grammar (RFC 8259). Private to this layer.
namespace ipnscast::nostr {

constexpr bool is_json_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
constexpr bool is_json_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace ipnscast::nostr
