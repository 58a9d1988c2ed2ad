// What the numbers of the C API mean.
#include "ipnscast/sync/c_api/ipnscast.h"

const char* ipnscast_version() { return IPNSCAST_VERSION; }

const char* ipnscast_strerror(int code) {
  switch (code) {
    case IPNSCAST_OK:
      return "done";
    case IPNSCAST_INVALID:
      return "an argument or a setting makes no sense";
    case IPNSCAST_PARSE:
      return "the bytes do not have the form that they must have";
    case IPNSCAST_TOO_LARGE:
      return "larger than ipnscast accepts";
    case IPNSCAST_SIGNATURE:
      return "a signature or a hash does not match";
    case IPNSCAST_MISMATCH:
      return "not what was asked for";
    case IPNSCAST_EXPIRED:
      return "expired";
    case IPNSCAST_UNSUPPORTED:
      return "of a kind that ipnscast does not handle";
    case IPNSCAST_NOT_FOUND:
      return "not found";
    case IPNSCAST_REFUSED:
      return "refused";
    case IPNSCAST_CONFLICT:
      return "somebody else holds it, or has changed it";
    case IPNSCAST_TIMEOUT:
      return "the time is over";
    case IPNSCAST_UNREACHABLE:
      return "nobody could be reached";
    case IPNSCAST_CANCELLED:
      return "interrupted by a signal";
    case IPNSCAST_CLOSED:
      return "the client is closed";
    case IPNSCAST_IO:
      return "a file, the disk or the database failed";
    case IPNSCAST_BUSY:
      return "busy: try again later";
    case IPNSCAST_INTERNAL:
      return "a fault of ipnscast itself";
    case IPNSCAST_NO_MEMORY:
      return "out of memory";
    default:
      return "an error that this version of ipnscast does not know";
  }
}

const char* ipnscast_kind_name(int kind) {
  switch (kind) {
    case IPNSCAST_KIND_CHANGE:
      return "change";
    case IPNSCAST_KIND_REFRESH:
      return "refresh";
    case IPNSCAST_KIND_CONFLICT:
      return "conflict";
    case IPNSCAST_KIND_STALE:
      return "stale";
    case IPNSCAST_KIND_PROVISIONAL:
      return "provisional";
    case IPNSCAST_KIND_CONFIRMED:
      return "confirmed";
    case IPNSCAST_KIND_WITHDRAWN:
      return "withdrawn";
    case IPNSCAST_KIND_LOST:
      return "lost";
    default:
      return "unknown";
  }
}

const char* ipnscast_source_name(int source) {
  switch (source) {
    case IPNSCAST_SOURCE_NOSTR:
      return "nostr";
    case IPNSCAST_SOURCE_POLL:
      return "poll";
    case IPNSCAST_SOURCE_WEBSOCKET:
      return "websocket";
    case IPNSCAST_SOURCE_SSE:
      return "sse";
    case IPNSCAST_SOURCE_PUBSUB:
      return "pubsub";
    case IPNSCAST_SOURCE_LOCAL:
      return "local";
    case IPNSCAST_SOURCE_W3NAME:
      return "w3name";
    case IPNSCAST_SOURCE_APP:
      return "app";
    default:
      return "unknown";
  }
}
