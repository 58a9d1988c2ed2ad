#pragma once

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

// Reading the JSON objects that announcements are. Private to sync: the JSON library is in here.
namespace ipnscast::sync {

// Members of members are never needed, so they are dropped while parsing: depth and memory stay
// bounded.
inline nlohmann::json parse_flat(std::string_view text) {
  using Json = nlohmann::json;
  const auto keep = [](int depth, Json::parse_event_t event, Json&) {
    const bool opens =
        event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    return !(opens && depth > 0);
  };
  return Json::parse(text.begin(), text.end(), keep, false);
}

// A pointer to a text member, or nothing when it is absent or no text.
inline const std::string* text_member(const nlohmann::json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? nullptr : it->get_ptr<const std::string*>();
}

// A decimal text or a number. Errc::parse, Errc::too_large.
inline Result<uint64_t> sequence_number(const nlohmann::json& member) {
  if (member.is_number_unsigned()) return member.get<uint64_t>();
  const auto* text = member.get_ptr<const std::string*>();
  if (text == nullptr || text->empty() ||
      text->find_first_not_of("0123456789") != std::string::npos) {
    return fail(Errc::parse, "sequence: want a decimal string or an integer");
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) {
    return fail(Errc::too_large, "sequence: beyond 2^63 - 1");
  }
  return value;
}

// The member "sequence". Absent, null and 0 are unknown (S0-44).
inline Result<std::optional<Sequence>> read_sequence(const nlohmann::json& content) {
  const auto it = content.find("sequence");
  if (it == content.end() || it->is_null()) return std::optional<Sequence>();
  const auto number = sequence_number(*it);
  if (!number) return fail(number.error());
  if (*number > kMaxSequence) return fail(Errc::too_large, "sequence: beyond 2^63 - 1");
  if (*number == 0) return std::optional<Sequence>();
  return std::optional<Sequence>(Sequence{*number});
}

}  // namespace ipnscast::sync
