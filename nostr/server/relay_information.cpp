#include "ipnscast/nostr/server/relay_information.h"

#include <nlohmann/json.hpp>

namespace ipnscast::nostr::server {
namespace {

// Bytes of an event beside its content: id, key and signature in hex, names, time and kind. Content
// is counted in characters here, so what is not ASCII, or is escaped, may be refused before.
constexpr size_t kBesideContent = 512;

}  // namespace

std::string relay_information(const RelayOptions& options) {
  const nlohmann::json document = {
      {"name", options.name},
      {"description", options.description},
      {"software", "ipnscast"},
      {"supported_nips", {1, 9, 11, 40, 42, 45, 67, 70, 77}},
      {"negentropy", 1},
      {"limitation",
       {{"max_message_length", options.max_message_bytes},
        {"max_subscriptions", options.max_subscriptions},
        {"max_subid_length", options.max_subscription_id},
        {"max_limit", options.max_limit},
        {"default_limit", options.max_limit},
        {"max_event_tags", options.max_event_tags},
        {"max_content_length", options.max_event_bytes - kBesideContent},
        {"auth_required", false},
        {"payment_required", false},
        {"restricted_writes", !options.writers.empty() || options.owner_private},
        {"created_at_upper_limit", options.created_at_ahead.count()}}}};
  // Options are ours, but may come from a file: text that is no UTF-8 is replaced, not thrown at.
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace ipnscast::nostr::server
