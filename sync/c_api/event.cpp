#include "ipnscast/sync/c_api/event.h"

#include "ipnscast/nostr/base/hex.h"

namespace ipnscast::c_api {
namespace {

int number_of(sync::ChangeKind kind) {
  switch (kind) {
    case sync::ChangeKind::change:
      return IPNSCAST_KIND_CHANGE;
    case sync::ChangeKind::refresh:
      return IPNSCAST_KIND_REFRESH;
    case sync::ChangeKind::conflict:
      return IPNSCAST_KIND_CONFLICT;
    case sync::ChangeKind::stale:
      return IPNSCAST_KIND_STALE;
    case sync::ChangeKind::provisional:
      return IPNSCAST_KIND_PROVISIONAL;
    case sync::ChangeKind::confirmed:
      return IPNSCAST_KIND_CONFIRMED;
    case sync::ChangeKind::withdrawn:
      return IPNSCAST_KIND_WITHDRAWN;
    case sync::ChangeKind::lost:
      return IPNSCAST_KIND_LOST;
  }
  return 0;
}

int number_of(sync::SourceKind source) {
  switch (source) {
    case sync::SourceKind::nostr:
      return IPNSCAST_SOURCE_NOSTR;
    case sync::SourceKind::poll:
      return IPNSCAST_SOURCE_POLL;
    case sync::SourceKind::websocket:
      return IPNSCAST_SOURCE_WEBSOCKET;
    case sync::SourceKind::sse:
      return IPNSCAST_SOURCE_SSE;
    case sync::SourceKind::pubsub:
      return IPNSCAST_SOURCE_PUBSUB;
    case sync::SourceKind::local:
      return IPNSCAST_SOURCE_LOCAL;
    case sync::SourceKind::w3name:
      return IPNSCAST_SOURCE_W3NAME;
    case sync::SourceKind::app:
      return IPNSCAST_SOURCE_APP;
  }
  return 0;
}

}  // namespace

std::unique_ptr<GivenEvent> make_event(const sync::Change& change) {
  auto out = std::make_unique<GivenEvent>();
  const auto cid_text = [&](const std::optional<sync::Cid>& cid) {
    return out->keep(cid ? cid->to_string() : std::string());
  };
  out->kind = number_of(change.kind);
  out->source = number_of(change.source);
  out->name = out->keep(change.name.to_string());
  out->sequence = change.sequence.value;
  out->value = out->keep(change.value);
  out->cid = cid_text(change.cid);
  out->previous = cid_text(change.previous);
  out->other_value = out->keep(change.other_value.value_or(""));
  out->author = out->keep(change.author ? to_hex(change.author->view()) : std::string());
  out->seen_ms = change.seen.value;
  out->uncertain = change.certain ? 0 : 1;
  out->single_source = change.unconfirmed_freshness ? 1 : 0;
  return out;
}

}  // namespace ipnscast::c_api

void ipnscast_event_free(ipnscast_event* event) {
  delete static_cast<ipnscast::c_api::GivenEvent*>(event);
}
