#pragma once

#include <string>
#include <string_view>

#include "ipnscast/sync/gateway/http_call.h"

namespace ipnscast::sync::gateway {

// What a gateway may be used for, if it can.
struct Uses {
  bool blocks = true;   // content is fetched from it
  bool records = true;  // records are asked of it
  bool publish = true;  // our content and records are brought to it
};

// Where a gateway, router or node is reached, as configured, or as others say.
struct Endpoint {
  std::string url;            // http(s)://host[:port][/path], with or without a slash at the end
  std::string authorization;  // value of that header; secret, never logged
  NamedBy named_by = NamedBy::configuration;

  // The start of a request to `path` ("/ipfs/..."), with the authorization on it.
  HttpCall call(std::string_view method, std::string_view path) const;
};

// An endpoint from a URL as people write it: http or https, a host, neither query nor fragment. A
// user and a password in it become the authorization (Basic, RFC 7617), so that the URL can be
// shown and written down. Errc::invalid.
Result<Endpoint> parse_endpoint(std::string_view url, std::string authorization = {});

// Reads the status of an answer whose body is of use only on 200: success, or Errc::not_found (404,
// 410), conflict (409), busy (429, 503 with Retry-After), refused (401, 403, 451), unsupported
// (400, 405, 406, 412, 501), unreachable (all else). The message holds the first line of a text
// body.
Status check_status(const HttpAnswer& answer);

// What the answer to a probe says. A gateway that is asked in vain costs a request, one that is not
// asked may be the only one: so only clear words count as "no".
enum class Speaks { no, perhaps, yes };
// For an answer that is not the one of a "yes": "no" for HTML, for the "404 page not found" of Go's
// web server, for a success of another kind, and for a method that is not known.
Speaks speaks_perhaps(const HttpAnswer& answer);

// The media type without its parameters, in lower case.
std::string media_type(const HttpHead& head);

}  // namespace ipnscast::sync::gateway
