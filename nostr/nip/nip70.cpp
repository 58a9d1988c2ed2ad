#include "ipnscast/nostr/nip/nip70.h"

#include <algorithm>

namespace ipnscast::nostr {
namespace {

bool has_mark(const std::vector<Tag>& tags) {
  return std::any_of(tags.begin(), tags.end(),
                     [](const Tag& tag) { return !tag.empty() && tag[0] == "-"; });
}

}  // namespace

bool is_protected(const Event& event) { return has_mark(event.tags); }

void protect(UnsignedEvent& event) {
  if (!has_mark(event.tags)) event.tags.push_back({"-"});
}

}  // namespace ipnscast::nostr
