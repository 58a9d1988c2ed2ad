// Where keys are kept: apart from state, which may be thrown away.
#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class Home {
 public:
  test::Ran run(std::vector<std::string> arguments,
                const std::map<std::string, std::string>& more = {}) const {
    test::Command out;
    out.argv = {test::program()};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    out.environment = {{"HOME", at("").string()},
                       {"XDG_CONFIG_HOME", at("config").string()},
                       {"XDG_STATE_HOME", at("state").string()},
                       {"XDG_DATA_HOME", at("data").string()},
                       {"XDG_CACHE_HOME", at("cache").string()}};
    for (const auto& [name, value] : more) out.environment[name] = value;
    return test::run(out);
  }
  json ask(std::vector<std::string> arguments,
           const std::map<std::string, std::string>& more = {}) const {
    arguments.emplace_back("--json");
    const test::Ran ran = run(std::move(arguments), more);
    INFO(ran.out << ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out);
  }
  fs::path at(const std::string& path) const { return folder_.path() / path; }

 private:
  test::TempDir folder_;
};

}  // namespace

TEST_CASE("a new user's keys outlive the state directory, and init uses them again and says so") {
  const Home home;
  const json first = home.ask({"init"});
  CHECK(first["keys"] == home.at("data/ipnscast/keys").string());
  CHECK(first["new_key"] == true);
  CHECK(fs::exists(home.at("data/ipnscast/keys/self.nostr")));
  CHECK(fs::status(home.at("data/ipnscast/keys")).permissions() == fs::perms::owner_all);
  CHECK_FALSE(fs::exists(home.at("state/ipnscast/keys")));
  fs::remove_all(home.at("state"));
  fs::remove_all(home.at("config"));
  const test::Ran again = home.run({"init"});
  CHECK(again.exit == 0);
  CHECK(again.out.find("self (it was there already and is used again)") != std::string::npos);
  CHECK(again.out.find(first["npub"].get<std::string>()) != std::string::npos);
}

TEST_CASE("keys that are in the state directory stay where they are and are used there") {
  const Home home;
  const json old = home.ask({"key", "generate", "self"},
                            {{"IPNSCAST_KEYS", home.at("state/ipnscast/keys").string()}});
  CHECK(home.ask({"key", "show", "self"})["npub"] == old["npub"]);
  home.ask({"key", "generate", "second"});
  CHECK(fs::exists(home.at("state/ipnscast/keys/second.nostr")));
  CHECK_FALSE(fs::exists(home.at("data")));
}

TEST_CASE("--keys comes before IPNSCAST_KEYS, that before the state directory") {
  const Home home;
  const std::string state = home.at("elsewhere").string();
  const std::map<std::string, std::string> named = {{"IPNSCAST_KEYS", home.at("named").string()}};
  home.ask({"key", "generate", "one", "--state", state});
  CHECK(fs::exists(home.at("elsewhere/keys/one.nostr")));
  home.ask({"key", "generate", "two", "--state", state}, named);
  CHECK(fs::exists(home.at("named/two.nostr")));
  home.ask({"key", "generate", "three", "--keys", home.at("typed").string()}, named);
  CHECK(fs::exists(home.at("typed/three.nostr")));
  CHECK(home.ask({"key", "list"}, named)["keys"].size() == 1);
}

TEST_CASE("keys are never published, wherever they are (C8)") {
  const Home home;
  home.ask({"init"});
  const std::string keys = home.at("data/ipnscast").string();
  const test::Ran refused = home.run({"publish", "self", keys, "--queue"});
  CHECK(refused.exit != 0);
  CHECK(refused.err.find(keys) != std::string::npos);
}

}  // namespace ipnscast
