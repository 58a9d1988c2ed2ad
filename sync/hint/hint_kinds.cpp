#include "ipnscast/sync/hint/hint_kinds.h"

#include <string>

#include "ipnscast/nostr/event/event.h"

namespace ipnscast::sync {

Status check_hint_kinds(const std::vector<int>& kinds) {
  if (kinds.empty()) return fail(Errc::invalid, "want at least one kind from 30000 to 39999");
  for (const int kind : kinds) {
    if (nostr::kind_class(kind) == nostr::KindClass::addressable) continue;
    return fail(Errc::invalid,
                "\"" + std::to_string(kind) +
                    "\" is not a kind for hints: want kinds from 30000 to 39999, "
                    "where a hint replaces older hints of its name and nothing else");
  }
  return {};
}

}  // namespace ipnscast::sync
