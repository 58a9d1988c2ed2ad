#include "ipnscast/nostr/base/result.h"

namespace ipnscast {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::invalid:
      return "invalid";
    case Errc::parse:
      return "parse";
    case Errc::too_large:
      return "too-large";
    case Errc::signature:
      return "signature";
    case Errc::mismatch:
      return "mismatch";
    case Errc::expired:
      return "expired";
    case Errc::unsupported:
      return "unsupported";
    case Errc::not_found:
      return "not-found";
    case Errc::refused:
      return "refused";
    case Errc::conflict:
      return "conflict";
    case Errc::timeout:
      return "timeout";
    case Errc::unreachable:
      return "unreachable";
    case Errc::cancelled:
      return "cancelled";
    case Errc::closed:
      return "closed";
    case Errc::io:
      return "io";
    case Errc::busy:
      return "busy";
    case Errc::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace ipnscast
