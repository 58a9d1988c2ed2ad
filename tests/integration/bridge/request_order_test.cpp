// R38: no order of requests on a port of ours stops the process. Every port is played every method
// with every kind of body, followed at once by every kind of second request.
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/four_ports.h"
#include "ipnscast/tests/support/gateways/raw_client.h"

using namespace ipnscast::test;

namespace {

const std::vector<std::string> kMethods = {"GET",     "HEAD",   "POST",  "PUT",
                                           "OPTIONS", "DELETE", "PATCH", "FROBNICATE"};

enum class Body { none, sized, empty, chunked, expected, shorter, longer };
const std::vector<Body> kBodies = {Body::none,     Body::sized,   Body::empty, Body::chunked,
                                   Body::expected, Body::shorter, Body::longer};

std::string request(const std::string& method, Body body, bool last) {
  const std::string head =
      method + " /health HTTP/1.1\r\nHost: x\r\n" + (last ? "Connection: close\r\n" : "");
  switch (body) {
    case Body::none:
      return head + "\r\n";
    case Body::sized:
      return head + "Content-Length: 3\r\n\r\nabc";
    case Body::empty:
      return head + "Content-Length: 0\r\n\r\n";
    case Body::chunked:
      return head + "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n";
    case Body::expected:
      return head + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc";
    case Body::shorter:
      return head + "Content-Length: 30\r\n\r\nabc";
    case Body::longer:
      return head + "Content-Length: 1\r\n\r\nabc\r\n\r\n";
  }
  return head;
}

const std::string kUpgrade =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// What comes behind a first request without waiting for its answer.
const std::vector<std::string> kSeconds = {
    "",
    request("GET", Body::none, true),
    request("POST", Body::sized, true),
    request("POST", Body::chunked, true),
    "\r\n" + request("HEAD", Body::none, true),
    "z",
    std::string("\x16\x03\x01\x02\x00\x01", 6),
    kUpgrade + std::string("\x81\x85\x01\x02\x03\x04\x69\x67", 8),
    "GET /health HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    "Connection: Upgrade, HTTP2-Settings, close\r\nHost: x\r\n\r\n"};

bool is_well_formed(Body body) { return body != Body::shorter && body != Body::longer; }

}  // namespace

TEST_CASE("R38: 75 bytes that hold two requests leave every port answering") {
  const FourPorts stack;
  const std::string bytes =
      "GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nz";
  REQUIRE(bytes.size() == 75);
  for (const auto& port : stack.ports()) {
    INFO(port.name);
    RawClient client(port.number);
    client.send(bytes);
    client.end_sending();
    CHECK(count_answers(client.read()) == 2);
    CHECK(client.ended());
    CHECK(stack.all_answer());
  }
}

TEST_CASE(
    "R38: every method, body and second request is answered in order or ends the connection") {
  const FourPorts stack;
  for (const auto& port : stack.ports()) {
    for (const std::string& method : kMethods) {
      for (const Body body : kBodies) {
        for (const std::string& second : kSeconds) {
          RawClient client(port.number);
          client.send(request(method, body, false) + second);
          client.end_sending();
          const std::string answer = client.read();
          INFO(port.name << ' ' << method << ' ' << static_cast<int>(body) << " then " << second
                         << " got " << answer);
          CHECK(client.ended());
          if (is_well_formed(body)) CHECK(count_answers(answer) >= 1);
          const bool has_body = body != Body::none && body != Body::empty;
          const bool both = second.ends_with("\r\n\r\n") && second.find("Upgrade") == second.npos;
          if (is_well_formed(body) && both && (port.takes_bodies || !has_body))
            CHECK(count_answers(answer) == 2);
        }
      }
      INFO(port.name << ' ' << method);
      REQUIRE(stack.all_answer());
    }
  }
}

TEST_CASE("R38: requests are answered alike wherever their bytes are split") {
  const FourPorts stack;
  const std::vector<std::string> pairs = {
      request("GET", Body::none, false) + request("POST", Body::sized, true),
      request("POST", Body::chunked, false) + request("GET", Body::none, true),
      request("OPTIONS", Body::empty, false) + request("PUT", Body::expected, true)};
  constexpr size_t kAtOnce = 24;
  for (const auto& port : stack.ports()) {
    for (const std::string& bytes : pairs) {
      RawClient whole(port.number);
      whole.send(bytes);
      const size_t wanted = count_answers(whole.read());
      CHECK(wanted >= 1);
      for (size_t first = 1; first < bytes.size(); first += kAtOnce) {
        const size_t end = std::min(bytes.size(), first + kAtOnce);
        std::vector<RawClient> clients;
        for (size_t at = first; at < end; ++at) {
          clients.emplace_back(port.number);
          clients.back().send(std::string_view(bytes).substr(0, at));
        }
        REQUIRE(stack.all_answer());  // the loop has come round: the first parts are read
        for (size_t at = first; at < end; ++at) {
          RawClient& client = clients[at - first];
          client.send(std::string_view(bytes).substr(at));
          const std::string answer = client.read();
          INFO(port.name << " split at " << at << " of " << bytes << " got " << answer);
          CHECK(client.ended());
          // "100 Continue" is left out when the body is there already.
          const size_t continued = answer.find("100 Continue") == answer.npos ? 0 : 1;
          CHECK(count_answers(answer) - continued == wanted);
        }
      }
    }
  }
  CHECK(stack.all_answer());
}

TEST_CASE("R38: a WebSocket opens on the relay's port only, wherever its request is split") {
  const FourPorts stack;
  // A ping, masked, behind the request.
  const std::string bytes = kUpgrade + std::string("\x89\x81\x01\x02\x03\x04\x70", 7);
  for (const auto& port : stack.ports()) {
    std::vector<RawClient> clients;
    for (size_t at = 1; at < bytes.size(); at += 9) {
      clients.emplace_back(port.number);
      clients.back().send(std::string_view(bytes).substr(0, at));
    }
    REQUIRE(stack.all_answer());
    size_t at = 1;
    for (RawClient& client : clients) {
      client.send(std::string_view(bytes).substr(at));
      at += 9;
      INFO(port.name << " split before " << at);
      if (port.takes_websockets) {
        const std::string pong("\x8a\x01\x71", 3);
        const std::string answer = client.read(pong);
        CHECK(answer.rfind("HTTP/1.1 101 ", 0) == 0);
        CHECK(answer.find(pong) != std::string::npos);
      } else {
        client.end_sending();
        const std::string answer = client.read();
        CHECK(count_answers(answer) >= 1);
        CHECK(answer.find("HTTP/1.1 101 ") == std::string::npos);
      }
    }
  }
  CHECK(stack.all_answer());
}

TEST_CASE("R38: requests that two readers could understand differently are refused") {
  const FourPorts stack;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\na", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
      {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505"},
      {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n", "431"},
      {"POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na", "417"}};
  for (const auto& port : stack.ports()) {
    for (const auto& [bytes, status] : cases) {
      RawClient client(port.number);
      client.send(bytes);
      const std::string answer = client.read();
      INFO(port.name << ' ' << bytes.substr(0, 200) << " got " << answer);
      CHECK(answer.rfind("HTTP/1.1 " + status, 0) == 0);
      CHECK(client.ended());
    }
  }
  CHECK(stack.all_answer());
}
