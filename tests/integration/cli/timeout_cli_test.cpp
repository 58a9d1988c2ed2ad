// --timeout, and servers that take a connection and say nothing.
#include <fstream>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/silent_server.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
namespace fs = std::filesystem;

namespace {

using std::chrono::seconds;

// Each would wait for a minute or more where --timeout does not hold.
constexpr seconds kSoon(40);

struct World {
  test::TempDir temp;
  test::SilentServer server;

  test::Ran run(std::vector<std::string> arguments) const {
    const std::string home = (temp.path() / "home").string();
    arguments.insert(arguments.begin(), test::program());
    return test::run({.argv = std::move(arguments),
                      .environment = {{"XDG_CONFIG_HOME", home + "/config"},
                                      {"XDG_STATE_HOME", home + "/state"},
                                      {"XDG_DATA_HOME", home + "/data"},
                                      {"XDG_CACHE_HOME", home + "/cache"},
                                      {"IPNSCAST_RESOLVE_ANSWER_BY", "60s"},
                                      {"IPNSCAST_RELAYS_URLS", server.url("ws")},
                                      {"IPNSCAST_GATEWAYS_NODES", server.url("http")}},
                      .folder = temp.path()},
                     kSoon);
  }
};

}  // namespace

TEST_CASE("watch ends at --timeout while a renewal of our own record waits for nodes (S0-12)") {
  const World world;
  REQUIRE(world.run({"init"}).exit == 0);
  std::ofstream(world.temp.path() / "content") << "x";
  CHECK(world.run({"--timeout", "500ms", "publish", "self", "--queue", "content"}).exit != 0);
  const auto watched = world.run({"--timeout", "500ms", "watch", "self"});
  INFO(watched.err);
  CHECK(watched.exit == 124);
  CHECK(watched.err.find("could not be renewed") == std::string::npos);
}

TEST_CASE("gateway probe ends at --timeout, however many of its questions are not answered") {
  const World world;
  std::vector<std::string> arguments{"--timeout", "500ms", "gateway", "probe"};
  for (int i = 0; i < 20; ++i) arguments.push_back(world.server.url("http"));
  const auto probed = world.run(arguments);
  INFO(probed.err);
  CHECK(probed.exit == 124);
  CHECK(probed.err.find("not all was asked within --timeout") != std::string::npos);
}
