// In a network of its own, made by own_network.sh: what `share` prints is all that a reader needs.
// Hidden, so that it only runs there.
#include <csignal>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

TEST_CASE("a reader without a relay follows a name by the naddr that share printed (S0-51)",
          "[.own-network]") {
  const auto loop = std::move(*nostr::net::Loop::start());
  nostr::server::RelayServerOptions options;
  options.address = "8.8.4.4";  // as public as others are
  options.port = 0;
  const auto relay = std::move(*nostr::server::RelayServer::start(*loop, options));
  const std::string url = "ws://8.8.4.4:" + std::to_string(relay->port());

  const Stack stack;
  stack.init("author");
  const fs::path page = stack.folder() / "author" / "page.txt";
  const auto author = [&](std::vector<std::string> arguments) {
    Command command = stack.command("author", std::move(arguments));
    command.environment["IPNSCAST_RELAYS_URLS"] = url;
    const Ran ran = run(command, kSoon);
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    return ran;
  };
  write(page, "one");
  author({"publish", "self", "page.txt"});
  const Ran shared = author({"share", "self"});
  CHECK(shared.err.find("is in your own network") == std::string::npos);

  Command follow =
      stack.command("reader", {"watch", shared.out.substr(0, shared.out.find('\n')), "--json"});
  follow.environment["IPNSCAST_GATEWAYS_NODES"] = stack.gateway_url();
  Process watch(follow);
  INFO(watch.output());
  REQUIRE(watch.wait_for_line("\"change\"", kSoon));
  write(page, "two");
  author({"publish", "self", "page.txt"});
  const auto second = watch.wait_for_line("\"sequence\":\"2\"", kSoon);
  REQUIRE(second);
  CHECK(json::parse(*second)["source"] == "nostr");
  watch.signal(SIGINT);
  const auto ended = watch.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}
