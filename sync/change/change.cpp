#include "ipnscast/sync/change/change.h"

namespace ipnscast::sync {

std::string_view to_string(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::change:
      return "change";
    case ChangeKind::refresh:
      return "refresh";
    case ChangeKind::conflict:
      return "conflict";
    case ChangeKind::stale:
      return "stale";
    case ChangeKind::provisional:
      return "provisional";
    case ChangeKind::confirmed:
      return "confirmed";
    case ChangeKind::withdrawn:
      return "withdrawn";
    case ChangeKind::lost:
      return "lost";
  }
  return "change";
}

std::string_view to_string(SourceKind kind) {
  switch (kind) {
    case SourceKind::nostr:
      return "nostr";
    case SourceKind::poll:
      return "poll";
    case SourceKind::websocket:
      return "websocket";
    case SourceKind::sse:
      return "sse";
    case SourceKind::pubsub:
      return "pubsub";
    case SourceKind::local:
      return "local";
    case SourceKind::w3name:
      return "w3name";
    case SourceKind::app:
      return "app";
  }
  return "poll";
}

}  // namespace ipnscast::sync
