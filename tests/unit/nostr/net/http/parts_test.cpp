// The pure parts of our HTTP server: heads, chunked bodies, the room that bodies take.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

#include "ipnscast/nostr/net/http/chunked_body.h"
#include "ipnscast/nostr/net/http/held_bytes.h"
#include "ipnscast/nostr/net/http/http_head.h"
#include "ipnscast/nostr/net/http/http_output.h"
#include "ipnscast/nostr/net/stream/peer_address.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr::net;

namespace {

RequestHead head_of(const std::string& text) {
  const auto head = parse_request_head(text);
  if (!head) FAIL(head.error().why);
  return *head;
}

int refusal_of(const std::string& text) {
  const auto head = parse_request_head(text);
  return head ? 0 : head.error().status;
}

}  // namespace

TEST_CASE("a request's head ends at its blank line, however it comes in pieces") {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n\r\nmore";
  const size_t end = text.size() - 4;
  for (size_t first = 0; first <= text.size(); ++first) {
    const std::string_view part = std::string_view(text).substr(0, first);
    CHECK(request_head_end(part) == (first < end ? std::nullopt : std::optional<size_t>(end)));
    CHECK(request_head_end(text, std::min(first, end - 1)) == end);
  }
  CHECK(request_head_end("GET / HTTP/1.1\nHost: x\n\nmore") == 24);
}

TEST_CASE("a request is read as its client means it") {
  const RequestHead head = head_of(
      "POST /a%20b/c?x=%31&y HTTP/1.1\r\nHost: h\r\nACCEPT: one\r\naccept:\t two \r\n"
      "Content-Length: 12\r\nExpect: 100-Continue\r\nConnection: Keep-Alive\r\n\r\n");
  CHECK(head.method == "POST");
  CHECK(head.path == "/a b/c");
  CHECK(head.query == "x=%31&y");
  CHECK(head.headers.at("accept") == "one, two");
  CHECK(head.content_length == 12);
  CHECK_FALSE(head.chunked);
  CHECK(head.expects_continue);
  CHECK(head.keep_alive);
  CHECK(head_of("GET http://other:1/p?q HTTP/1.1\r\nHost: h\r\n\r\n").path == "/p");
  CHECK(head_of("GET http://other HTTP/1.1\r\nHost: h\r\n\r\n").path == "/");
  CHECK(head_of("GET http://other?q HTTP/1.1\r\nHost: h\r\n\r\n").query == "q");
  CHECK(head_of("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").path == "*");
  CHECK_FALSE(head_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
  CHECK_FALSE(head_of("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n").keep_alive);
  CHECK(head_of("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n").chunked);
}

TEST_CASE("R38: a head that can be read in two ways is refused") {
  CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
  CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n") == 400);
  CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n") == 400);
  CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\r\n\tX: y\r\n\r\n") == 400);
  CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n") == 400);
  CHECK(refusal_of("GET  / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal_of("GET / HTTP/1.1 \r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal_of("GET a HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal_of("G(T / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal_of("GET / HTTP/3.0\r\nHost: a\r\n\r\n") == 505);
  CHECK(refusal_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n") == 400);
  CHECK(refusal_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n") == 400);
  CHECK(refusal_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n") == 400);
  CHECK(refusal_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 200; ++i) many += "X: y\r\n";
  CHECK(refusal_of(many + "\r\n") == 431);
}

TEST_CASE("a WebSocket is opened for who asks for one in full") {
  const std::string common = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const auto wish = [](const std::string& text) { return websocket_wish(head_of(text + "\r\n")); };
  const std::string full =
      common + "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n";
  const auto asked = wish(full + key + "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  REQUIRE(asked);
  REQUIRE(*asked);
  CHECK((*asked)->key == "dGhlIHNhbXBsZSBub25jZQ==");
  CHECK((*asked)->extensions == "permessage-deflate");
  CHECK(wish(full).error().status == 400);
  CHECK(wish(full + "Sec-WebSocket-Key: short\r\n").error().status == 400);
  CHECK(wish(full + key + "Content-Length: 1\r\n").error().status == 400);
  CHECK(wish(common + "Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\n" + key).error().status ==
        426);
  CHECK_FALSE(*wish(common + key));  // without Connection: Upgrade it is a plain request
}

TEST_CASE("a chunked body is the same however it comes in pieces") {
  const std::string text = "4\r\nWiki\r\nA;name=value\r\n in chunks\r\n0\r\nTrailer: x\r\n\r\nnext";
  for (size_t step = 1; step <= text.size(); ++step) {
    ChunkedBody body;
    Bytes out;
    auto state = ChunkedBody::State::more;
    std::string left;
    for (size_t at = 0; at < text.size(); at += step) {
      std::string_view part = std::string_view(text).substr(at, step);
      if (state == ChunkedBody::State::more) state = body.feed(part, out, 100);
      left += part;
    }
    CHECK(state == ChunkedBody::State::done);
    CHECK(as_text(out) == "Wiki in chunks");
    CHECK(left == "next");
  }
}

TEST_CASE("R40: a chunked body is bounded, and what is no chunk is refused") {
  const auto state_of = [](std::string_view text, size_t most = 100) {
    ChunkedBody body;
    Bytes out;
    const auto state = body.feed(text, out, most);
    CHECK(out.size() <= most);
    return std::pair(state, text.empty());
  };
  CHECK(state_of("5\r\nabcde\r\n0\r\n\r\n", 4) == std::pair(ChunkedBody::State::more, false));
  CHECK(state_of("5\r\nabcde\r\n0\r\n\r\n", 5).first == ChunkedBody::State::done);
  for (const char* bad :
       {"\r\n", "x\r\n", "-1\r\n", " 1\r\na", "1\r\nab\r\n", "fffffffffffffffff\r\n", ";\r\n"})
    CHECK(state_of(bad).first == ChunkedBody::State::malformed);
  CHECK(state_of("1;" + std::string(20'000, 'x')).first == ChunkedBody::State::malformed);
  CHECK(state_of("0\r\n" + std::string(20'000, 'x')).first == ChunkedBody::State::malformed);
}

TEST_CASE("R40: bodies are bounded for one address and for all, and give their room back") {
  const auto held = std::make_shared<HeldBytes>(100, 60);
  auto first = std::make_unique<HeldBytes::Share>(held, "a");
  CHECK(first->raise_to(50));
  HeldBytes::Share second(held, "a");
  CHECK_FALSE(second.raise_to(20));
  HeldBytes::Share other(held, "b");
  CHECK(other.raise_to(50));
  CHECK_FALSE(other.raise_to(51));
  CHECK(first->raise_to(10));  // less is no more
  first.reset();
  CHECK(second.raise_to(50));
}

TEST_CASE("R38: a chunked body is read in one way only: lines end with CR LF") {
  const auto state_of = [](std::string_view text) {
    ChunkedBody body;
    Bytes out;
    return body.feed(text, out, 100);
  };
  for (const char* good : {"1\r\na\r\n0\r\n\r\n", "1 ;\tx=\"y\"\r\na\r\n0 \r\nT: 1\r\n\r\n"})
    CHECK(state_of(good) == ChunkedBody::State::done);
  for (const char* bad :
       {"1\na\r\n0\r\n\r\n", "1\r\r\na\r\n0\r\n\r\n", "1;x\n\r\na\r\n0\r\n\r\n", "1;x\rya\r\n",
        "1\r\na\n0\r\n\r\n", "1\r\na\r\r\n0\r\n\r\n", "0\r\n\n", "0\r\n\r\r\n", "0\r\nT: 1\n\r\n",
        "1;\x01\r\na\r\n", "1;\x7f\r\na\r\n", "1 2\r\na\r\n", "0\r\nT: \x01\r\n\r\n"}) {
    INFO(bad);
    CHECK(state_of(bad) == ChunkedBody::State::malformed);
  }
}

TEST_CASE("R20: a stream that nobody finishes is cut, and one that is finished ends") {
  for (const bool finished : {false, true}) {
    const auto output = std::make_shared<HttpOutput>();
    auto reply = make_reply(output, [] {});
    reply->begin(200, {});
    CHECK(reply->write(Bytes(10)));
    CHECK(output->take(100).head);
    if (finished) reply->finish();
    reply.reset();
    const auto next = output->take(100);
    CHECK(next.cut == !finished);
    CHECK(next.last == finished);
  }
}

TEST_CASE("R40: all addresses of an IPv6 client count as one, and IPv4 is IPv4 on any port") {
  const auto peer_of = [](const char* text) {
    sockaddr_storage name{};
    sockaddr_in four{};
    sockaddr_in6 six{};
    if (::inet_pton(AF_INET, text, &four.sin_addr) == 1) {
      four.sin_family = AF_INET;
      std::memcpy(&name, &four, sizeof(four));
    } else {
      REQUIRE(::inet_pton(AF_INET6, text, &six.sin6_addr) == 1);
      six.sin6_family = AF_INET6;
      std::memcpy(&name, &six, sizeof(six));
    }
    return peer_address(reinterpret_cast<const sockaddr&>(name));
  };
  CHECK(peer_of("192.0.2.1").text == "192.0.2.1");
  CHECK(peer_of("192.0.2.1").group == "192.0.2.1");
  CHECK(peer_of("::ffff:192.0.2.1").text == "192.0.2.1");
  CHECK(peer_of("::ffff:192.0.2.1").group == "192.0.2.1");
  CHECK(peer_of("2001:db8:1:2:3:4:5:6").text == "2001:db8:1:2:3:4:5:6");
  CHECK(peer_of("2001:db8:1:2:3:4:5:6").group == "2001:db8:1:2::/64");
  CHECK(peer_of("2001:db8:1:2::1").group == peer_of("2001:db8:1:2:ffff::").group);
  CHECK(peer_of("2001:db8:1:3::1").group != peer_of("2001:db8:1:2::1").group);
}
