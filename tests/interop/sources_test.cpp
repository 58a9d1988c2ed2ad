// Ways that news comes, each cut and mended: real processes, a real relay, Kubo, and push servers.
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/cut_line.h"
#include "ipnscast/tests/support/gateways/raw_http.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/push/push_server.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

constexpr std::chrono::seconds kPatience{60};

std::string at(const std::string& scheme, const CutLine& line) {
  return Json(scheme + "://127.0.0.1:" + std::to_string(line.port())).dump();
}

// A device that publishes, straight to the relay and to Kubo, and one that reads over lines that
// can be cut. The reader polls once an hour, so that what comes soon came by a source, or by the
// poll that follows the loss of the last one.
struct Stage {
  Stage(const fs::path& kubo_folder, const fs::path& relay_folder)
      : kubo(kubo_folder), relay("khatru", relay_folder) {
    kubo.start(true);
    to_relay = std::make_unique<CutLine>(port_of(relay.url()));
    write("writer", "[relays]\nurls = [" + Json(relay.url()).dump() + "]\n" + gateways());
    REQUIRE(run(as("writer", {"key", "generate", "self"})).exit == 0);
    const Json shown = Json::parse(run(as("writer", {"key", "show", "self", "--json"})).out);
    name = shown.at("ed25519").at("k51").get<std::string>();
    npub = shown.at("npub").get<std::string>();
    write("reader", "[relays]\nurls = [" + at("ws", *to_relay) + "]\n[trust]\nauthors = [" +
                        Json(npub).dump() + "]\n[sources]\nwebsocket = [" + at("ws", to_websocket) +
                        "]\nsse = [" + at("http", to_sse) +
                        "]\npubsub = false\npoll_min = \"1h\"\npoll_max = \"1h\"\n" +
                        "poll_healthy = \"1h\"\n" + gateways());
  }
  std::string gateways() const {
    return "[gateways]\nnodes = [" + Json(kubo.rpc()).dump() + ", " + Json(kubo.gateway()).dump() +
           "]\n";
  }
  void write(const std::string& device, const std::string& config) const {
    fs::create_directories(dir.path() / device);
    std::ofstream(dir.path() / device / "config.toml") << config;
  }
  Command as(const std::string& device, std::vector<std::string> arguments) const {
    const fs::path home = dir.path() / device;
    arguments.insert(arguments.end(), {"--config", (home / "config.toml").string(), "--state",
                                       (home / "state").string()});
    return our_program(std::move(arguments));
  }
  // The CID of the next version.
  std::string publish() {
    const fs::path file = dir.path() / "file.txt";
    std::ofstream(file) << "version " << ++versions;
    const Ran ran = run(as("writer", {"publish", "self", file.string(), "--json"}), kPatience);
    INFO(ran.out << ran.err);
    REQUIRE(ran.exit == 0);
    return Json::parse(ran.out).at("cid").get<std::string>();
  }

  TempDir dir;
  std::unique_ptr<nostr::net::Loop> loop = *nostr::net::Loop::start();
  KuboNode kubo;
  ForeignRelay relay;
  PushServer websocket{*loop};
  PushServer sse{*loop};
  std::unique_ptr<CutLine> to_relay;
  CutLine to_websocket{websocket.port()};
  CutLine to_sse{sse.port()};
  std::string name;
  std::string npub;
  int versions = 0;
};

}  // namespace

TEST_CASE(
    "S0-70 S0-71: the relay's line is cut, WebSocket takes over; that too, server-sent events do; "
    "all are, a poll finds what was missed; each is back without a person (R29, S0-58)") {
  const auto kubo = peer("kubo");
  const auto khatru = peer("khatru");
  if (!kubo) SKIP_TEST(kubo.error());
  if (!khatru) SKIP_TEST(khatru.error());
  Stage stage(*kubo, *khatru);
  const std::string first = stage.publish();
  Process reader(stage.as("reader", {"watch", stage.name, "--json"}));
  INFO(reader.output());
  REQUIRE(reader.wait_for_line(first, kPatience));
  const auto until = [&](const auto& done) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!done() && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    REQUIRE(done());
  };
  until([&] { return stage.websocket.subscriptions() == 1 && stage.sse.streams() == 1; });
  const auto comes_over = [&](const std::string& cid, const std::string& source) {
    const auto line = reader.wait_for_line(cid, kPatience);
    INFO(reader.output());
    REQUIRE(line);
    CHECK(Json::parse(*line).at("source") == source);
  };

  comes_over(stage.publish(), "nostr");

  stage.to_relay->cut();
  const std::string second = stage.publish();
  stage.websocket.push({stage.name, second, {}, {}});
  comes_over(second, "websocket");

  stage.to_websocket.cut();
  const std::string third = stage.publish();
  stage.sse.push({stage.name, third, {}, {}});
  comes_over(third, "sse");

  const std::string fourth = stage.publish();  // nobody says it
  stage.to_sse.cut();
  comes_over(fourth, "poll");

  // The relay says what it has; the others take what comes next.
  const std::string fifth = stage.publish();
  stage.to_relay->mend();
  comes_over(fifth, "nostr");
  stage.to_websocket.mend();
  stage.to_sse.mend();
  until([&] { return stage.websocket.subscriptions() == 1; });
  stage.to_relay->cut();
  const std::string sixth = stage.publish();
  stage.websocket.push({stage.name, sixth, {}, {}});
  comes_over(sixth, "websocket");

  reader.signal(SIGINT);
  const auto ended = reader.wait(kPatience);
  REQUIRE(ended);
  // Each once, and in order.
  size_t before = 0;
  for (const std::string& cid : {first, second, third, fourth, fifth, sixth}) {
    const size_t place = ended->out.find(cid);
    REQUIRE(place != std::string::npos);
    CHECK(place >= before);
    before = place;
  }
}
