#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ipnscast/nostr/event/event.h"
#include "ipnscast/nostr/event/filter.h"

namespace ipnscast::nostr {

// Subscription ids are 1 to 64 characters. NIP-01.
using SubscriptionId = std::string;

// ---- what a relay says ----
struct EventMessage {
  SubscriptionId subscription;
  Event event;
};
struct OkMessage {
  EventId id;
  bool accepted = false;
  std::string reason;  // "prefix: text", or empty
};
// What the relay says of the stored events before it: more than it has sent, or that all have come.
// NIP-67.
enum class EoseHint { none, more, finish };
struct EoseMessage {
  SubscriptionId subscription;
  EoseHint hint = EoseHint::none;
};
struct ClosedMessage {
  SubscriptionId subscription;
  std::string reason;
};
struct NoticeMessage {
  std::string text;
};
struct AuthChallenge {  // NIP-42
  std::string challenge;
};
struct CountMessage {  // NIP-45
  SubscriptionId subscription;
  uint64_t count = 0;
  bool approximate = false;  // the count is a guess, or where the relay stopped
};
struct NegMessage {  // NIP-77; from both sides
  SubscriptionId subscription;
  Bytes message;  // see negentropy.h
};
struct NegError {  // NIP-77
  SubscriptionId subscription;
  std::string reason;                   // "blocked: text", "closed: text"
  std::optional<uint64_t> max_records;  // how many the relay would take, with "blocked"
};
// A well-formed array with a first string that we do not know: ignored and counted.
struct UnknownMessage {
  std::string type;
};
using RelayMessage =
    std::variant<EventMessage, OkMessage, EoseMessage, ClosedMessage, NoticeMessage, AuthChallenge,
                 CountMessage, NegMessage, NegError, UnknownMessage>;

// ---- what a client says ----
struct PublishRequest {
  Event event;
};
struct ReqRequest {
  SubscriptionId subscription;
  std::vector<Filter> filters;
};
struct CloseRequest {
  SubscriptionId subscription;
};
struct AuthRequest {  // NIP-42
  Event event;
};
struct CountRequest {  // NIP-45
  SubscriptionId subscription;
  std::vector<Filter> filters;
};
struct NegOpenRequest {  // NIP-77; these ids and those of REQ do not touch each other
  SubscriptionId subscription;
  Filter filter;
  Bytes message;
};
struct NegCloseRequest {  // NIP-77
  SubscriptionId subscription;
};
using ClientMessage =
    std::variant<PublishRequest, ReqRequest, CloseRequest, AuthRequest, CountRequest,
                 NegOpenRequest, NegMessage, NegCloseRequest, UnknownMessage>;

// Bounds on one frame from outside.
struct MessageLimits {
  size_t max_bytes = 1024 * 1024;
  size_t max_depth = 16;
  size_t max_filters = 200;
  EventLimits event;
  FilterLimits filter;
};

// Parses one text frame. The event inside has the right shape; nothing is verified yet.
// Errc::parse, Errc::too_large.
Result<RelayMessage> parse_relay_message(std::string_view frame, const MessageLimits& limits = {});
Result<ClientMessage> parse_client_message(std::string_view frame,
                                           const MessageLimits& limits = {});

std::string to_frame(const RelayMessage& message);
std::string to_frame(const ClientMessage& message);

// The machine-readable part of an OK, CLOSED or NOTICE reason ("rate-limited: slow down" ->
// "rate-limited"), or empty. NIP-01, NIP-42.
std::string_view reason_prefix(std::string_view reason);

}  // namespace ipnscast::nostr
