#include "ipnscast/sync/found_record.h"

#include <algorithm>

namespace ipnscast::sync {

Milliseconds listen_time(const Config& config) {
  const bool slow = std::any_of(config.gateways.begin(), config.gateways.end(),
                                [](const auto& gateway) { return gateway.tier >= 3; });
  // A little longer than the race, so that it is the race that ends.
  return (slow ? config.slow_listen : config.listen) + Milliseconds(500);
}

std::optional<IpnsRecord> record_of(const ResolveReport& found, ExpiredPolicy policy) {
  if (found.best || policy == ExpiredPolicy::reject) return found.best;
  return found.expired;
}

Error nothing_found(const IpnsName& name, const ResolveReport& found, ExpiredPolicy policy) {
  const std::string who = name.to_string() + ": ";
  if (found.expired && policy == ExpiredPolicy::reject) {
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

}  // namespace ipnscast::sync
