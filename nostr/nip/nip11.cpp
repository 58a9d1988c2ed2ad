#include "ipnscast/nostr/nip/nip11.h"

#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"

namespace ipnscast::nostr {
namespace {

using nlohmann::json;

constexpr size_t kMaxInformationText = 1000;
constexpr size_t kMaxNips = 500;

const json* member(const json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() ? nullptr : &*it;
}

std::string text_member(const json& object, const char* name) {
  const json* value = member(object, name);
  return value != nullptr && value->is_string()
             ? value->get_ref<const std::string&>().substr(0, kMaxInformationText)
             : "";
}

std::optional<PublicKey> key_member(const json& object, const char* name) {
  auto key = fixed_from_hex<PublicKey>(text_member(object, name), name);
  return key ? std::optional(*key) : std::nullopt;
}

// Negative numbers and fractions make no sense as limits.
std::optional<uint64_t> limit_member(const json& object, const char* name) {
  const json* value = member(object, name);
  return value != nullptr && value->is_number_unsigned() ? std::optional(value->get<uint64_t>())
                                                         : std::nullopt;
}

bool flag_member(const json& object, const char* name) {
  const json* value = member(object, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::vector<int> nips_of(const json& document) {
  std::vector<int> out;
  const json* nips = member(document, "supported_nips");
  if (nips == nullptr || !nips->is_array()) return out;
  for (const json& nip : *nips) {
    if (out.size() == kMaxNips) break;
    if (nip.is_number_unsigned() && nip.get<uint64_t>() < 65536) out.push_back(nip.get<int>());
  }
  return out;
}

void read_limits(const json& limitation, RelayInformation& out) {
  out.max_message_length = limit_member(limitation, "max_message_length");
  out.max_subscriptions = limit_member(limitation, "max_subscriptions");
  out.max_subid_length = limit_member(limitation, "max_subid_length");
  out.max_limit = limit_member(limitation, "max_limit");
  out.default_limit = limit_member(limitation, "default_limit");
  out.max_event_tags = limit_member(limitation, "max_event_tags");
  out.max_content_length = limit_member(limitation, "max_content_length");
  out.min_pow_difficulty = limit_member(limitation, "min_pow_difficulty");
  out.created_at_lower_limit = limit_member(limitation, "created_at_lower_limit");
  out.created_at_upper_limit = limit_member(limitation, "created_at_upper_limit");
  out.auth_required = flag_member(limitation, "auth_required");
  out.payment_required = flag_member(limitation, "payment_required");
  out.restricted_writes = flag_member(limitation, "restricted_writes");
}

}  // namespace

Result<RelayInformation> parse_relay_information(std::string_view text) {
  if (text.size() > kMaxRelayInformation)
    return fail(Errc::too_large, "relay information: too large");
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) return fail(Errc::parse, "relay information: want a JSON object");
  RelayInformation out;
  out.name = text_member(document, "name");
  out.description = text_member(document, "description");
  out.software = text_member(document, "software");
  out.version = text_member(document, "version");
  out.pubkey = key_member(document, "pubkey");
  out.self = key_member(document, "self");
  out.supported_nips = nips_of(document);
  const json* limitation = member(document, "limitation");
  if (limitation != nullptr && limitation->is_object()) read_limits(*limitation, out);
  drop_zero_limits(out);
  return out;
}

void drop_zero_limits(RelayInformation& information) {
  for (auto* limit : {&information.max_message_length, &information.max_subscriptions,
                      &information.max_subid_length, &information.max_limit,
                      &information.default_limit, &information.max_event_tags,
                      &information.max_content_length, &information.min_pow_difficulty,
                      &information.created_at_lower_limit, &information.created_at_upper_limit}) {
    if (*limit == uint64_t{0}) limit->reset();
  }
}

}  // namespace ipnscast::nostr
