// `watch --pin` at a real Kubo: pins that it lists itself, and that are taken off again.
#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::test;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds kSoon(120);

}  // namespace

TEST_CASE("the last versions of somebody else's name are pinned at an own Kubo (S0-54, R31)") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode theirs(*folder);
  KuboNode own(*folder);
  theirs.start(true);
  own.start(true);
  const TempDir work;
  const auto publish = [&](const std::string& text) {
    fs::create_directories(work.path() / "site");
    std::ofstream(work.path() / "site/index.html") << text;
    Command command = our_program({"publish", "self", (work.path() / "site").string(), "--json",
                                   "--state", (work.path() / "ann").string()});
    command.environment["IPNSCAST_GATEWAYS_NODES"] = theirs.rpc() + "," + theirs.gateway();
    const Ran ran = run(command);
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out);
  };
  Command make =
      our_program({"key", "generate", "self", "--state", (work.path() / "ann").string()});
  REQUIRE(run(make).exit == 0);
  std::vector<std::string> roots;
  const json first = publish("one");
  roots.push_back(first.at("cid"));
  Command watching = our_program({"watch", first.at("name"), "--pin", "--versions", "2", "--state",
                                  (work.path() / "bob").string()});
  watching.environment["IPNSCAST_GATEWAYS_NODES"] = own.rpc();
  watching.environment["IPNSCAST_GATEWAYS_PUBLIC"] = theirs.gateway() + "," + theirs.rpc();
  watching.environment["IPNSCAST_SOURCES_POLL_MIN"] = "500ms";
  watching.environment["IPNSCAST_SOURCES_POLL_MAX"] = "1s";
  watching.environment["IPNSCAST_RESOLVE_CACHE"] = "0s";
  Process watch(watching);
  REQUIRE(watch.wait_for_line("sequence 1", kSoon));
  for (const std::string text : {"two", "three"}) {
    roots.push_back(publish(text).at("cid"));
    const auto line = watch.wait_for_line("sequence " + std::to_string(roots.size()), kSoon);
    INFO(watch.output());
    REQUIRE(line);
  }
  const std::string pins = own.ask({"pin", "ls", "--type=recursive", "-q"});
  INFO(pins);
  CHECK(pins.find(roots[2]) != std::string::npos);
  CHECK(pins.find(roots[1]) != std::string::npos);
  CHECK(pins.find(roots[0]) == std::string::npos);
  CHECK(own.ask({"cat", "--offline", roots[2] + "/index.html"}) == "three");
}
