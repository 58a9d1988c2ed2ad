#include "ipnscast/sync/devices/device_event.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"

namespace ipnscast::sync {
namespace {

constexpr std::string_view kDeviceTopic = "ipnscast-device";
constexpr size_t kDigits = 32;

}  // namespace

std::string device_d(const SecretBytes<32>& secret, std::string_view device_id) {
  const Digest32 digest = hmac_sha256(secret.view(), {as_bytes(device_id)});
  return std::string(kDeviceTopic) + "-" + to_hex(ByteView(digest)).substr(0, kDigits);
}

nostr::UnsignedEvent make_device_event(std::string d, std::string payload, UnixSeconds created_at) {
  return {created_at,
          kDeviceKind,
          {{"d", std::move(d)}, {"t", std::string(kDeviceTopic)}},
          std::move(payload)};
}

nostr::Filter device_filter(const nostr::PublicKey& author) {
  nostr::Filter out;
  out.authors = {author};
  out.kinds = {kDeviceKind};
  out.tags['t'] = {std::string(kDeviceTopic)};
  return out;
}

bool is_device_event(const nostr::Event& event, const nostr::PublicKey& author) {
  const auto d = event.tag("d");
  return event.pubkey == author && event.kind == kDeviceKind && d &&
         d->starts_with(std::string(kDeviceTopic) + "-") &&
         event.content.size() <= kMaxDevicePayload;
}

}  // namespace ipnscast::sync
