#include "ipnscast/bridge/node/node_pool.h"

#include <optional>

#include "ipnscast/bridge/node/gateway_headers.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::bridge;

namespace {

class KeptReply final : public nostr::net::HttpReply {
 public:
  void send(HttpResponse response) override { sent = std::move(response); }
  void begin(int, std::map<std::string, std::string>) override {}
  bool write(Bytes) override { return false; }
  bool full() const override { return false; }
  void when_room(std::function<void()>) override {}
  void finish() override {}
  void abort() override {}
  bool client_gone() const override { return false; }

  std::optional<HttpResponse> sent;
};

}  // namespace

TEST_CASE("a page can read that the node is busy, and when to come back (F5)") {
  Headers headers;
  add_common_headers(headers);
  NodePool pool(0);  // nobody works, so that requests wait
  std::optional<HttpResponse> refused;
  for (int i = 0; i < 10'000 && !refused; ++i) {
    const auto reply = std::make_shared<KeptReply>();
    pool.submit(
        {}, reply, [](const HttpRequest&) { return NodeAnswer(HttpResponse{}); }, headers);
    refused = reply->sent;
  }
  REQUIRE(refused);
  CHECK(refused->status == 503);
  CHECK(refused->headers.at("retry-after") == "1");
  CHECK(refused->headers.at("access-control-allow-origin") == "*");
  CHECK(refused->headers.at("access-control-expose-headers").find("Retry-After") !=
        std::string::npos);
}
