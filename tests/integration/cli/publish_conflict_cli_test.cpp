// Two devices with one key publish at once, as a user sees it (S0-12).
#include <atomic>

#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/integration/sync/publish_fixture.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

// A node that does not hear of the other device's publish before it is given ours.
struct LateNode {
  std::atomic<bool> late = false;
  std::atomic<bool> put = false;
  std::string old;  // what it still answers until then
  ScriptedNode node{[this](const ScriptedRequest& request) -> std::optional<ScriptedAnswer> {
    if (!late) return std::nullopt;
    if (asks(request, "name/put") && !put.exchange(true))
      return KeepingNode::error("can't replace a newer value with an older value");
    if (!asks_record(request) || put) return std::nullopt;
    if (asks(request, "name/get")) return ScriptedAnswer{.body = old};
    return no_record();
  }};

  std::string kept() {
    const std::lock_guard lock(node.keeping.mutex);
    return node.keeping.kept;
  }
};

}  // namespace

TEST_CASE("a compare-and-set that another device came before ends with exit 1, and one after too") {
  const Stack stack;
  stack.init("ann");
  LateNode place;
  const auto publish = [&](const std::string& person, const std::string& text,
                           std::vector<std::string> more = {}) {
    write(stack.folder() / person / "page.txt", text);
    std::vector<std::string> words{"publish", "self", "page.txt", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    Command command = stack.command(person, std::move(words));
    command.environment["IPNSCAST_GATEWAYS_NODES"] = place.node.server.url();
    command.environment["IPNSCAST_RELAYS_URLS"] = "";  // hints would tell of it
    return test::run(command, kSoon);
  };
  const auto sequence = [](const Ran& ran) {
    INFO(ran.out << ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out).at("sequence").get<std::string>();
  };
  REQUIRE(sequence(publish("ann", "one")) == "1");
  place.old = place.kept();
  fs::copy(stack.folder() / "ann", stack.folder() / "bob", fs::copy_options::recursive);
  REQUIRE(sequence(publish("bob", "two")) == "2");
  REQUIRE(sequence(publish("bob", "three")) == "3");

  SECTION("it is known before anything is signed") {
    const Ran refused = publish("ann", "mine", {"--expect-sequence", "1"});
    INFO(refused.out << refused.err);
    CHECK(refused.exit == 1);
    const json error = json::parse(refused.err.substr(refused.err.rfind("{\"error\""))).at("error");
    CHECK(error.at("code") == "conflict");
    CHECK(error.at("message") == "the name is at sequence 3, not 1");
    CHECK(refused.out.empty());
    CHECK_FALSE(place.put);
  }
  SECTION("it turns out when the node is given ours") {
    place.late = true;
    const Ran beaten = publish("ann", "mine", {"--expect-sequence", "1"});
    INFO(beaten.out << beaten.err);
    CHECK(beaten.exit == 1);
    // The last line; one before it tells of the copied state, as bob's is one of ann's.
    const json error = json::parse(beaten.err.substr(beaten.err.rfind("{\"error\""))).at("error");
    CHECK(error.at("code") == "conflict");
    CHECK(error.at("message") == "the name is at sequence 3, not 1");
    CHECK(place.put);
  }
  CHECK(sequence(publish("ann", "mine", {"--expect-sequence", "3"})) == "4");
}
