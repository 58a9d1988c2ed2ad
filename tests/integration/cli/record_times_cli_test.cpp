// How long records are valid and cached, as the command line lets people say it.
#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

TEST_CASE("publish takes a lifetime and a TTL, and refuses those that do not go together") {
  const Stack stack;
  const std::string name = stack.init("ann").at("name");
  write(stack.folder() / "ann/site/index.html", "one");
  const auto publish = [&](std::vector<std::string> times) {
    std::vector<std::string> arguments = {"publish", "self", "site", "--force"};
    arguments.insert(arguments.end(), times.begin(), times.end());
    return stack.run("ann", std::move(arguments));
  };
  for (const std::vector<std::string>& times : {std::vector<std::string>{"--lifetime", "0"},
                                                {"--lifetime", "0s"},
                                                {"--lifetime", "30s"},
                                                {"--ttl", "49h"},
                                                {"--lifetime", "1h", "--ttl", "2h"},
                                                {"--lifetime", "soon"},
                                                {"--ttl", "-5s"}}) {
    const Ran refused = publish(times);
    INFO(times.front() << " " << times.back() << ": " << refused.err);
    CHECK(refused.exit == 2);
    CHECK(refused.err.find(times.size() == 4 ? "--ttl: " : times.front() + ": ") !=
          std::string::npos);
    CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
  }
  CHECK(stack.run("ann", {"resolve", name}).exit == 1);  // nothing was signed
  const Ran done = publish({"--lifetime", "2h", "--ttl", "90s"});
  INFO(done.err);
  REQUIRE(done.exit == 0);
  const json found = json::parse(stack.run("ann", {"resolve", name, "--json"}).out);
  CHECK(found.at("ttl_ns") == "90000000000");
}

TEST_CASE("a record of no lifetime, or cached for longer than it is valid, is not made") {
  const Stack stack;
  const fs::path secret = stack.folder() / "ann" / "secret";
  write(secret, std::string(64, '1') + "\n");
  fs::permissions(secret, fs::perms::owner_read | fs::perms::owner_write);
  const auto create = [&](std::vector<std::string> times) {
    std::vector<std::string> arguments = {"record",     "create",  "--secret-file",
                                          "secret",     "--value", "/ipfs/bafkqaaa",
                                          "--sequence", "1",       "-o",
                                          "out"};
    arguments.insert(arguments.end(), times.begin(), times.end());
    fs::remove(stack.folder() / "ann" / "out");
    return stack.run("ann", std::move(arguments));
  };
  for (const std::vector<std::string>& times :
       {std::vector<std::string>{"--lifetime", "0"}, {"--lifetime", "1m", "--ttl", "2m"}}) {
    const Ran refused = create(times);
    INFO(refused.err);
    CHECK(refused.exit != 0);
    CHECK_FALSE(fs::exists(stack.folder() / "ann" / "out"));
  }
  // The usual TTL gives way to a short lifetime.
  const Ran made = create({"--lifetime", "1m", "--json"});
  INFO(made.err);
  REQUIRE(made.exit == 0);
  CHECK(json::parse(made.out).at("ttl_ns") == "60000000000");
  CHECK(create({"--eol", "2020-01-02T03:04:05Z", "--ttl", "1h"}).exit == 0);
}
