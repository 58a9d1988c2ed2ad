#pragma once

#include "ipnscast/nostr/base/secret/secret_bytes.h"
#include "ipnscast/nostr/event/event.h"
#include "ipnscast/nostr/event/filter.h"

namespace ipnscast::sync {

// How a device of ours stands in an event:
//
//   kind     30078
//   tags     ["d", "ipnscast-device-" and 32 hex digits of HMAC-SHA256(secret, device id)],
//            ["t", "ipnscast-device"]
//   content  NIP-44 version 2, to the own key: encode_device()
//   secret   HKDF-SHA256(secret key, no salt, kDeviceInfo); with a remote signer 32 random bytes
//
// A relay sees how many devices a key has, and when something was taken in; not what.

inline constexpr int kDeviceKind = 30078;
inline constexpr std::string_view kDeviceInfo = "ipnscast-devices-v1";
inline constexpr size_t kMaxDevicePayload = 96 * 1024;  // of the content

std::string device_d(const SecretBytes<32>& secret, std::string_view device_id);
nostr::UnsignedEvent make_device_event(std::string d, std::string payload, UnixSeconds created_at);
nostr::Filter device_filter(const nostr::PublicKey& author);
// An event of this author that may tell of a device.
bool is_device_event(const nostr::Event& event, const nostr::PublicKey& author);

}  // namespace ipnscast::sync
