#include "ipnscast/nostr/event/event.h"

#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/nostr/event/json_text.h"
#include "ipnscast/nostr/event/keys.h"

namespace ipnscast::nostr {
namespace {

// True when implementations differ in how they write this text: see check_publishable().
bool has_ambiguous_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<uint8_t>(c) < 0x20 &&
           std::string_view("\n\r\t\b\f").find(c) == std::string_view::npos;
  });
}

Status check_text(std::string_view text, std::string_view what) {
  if (!valid_utf8(text)) return fail(Errc::invalid, std::string(what) + ": not valid UTF-8");
  if (has_ambiguous_control(text)) {
    return fail(Errc::invalid,
                std::string(what) + ": control characters give different ids in different clients");
  }
  return {};
}

}  // namespace

std::optional<std::string_view> Event::tag(std::string_view name) const {
  for (const Tag& tag : tags) {
    if (tag.empty() || tag[0] != name) continue;
    if (tag.size() < 2) return std::nullopt;
    return tag[1];
  }
  return std::nullopt;
}

KindClass kind_class(int kind) {
  if (kind == 0 || kind == 3 || (kind >= 10000 && kind < 20000)) return KindClass::replaceable;
  if (kind >= 20000 && kind < 30000) return KindClass::ephemeral;
  if (kind >= 30000 && kind < 40000) return KindClass::addressable;
  return KindClass::regular;
}

std::optional<Address> address_of(const Event& event) {
  switch (kind_class(event.kind)) {
    case KindClass::replaceable:
      return Address{event.kind, event.pubkey, ""};
    case KindClass::addressable:
      return Address{event.kind, event.pubkey, std::string(event.tag("d").value_or(""))};
    default:
      return std::nullopt;
  }
}

bool supersedes(const Event& a, const Event& b) {
  if (a.created_at != b.created_at) return a.created_at > b.created_at;
  return a.id < b.id;
}

std::string canonical_text(const PublicKey& pubkey, const UnsignedEvent& event) {
  std::string out;
  append_canonical(out, pubkey, event.created_at, event.kind, event.tags, event.content);
  return out;
}

EventId compute_id(const Event& event) {
  // Kept between calls: growing it anew for each event costs as much as hashing it.
  thread_local std::string buffer;
  buffer.clear();
  append_canonical(buffer, event.pubkey, event.created_at, event.kind, event.tags, event.content);
  return {sha256(as_bytes(buffer))};
}

Status check_publishable(const UnsignedEvent& event) {
  if (event.kind < 0 || event.kind > 65535) return fail(Errc::invalid, "kind: want 0 to 65535");
  if (event.created_at.value < 0) return fail(Errc::invalid, "created_at: before 1970");
  for (const Tag& tag : event.tags) {
    if (tag.empty()) return fail(Errc::invalid, "tags: an empty tag");
    for (const std::string& item : tag) {
      if (auto ok = check_text(item, "tags"); !ok) return ok;
    }
  }
  return check_text(event.content, "content");
}

std::string to_json(const Event& event) {
  std::string out;
  append_event(out, event);
  return out;
}

Status verify(const Event& event) {
  if (compute_id(event) != event.id) return fail(Errc::signature, "id: does not match the event");
  if (!verify_schnorr(event.pubkey, event.id.view(), event.sig)) {
    return fail(Errc::signature, "sig: does not hold for this key and id");
  }
  return {};
}

}  // namespace ipnscast::nostr
