// R40: clients of the HTTP server do not pay for what other clients do, and none takes half an
// answer for a whole one.
#include <atomic>
#include <thread>

#include "ipnscast/nostr/net/http/http_get.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/websocket_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_client.h"

using namespace ipnscast;
using namespace ipnscast::nostr::net;
using namespace ipnscast::test;
using namespace std::chrono_literals;

namespace {

constexpr char kOther[] = "127.0.0.2";

const std::string kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kUpgrade =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// Says who asked.
void answer_with_peer(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
  reply->send({200, {}, to_bytes(std::string_view("peer=" + request.peer + ";"))});
}

bool is_answered(RawClient& client) {
  return client.read("peer=").find("HTTP/1.1 200") != std::string::npos;
}

}  // namespace

TEST_CASE("R38: tasks that never cease to be posted keep no socket waiting") {
  auto loop = *Loop::start();
  auto server = *nostr::net::listen(*loop, {}, {.http = answer_with_peer});
  std::atomic<bool> over = false;
  std::function<void()> again = [&] {
    if (!over) loop->post(again);
  };
  loop->post(again);
  RawClient client(server->port());
  client.send(kGet);
  CHECK(is_answered(client));
  over = true;
  loop->run([] {});
}
