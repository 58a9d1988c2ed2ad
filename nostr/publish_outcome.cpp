#include "nostr/publish_outcome.h"

#include <algorithm>

#include "nostr/message.h"

namespace ipnscast::nostr {

std::string_view to_string(PublishState state) {
  switch (state) {
    case PublishState::queued:
      return "queued";
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

size_t PublishReport::stored_count() const {
  return static_cast<size_t>(std::count_if(
      relays.begin(), relays.end(), [](const auto& relay) { return relay.second.stored(); }));
}

bool PublishReport::settled() const {
  return std::all_of(relays.begin(), relays.end(),
                     [](const auto& relay) { return relay.second.settled(); });
}

RelayOutcome outcome_of_ok(bool accepted, std::string_view reason) {
  const std::string_view prefix = reason_prefix(reason);
  RelayOutcome out;
  out.reason = std::string(reason);
  if (prefix == "duplicate") {
    out.state = PublishState::duplicate;
  } else if (prefix == "replaced") {
    out.state = PublishState::superseded;
  } else if (accepted) {
    out.state = PublishState::acknowledged;
  } else {
    out.state = PublishState::refused;
    out.permanent = prefix != "rate-limited" && prefix != "auth-required" && prefix != "error";
  }
  return out;
}

}  // namespace ipnscast::nostr
