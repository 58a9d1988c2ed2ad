// How queries get from the wire to those who answer.
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/websocket_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_http.h"

using namespace ipnscast;
using namespace ipnscast::nostr::net;

TEST_CASE("what is encoded in a query stays a part of its value, and is decoded once") {
  const auto loop = std::move(*Loop::start());
  ServerHandlers handlers;
  handlers.http = [](const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
    const std::string said = query_value(request, "x").value_or("(none)") + "|" +
                             query_value(request, "y").value_or("(none)");
    reply->send({200, {}, to_bytes(std::string_view(said))});
  };
  const auto server = std::move(*listen(*loop, {}, std::move(handlers)));
  const auto ask = [&](const std::string& query) {
    const std::string answer = test::raw_http(
        server->port(), "GET /?" + query + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return answer.substr(answer.find("\r\n\r\n") + 4);
  };
  CHECK(ask("x=1&y=2") == "1|2");
  CHECK(ask("x=a%26y%3D2") == "a&y=2|(none)");
  CHECK(ask("x=%2541&y=%2526") == "%41|%26");
  CHECK(ask("x=100%25&y=a%20b+c") == "100%|a b c");
  CHECK(ask("x=a=b?c/%2F&y=%C3%BC") == "a=b?c//|ü");
  CHECK(ask("x&y=") == "|");
  CHECK(ask("z=1") == "(none)|(none)");
}
