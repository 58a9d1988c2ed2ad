#include "ipnscast/tools/watch/watch_targets.h"

#include <algorithm>
#include <set>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tools/cli/stop_signal.h"

namespace ipnscast::tools {

Result<std::vector<nostr::PublicKey>> trusted_keys(const std::vector<std::string>& texts) {
  std::vector<nostr::PublicKey> out;
  for (const std::string& text : texts) {
    const auto key = nostr::parse_public_key(text);
    if (!key)
      return fail(Errc::invalid, "--trust \"" + text + "\": " + key.error().message +
                                     "; want the publisher's npub, or its 64 hex digits");
    out.push_back(*key);
  }
  return out;
}

namespace {

constexpr Milliseconds kTargetsDeadline{10'000};
// Between tries to find out which names a target stands for, while nobody answers.
constexpr Milliseconds kFirstWait{1'000};
constexpr Milliseconds kLongestWait{30'000};

Result<Target> all_targets(const Session& session, const WatchOptions& options,
                           Milliseconds deadline) {
  Target out;
  for (const std::string& text : options.targets) {
    auto one = resolve_target(session, text, options.derived, deadline);
    if (!one) return fail(one.error());
    for (const sync::dnslink::Step& step : one->dns)
      log_warning("watch", step.domain + " leads to " + step.value +
                               ", by DNS, which nobody signs; it is asked once, at the start");
    out.names.insert(out.names.end(), one->names.begin(), one->names.end());
    out.authors.insert(out.authors.end(), one->authors.begin(), one->authors.end());
    out.relays.insert(out.relays.end(), one->relays.begin(), one->relays.end());
  }
  const std::set<sync::IpnsName> distinct(out.names.begin(), out.names.end());
  out.names.assign(distinct.begin(), distinct.end());
  return out;
}

}  // namespace

Result<Target> wait_for_targets(const Session& session, const WatchOptions& options,
                                const TimeLimit& limit) {
  // Nothing is open yet that would have to be closed.
  StopSignal stop;
  const OnStopSignal leave(stop, [] { std::_Exit(static_cast<int>(Exit::done)); });
  bool said = false;
  for (Milliseconds wait = kFirstWait;; wait = std::min(wait * 2, kLongestWait)) {
    auto target = all_targets(session, options, limit.left(kTargetsDeadline));
    if (target || options.once) return target;
    const Error& why = target.error();
    if (why.code != Errc::unreachable && why.code != Errc::timeout) return target;
    if (!said) log_warning("watch", why.message + "; it goes on as soon as one of them answers");
    said = true;
    stop.wait(std::min(wait, limit.left(wait)));
    if (limit.end() && system_now().steady >= *limit.end()) return fail(Errc::timeout, why.message);
  }
}

}  // namespace ipnscast::tools
