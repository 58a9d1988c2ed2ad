#include "ipnscast/nostr/relay/publish_outcome.h"

#include <algorithm>
#include <array>

#include "ipnscast/nostr/event/message.h"

namespace ipnscast::nostr {
namespace {

bool is_for_good(std::string_view prefix) {
  static constexpr std::array<std::string_view, 5> kPrefixes{"invalid", "blocked", "restricted",
                                                             "pow", "mute"};
  return std::find(kPrefixes.begin(), kPrefixes.end(), prefix) != kPrefixes.end();
}

// The words of strfry ("created_at too late") and of everyone else ("too far in the future").
bool blames_the_time(std::string_view reason) {
  return reason.find("future") != std::string_view::npos ||
         reason.find("too late") != std::string_view::npos;
}

}  // namespace

std::string_view to_string(PublishState state) {
  switch (state) {
    case PublishState::queued:
      return "queued";
    case PublishState::auth_pending:
      return "auth pending";
    case PublishState::written:
      return "written";
    case PublishState::acknowledged:
      return "acknowledged";
    case PublishState::duplicate:
      return "duplicate";
    case PublishState::superseded:
      return "superseded";
    case PublishState::refused:
      return "refused";
    case PublishState::no_answer:
      return "no answer";
    case PublishState::unreachable:
      return "unreachable";
  }
  return "queued";
}

std::string_view to_string(ReadBack read_back) {
  switch (read_back) {
    case ReadBack::not_asked:
      return "not asked";
    case ReadBack::confirmed:
      return "confirmed";
    case ReadBack::missing:
      return "missing";
    case ReadBack::newer:
      return "newer";
    case ReadBack::no_answer:
      return "no answer";
  }
  return "not asked";
}

size_t PublishReport::stored_count() const {
  return static_cast<size_t>(std::count_if(relays.begin(), relays.end(), [](const auto& relay) {
    return relay.second.stored() && !relay.second.quarantined;
  }));
}

bool Quorum::reached(const PublishReport& report) const {
  const auto stored = [&](const RelayUrl& url) {
    const auto found = report.relays.find(url);
    return found != report.relays.end() && found->second.stored() && !found->second.quarantined;
  };
  if (!std::all_of(named.begin(), named.end(), stored)) return false;
  const size_t most = report.relays.size();
  return report.stored_count() >= (all ? most : count);
}

Status Quorum::fits(const std::vector<RelayUrl>& relays) const {
  if (!all && count > relays.size()) {
    return fail(Errc::invalid, "a quorum of " + std::to_string(count) +
                                   " needs that many relays, not " + std::to_string(relays.size()));
  }
  for (const RelayUrl& url : named) {
    if (std::find(relays.begin(), relays.end(), url) == relays.end())
      return fail(Errc::invalid, "the quorum names " + url.text() + ", which is not asked");
  }
  return {};
}

bool PublishReport::settled() const {
  return std::all_of(relays.begin(), relays.end(),
                     [](const auto& relay) { return relay.second.settled(); });
}

RelayOutcome outcome_of_ok(const Event& event, bool accepted, std::string_view reason,
                           UnixSeconds now) {
  const std::string_view prefix = reason_prefix(reason);
  RelayOutcome out;
  out.reason = std::string(reason);
  if (prefix == "duplicate") {
    out.state = PublishState::duplicate;
    out.doubtful = address_of(event).has_value();
  } else if (prefix == "replaced") {
    out.state = PublishState::superseded;
  } else if (accepted) {
    out.state = PublishState::acknowledged;
  } else {
    out.state = PublishState::refused;
    out.permanent = is_for_good(prefix) &&
                    !(prefix == "invalid" && (event.created_at > now || blames_the_time(reason)));
  }
  return out;
}

RelayOutcome outcome_at_deadline(RelayOutcome open, bool written) {
  if (open.settled()) return open;
  if (open.reason.empty()) {
    open.reason = open.state == PublishState::auth_pending ? "auth-required: not done in time"
                  : written                                ? "no OK in time"
                                                           : "no connection in time";
  }
  const bool unknown = written && open.state == PublishState::written;
  open.state = unknown ? PublishState::no_answer : PublishState::unreachable;
  return open;
}

}  // namespace ipnscast::nostr
