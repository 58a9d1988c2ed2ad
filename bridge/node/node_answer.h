#pragma once

#include <functional>
#include <map>
#include <string>
#include <variant>

#include "ipnscast/nostr/net/websocket_server.h"

namespace ipnscast::bridge {

using nostr::net::HttpRequest;
using nostr::net::HttpResponse;

// A body that is made while it is sent, piece by piece, as fast as the client takes it.
struct StreamedAnswer {
  std::map<std::string, std::string> headers;  // the status is 200
  // The next piece; an empty one ends the body. Called by one answering thread at a time, not
  // always the same. An error means that the body cannot be made whole: the connection is cut, as
  // the client must not take what it got for all there is.
  std::function<Result<Bytes>()> next;
};

using NodeAnswer = std::variant<HttpResponse, StreamedAnswer>;

// A short text for people, one line.
HttpResponse text_answer(int status, std::string_view text);

// The header's value, or empty.
std::string_view header_of(const HttpRequest& request, const std::string& lower_case_name);

}  // namespace ipnscast::bridge
