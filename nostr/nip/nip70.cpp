#include "ipnscast/nostr/nip/nip70.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ipnscast::nostr {
namespace {

bool has_mark(const std::vector<Tag>& tags) {
  return std::any_of(tags.begin(), tags.end(),
                     [](const Tag& tag) { return !tag.empty() && tag[0] == "-"; });
}

}  // namespace

bool is_protected(const Event& event) { return has_mark(event.tags); }

// The content is read as whoever shows the repost does: no strict event is needed for that.
bool reposts_protected(const Event& event) {
  constexpr int kRepost = 6;
  constexpr int kGenericRepost = 16;
  if (event.kind != kRepost && event.kind != kGenericRepost) return false;
  const auto inside = nlohmann::json::parse(event.content, nullptr, false);
  if (!inside.is_object()) return false;
  const auto tags = inside.find("tags");
  if (tags == inside.end() || !tags->is_array()) return false;
  return std::any_of(tags->begin(), tags->end(), [](const nlohmann::json& tag) {
    return tag.is_array() && !tag.empty() && tag[0] == "-";
  });
}

void protect(UnsignedEvent& event) {
  if (!has_mark(event.tags)) event.tags.push_back({"-"});
}

}  // namespace ipnscast::nostr
