// What a resolution tells of its sources.
#include "ipnscast/sync/resolve/resolver_core.h"

namespace ipnscast::sync {

// One line a gateway: of its dialects the one that told most. A 404 in a dialect that the gateway
// may not speak at all does not hide trouble in another one.
ResolveReport ResolverCore::report(const Lookup& lookup) const {
  ResolveReport out;
  out.best = lookup.best;
  out.expired = lookup.expired;
  out.cut = lookup.cut;
  out.sources = lookup.skipped;
  const auto rank = [](const Source& source) {
    if (source.record) return 5;
    if (source.answer == "unchanged" || source.answer == "expired record") return 4;
    if (source.guessed && source.trouble && source.answer != "not found") return 3;
    return source.answer == "not found" ? 2 : source.answer == "no answer" ? 1 : 0;
  };
  std::map<size_t, const Source*> told;
  for (const Source& source : lookup.sources) {
    const Source*& best = told[source.gateway];
    const bool more = best == nullptr || rank(source) > rank(*best) ||
                      (source.record && best->record && better(*source.record, *best->record));
    if (more) best = &source;
  }
  for (const auto& [gateway, source] : told) {
    ResolveReport::Source line{book_.endpoint(gateway).url, source->answer, {}, {}, source->took};
    if (source->record) {
      line.sequence = source->record->fields().sequence;
      line.value = source->record->fields().value;
      line.eol = source->record->fields().eol;
      line.record = source->record;
    }
    for (const Source& other : lookup.sources) {
      if (other.gateway == gateway && !other.refused.empty()) line.refused = other.refused;
    }
    out.sources.push_back(std::move(line));
  }
  return out;
}

}  // namespace ipnscast::sync
