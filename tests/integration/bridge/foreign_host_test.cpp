// What a page of a stranger in a browser on this machine reaches: nothing (C6).
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/four_ports.h"
#include "ipnscast/tests/support/gateways/raw_client.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

std::string answer(const FourPorts::Port& port, const std::string& request) {
  RawClient client(port.number);
  client.send(request);
  return client.read("\r\n\r\n");
}

std::string get(const std::string& host, const std::string& more = {}) {
  return "GET / HTTP/1.1\r\nHost: " + host + "\r\n" + more + "Connection: close\r\n\r\n";
}

bool is(const std::string& answered, int status) {
  return answered.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

const std::string kUpgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

}  // namespace

TEST_CASE("a stranger's name that was bent to this machine is refused on every port (C6)") {
  const FourPorts four;
  for (const auto& port : four.ports()) {
    const std::string number = ":" + std::to_string(port.number);
    for (const std::string host :
         {"evil.example", "EVIL.EXAMPLE.", "127.0.0.1.evil.example", "localhost.evil.example",
          "rebind.127.0.0.1.nip.io", "evil.localhost.example", "1.2.3"}) {
      for (const std::string& shown : {host, host + number}) {
        INFO(port.name << " " << shown);
        CHECK(is(answer(port, get(shown)), 403));
      }
    }
    for (const std::string host : {"127.0.0.1", "localhost", "LOCALHOST", "[::1]", "x", "relay",
                                   "box.local", "a.localhost", "abc.onion", "127.0.0.1."}) {
      for (const std::string& shown : {host, host + number}) {
        INFO(port.name << " " << shown);
        CHECK_FALSE(is(answer(port, get(shown)), 403));
      }
    }
  }
}

TEST_CASE("a WebSocket for a stranger's name is refused too, and one for ours opens (C6)") {
  const FourPorts four;
  const FourPorts::Port& relay = four.ports().front();
  REQUIRE(relay.takes_websockets);
  const auto upgrade = [&](const std::string& host) {
    return answer(relay, "GET / HTTP/1.1\r\nHost: " + host + "\r\n" + kUpgrade + "\r\n");
  };
  CHECK(is(upgrade("evil.example"), 403));
  CHECK(is(upgrade("127.0.0.1:" + std::to_string(relay.number)), 101));
}

TEST_CASE("ports without WebSockets answer no upgrade, neither to one nor to h2c (C6)") {
  const FourPorts four;
  for (const auto& port : four.ports()) {
    INFO(port.name);
    const std::string h2c =
        answer(port, get("localhost",
                         "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                         "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"));
    CHECK_FALSE(is(h2c, 101));
    if (port.takes_websockets) continue;
    CHECK_FALSE(is(answer(port, "GET / HTTP/1.1\r\nHost: localhost\r\n" + kUpgrade + "\r\n"), 101));
  }
}

TEST_CASE("the node's RPC takes nothing that a browser sends, with or without an Origin (C6)") {
  const FourPorts four;
  const auto post = [&](const std::string& headers) {
    return answer(four.rpc(), "POST /api/v0/version HTTP/1.1\r\nHost: localhost\r\n" + headers +
                                  "Content-Length: 0\r\nConnection: close\r\n\r\n");
  };
  for (const std::string header :
       {"Origin: http://evil.example", "Origin: null", "Referer: http://evil.example/page",
        "Referer: http://127.0.0.1/", "Sec-Fetch-Site: cross-site",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}) {
    INFO(header);
    CHECK(is(post(header + "\r\n"), 403));
  }
  CHECK(is(post(""), 200));
  CHECK(is(post("User-Agent: curl/7.88.1\r\n"), 200));
  CHECK(is(post("User-Agent: kubo/0.30.0\r\n"), 200));
}
