#include "ipnscast/sync/client.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::ScriptedAnswer;
using ipnscast::test::ScriptedHttpServer;
using ipnscast::test::ScriptedRequest;

namespace {

IpnsKey key() { return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 7))); }

// A gateway whose record is signed by that key, for whatever name it is asked.
ScriptedHttpServer::Script record_of(uint8_t seed) {
  return [seed](const ScriptedRequest& request) -> ScriptedAnswer {
    if (request.target.find("?format=ipns-record") == std::string::npos)
      return {.status = 404, .headers = {{"Content-Type", "text/html"}}};
    const auto made = create_record(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, seed)),
                                    {.value = "/ipfs/bafkqaaa",
                                     .sequence = {4},
                                     .eol = Eol::after(system_now().wall, std::chrono::hours(1))});
    return {.headers = {{"Content-Type", "application/vnd.ipfs.ipns-record"}},
            .body = std::string(as_text(made->bytes()))};
  };
}

}  // namespace

TEST_CASE("who answered and who lied is known to the next run from the state file (R20)") {
  const test::TempDir dir;
  ScriptedHttpServer honest(record_of(7));
  ScriptedHttpServer forger(record_of(8));
  Config config;
  config.state_dir = dir.path();
  {
    config.gateways = {{honest.url()}, {forger.url()}};
    auto client = Client::open(config);
    REQUIRE(client);
    const auto found = (*client)->resolve(key().name(), Seconds(5));
    REQUIRE(found);
    REQUIRE(found->best);
  }
  config.gateways.clear();
  auto client = Client::open(config);
  REQUIRE(client);
  std::map<std::string, GatewayStatus> known;
  for (auto& one : (*client)->gateways()) known[one.url] = one;
  REQUIRE(known.size() == 2);
  CHECK(known[honest.url()].answers > 0.9);
  CHECK(known[honest.url()].lies == 0);
  CHECK(known[honest.url()].median);
  CHECK(known[honest.url()].score > 90);
  CHECK(known[forger.url()].lies > 0.9);
  CHECK(known[forger.url()].score < 30);
}
