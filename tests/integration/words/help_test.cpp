// The pages of help, and targets as people paste them (CLI.md).
#include <sstream>

#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/support/places.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

using Path = std::vector<std::string>;

Ran help(const Path& command) {
  static const TempDir home;
  Command out{.argv = {test::program(), "help"}, .environment = {{"HOME", home.path().string()}}};
  out.argv.insert(out.argv.end(), command.begin(), command.end());
  return run(out, kSoon);
}

// The commands that a page lists.
std::vector<std::string> listed(const std::string& page) {
  std::vector<std::string> out;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "Commands:") {
      inside = true;
      continue;
    }
    if (inside && !line.starts_with("  ")) break;
    if (line.starts_with("   ") || !inside) continue;
    out.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return out;
}

void collect(const Path& path, std::vector<Path>& out) {
  for (const std::string& name : listed(help(path).out)) {
    Path inner = path;
    inner.push_back(name);
    out.push_back(inner);
    collect(inner, out);
  }
}

}  // namespace

TEST_CASE("every command has a page with the options that stand everywhere and two examples (G8)") {
  std::vector<Path> commands;
  collect({}, commands);
  CHECK(commands.size() >= 40);
  for (const Path& path : commands) {
    std::string name = "ipnscast";
    for (const std::string& word : path) name += " " + word;
    INFO(name);
    const Ran page = help(path);
    CHECK(page.exit == 0);
    CHECK(page.out.find("Usage: " + name) != std::string::npos);
    for (const std::string option : {"--json", "--config", "--state", "--timeout", "--verbose"})
      CHECK(page.out.find(option) != std::string::npos);
    std::istringstream lines(
        page.out.substr(std::min(page.out.find("\nExamples:\n"), page.out.size())));
    int examples = 0;
    const auto inner = listed(page.out);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("  ipnscast ")) continue;
      ++examples;
      if (!inner.empty()) continue;  // the examples of commands below it
      // What an example uses, the page explains.
      std::istringstream words(line.substr(0, line.find(" | ")));
      for (std::string word; words >> word;) {
        if (word.starts_with("--"))
          CHECK(page.out.find(word + " ") < page.out.find("\nExamples:\n"));
      }
    }
    CHECK(examples >= 2);
    // The page that the command itself prints.
    Command direct{.argv = {test::program()}, .environment = {{"HOME", "/"}}};
    direct.argv.insert(direct.argv.end(), path.begin(), path.end());
    direct.argv.push_back("--help");
    const Ran same = run(direct, kSoon);
    CHECK(same.exit == 0);
    CHECK(same.out == page.out);
  }
  const Ran version = run({.argv = {test::program(), "-V"}}, kSoon);
  CHECK(version.exit == 0);
  CHECK(version.out.starts_with("ipnscast "));
}

TEST_CASE("targets are taken as people paste them") {
  const Stack stack;
  const json facts = stack.init("ann");
  const std::string name = facts.at("name");
  const std::string npub = facts.at("npub");
  write(stack.folder() / "ann/site/docs/a b.txt", "one");
  REQUIRE(stack.run("ann", {"publish", "self", "site"}).exit == 0);
  for (const std::string& target :
       {name, " " + name + " ", "\t" + name + "\n", "/ipns/" + name, "/ipns/" + name + "/",
        "ipns://" + name, "IPNS://" + name + "/", "https://gateway.example/ipns/" + name,
        "http://127.0.0.1:8080/ipns/" + name + "/?format=raw#top",
        "https://" + name + ".ipns.gateway.example", "https://" + name + ".ipns.localhost:8080/",
        name + ".ipns.gateway.example", npub, "nostr:" + npub, "NOSTR:" + npub,
        " nostr:" + npub + " "}) {
    const Ran resolved = stack.run("ann", {"resolve", target, "--json"});
    INFO(target << ": " << resolved.err);
    CHECK(resolved.exit == 0);
    if (resolved.exit == 0) CHECK(json::parse(resolved.out).at("name") == name);
  }
  const std::string cid =
      json::parse(stack.run("ann", {"history", name, "--json"}).out).at("versions").at(0);
  for (const std::string& source :
       {name + "/docs/a b.txt", " /ipns/" + name + "/docs/a b.txt ",
        "ipns://" + name + "/docs/a b.txt",
        "https://gateway.example/ipns/" + name + "/docs/a%20b.txt",
        "https://" + name + ".ipns.gateway.example/docs/a%20b.txt?download=true",
        cid + "/docs/a b.txt", "/ipfs/" + cid + "/docs/a b.txt", "ipfs://" + cid + "/docs/a b.txt",
        "https://gateway.example/ipfs/" + cid + "/docs/a%20b.txt",
        "https://" + cid + ".ipfs.gateway.example/docs/a%20b.txt"}) {
    const Ran got = stack.run("ann", {"get", source, "-o", "-"});
    INFO(source << ": " << got.err);
    CHECK(got.exit == 0);
    CHECK(got.out == "one");
  }
  for (const std::string& text : {" " + name, "ipns://" + name, "nostr:" + npub}) {
    INFO(text);
    CHECK(stack.run("ann", {"name", text}).exit == 0);
  }
  CHECK(stack.run("ann", {"cid", " ipfs://" + cid + "/ "}).exit == 0);
  CHECK(stack.run("ann", {"publish", "ipns://" + name, "site"}).exit == 0);
}

TEST_CASE("bytes that a file does not have are told, not given as an empty file (G7)") {
  const Stack stack;
  const std::string name = stack.init("ann").at("name");
  write(stack.folder() / "ann/file", "0123456789");
  REQUIRE(stack.run("ann", {"publish", "self", "file"}).exit == 0);
  for (const std::string range : {"10:20", "10:*", "100:200", "-20:-15"}) {
    const Ran outside = stack.run("ann", {"get", name, "-o", "part", "--bytes", range});
    INFO(range << ": " << outside.err);
    CHECK(outside.exit != 0);
    CHECK(outside.err.find("the bytes " + range + " lie outside of the file, which has 10") !=
          std::string::npos);
    CHECK_FALSE(fs::exists(stack.folder() / "ann/part"));
  }
  const std::pair<std::string, std::string> inside[] = {
      {"0:3", "0123"}, {"8:100", "89"}, {"-2:*", "89"}, {"9:9", "9"}, {"-20:1", "01"}};
  for (const auto& [range, bytes] : inside) {
    const Ran got = stack.run("ann", {"get", name, "-o", "-", "--bytes", range});
    INFO(range << ": " << got.err);
    CHECK(got.exit == 0);
    CHECK(got.out == bytes);
  }
}
