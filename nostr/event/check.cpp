#include "ipnscast/nostr/event/check.h"

#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/nostr/event/foreign_escapes.h"
#include "ipnscast/nostr/event/json_document.h"
#include "ipnscast/nostr/event/keys.h"

namespace ipnscast::nostr {

std::string_view to_string(EventFault fault) {
  switch (fault) {
    case EventFault::json:
      return "json";
    case EventFault::shape:
      return "shape";
    case EventFault::kind:
      return "kind";
    case EventFault::time:
      return "time";
    case EventFault::escape:
      return "escape";
    case EventFault::id:
      return "id";
    case EventFault::sig:
      return "sig";
  }
  return "json";
}

Checked<void> check_signed(const Event& event) {
  const auto problem = [&](EventFault fault, std::string message) {
    return tl::unexpected<EventProblem>({fault, {Errc::signature, std::move(message)}, event.id});
  };
  if (compute_id(event) != event.id) {
    return id_of_foreign_escapes(event)
               ? problem(EventFault::escape,
                         "id: is that of a text escaped in another way than NIP-01's")
               : problem(EventFault::id, "id: does not match the event");
  }
  if (!verify_schnorr(event.pubkey, event.id.view(), event.sig)) {
    return problem(EventFault::sig, "sig: does not hold for this key and id");
  }
  return {};
}

Checked<Event> check_event(std::string_view json, const EventLimits& limits) {
  if (json.size() > limits.max_bytes) {
    return tl::unexpected<EventProblem>(
        {EventFault::shape, {Errc::too_large, "event: too large"}, std::nullopt});
  }
  auto event = parse_json(json, limits.max_depth).and_then([&](simdjson::dom::element root) {
    return read_event(root, limits);
  });
  if (!event) return event;
  if (auto ok = check_signed(*event); !ok)
    return tl::unexpected<EventProblem>(std::move(ok.error()));
  return event;
}

}  // namespace ipnscast::nostr
