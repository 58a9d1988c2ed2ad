// What publish takes along of a directory, and what it refuses.
#include <algorithm>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

TEST_CASE("publish leaves hidden files out and says so, and takes them with --hidden") {
  const Stack stack;
  stack.init("ann");
  const fs::path site = stack.folder() / "site";
  write(site / "index.html", "hello");
  write(site / ".env", "secret");
  write(site / ".git/config", "secret");
  const Ran told = stack.run("ann", {"publish", "self", site.string()});
  INFO(told.err);
  REQUIRE(told.exit == 0);
  CHECK(told.out.find("2 hidden files or directories (--hidden") != std::string::npos);
  const json without =
      json::parse(stack.run("ann", {"publish", "self", site.string(), "--json"}).out);
  CHECK(without.at("hidden_left_out") == 2);
  const json all =
      json::parse(stack.run("ann", {"publish", "self", site.string(), "--hidden", "--json"}).out);
  CHECK(all.at("hidden_left_out") == 0);
  CHECK(all.at("cid") != without.at("cid"));
  const Ran packed = stack.run("ann", {"pack", site.string(), "-o", "out.car"});
  CHECK(packed.out == all.at("cid").get<std::string>() + "\n");
}

TEST_CASE("publish refuses a path that holds our keys, state or configuration, whatever its name") {
  const Stack stack;
  stack.init("ann");
  const fs::path home = stack.folder() / "ann";
  write(home / "site/index.html", "hello");
  fs::create_directory_symlink(home / "data/ipnscast/keys", home / "pictures");
  fs::create_hard_link(home / "data/ipnscast/keys/self.nostr", home / "site/note.txt");
  const auto refused = [&](const fs::path& path) {
    for (const bool hidden : {false, true}) {
      std::vector<std::string> arguments = {"publish", "self", path.string()};
      if (hidden) arguments.push_back("--hidden");
      const Ran ran = stack.run("ann", arguments);
      INFO(ran.out << ran.err);
      CHECK(ran.exit == 1);
      CHECK(ran.err.find("\"" + path.string()) != std::string::npos);
      CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    }
  };
  refused(home);
  refused("..");
  refused(home / "state");
  refused(home / "state/ipnscast");
  refused(home / "data/ipnscast/keys/self.nostr");
  refused(home / "pictures");
  refused(home / "config");
  refused(home / "config/ipnscast/config.toml");
  refused(home / "cache/ipnscast");
  refused(home / "site");
  fs::remove(home / "site/note.txt");
  CHECK(stack.run("ann", {"publish", "self", "site"}).exit == 0);
}
