#include "ipnscast/tools/session/resolution.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"

namespace ipnscast::tools {

Milliseconds listen_time(const sync::Config& config) {
  const bool slow = std::any_of(config.gateways.begin(), config.gateways.end(),
                                [](const auto& gateway) { return gateway.tier >= 3; });
  // A little longer than the race, so that it is the race that ends.
  return (slow ? config.slow_listen : config.listen) + Milliseconds(500);
}

std::optional<sync::IpnsRecord> record_of(const sync::ResolveReport& found,
                                          sync::ExpiredPolicy policy) {
  if (found.best || policy == sync::ExpiredPolicy::reject) return found.best;
  return found.expired;
}

Error nothing_found(const sync::IpnsName& name, const sync::ResolveReport& found,
                    sync::ExpiredPolicy policy) {
  const std::string who = name.to_string() + ": ";
  if (found.expired && policy == sync::ExpiredPolicy::reject) {
    return {Errc::expired, who + "the only record that was found ended at " +
                               found.expired->fields().eol.to_string() +
                               " (trust.expired is \"reject\")"};
  }
  const auto forged = std::find_if(found.sources.begin(), found.sources.end(),
                                   [](const auto& source) { return !source.refused.empty(); });
  if (forged != found.sources.end()) {
    return {Errc::signature,
            who + "\"" + forged->url + "\" answered with a record that does not verify (" +
                forged->refused + "), and no other source has one: ask another gateway or router"};
  }
  if (found.cut) return {Errc::timeout, who + "not every source has answered yet, none has it"};
  const bool answered =
      std::any_of(found.sources.begin(), found.sources.end(),
                  [](const auto& source) { return source.answer == "not found"; });
  return answered ? Error{Errc::not_found, who + "no source has a record of this name"}
                  : Error{Errc::unreachable, who + "no source could answer"};
}

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
