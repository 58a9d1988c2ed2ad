#include "ipnscast/tools/session/resolution.h"

#include "ipnscast/nostr/base/log.h"

namespace ipnscast::tools {

void warn_of(const sync::IpnsName& name, const sync::ResolveReport& found,
             sync::ExpiredPolicy policy) {
  const auto record = record_of(found, policy);
  if (!record) return;
  const std::string who = name.to_string() + ": ";
  if (found.rollback) {
    const auto& expired = found.expired;
    const bool over = expired && expired->fields().sequence > record->fields().sequence;
    const sync::Sequence known = (over ? *expired : *record).fields().sequence;
    log_warning("resolve", who + "every source fell back behind sequence " +
                               std::to_string(known.value) + ", which is known here" +
                               (over ? ", though its record has expired" : ""));
  }
  if (found.other_value)
    log_warning("resolve", who + "signed twice with sequence " +
                               std::to_string(record->fields().sequence.value) + ": also for " +
                               *found.other_value);
  if (!found.best)
    log_warning("resolve", who + "its record ended at " + record->fields().eol.to_string() +
                               "; this is the last good value");
}

}  // namespace ipnscast::tools
