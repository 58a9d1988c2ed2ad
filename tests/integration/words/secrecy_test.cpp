// What the program keeps to itself, and what it refuses to take from others (C8, C9, B5).
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast::test {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kSoon(120);
const std::string kHex = "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35";
const std::string kNsec = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5";
const std::string kName = "k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm";

class Home {
 public:
  Command command(std::vector<std::string> arguments) const {
    Command out;
    out.argv = {test::program()};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    out.environment = {{"HOME", folder_.path().string()},
                       {"XDG_CONFIG_HOME", (folder_.path() / "config").string()},
                       {"XDG_STATE_HOME", (folder_.path() / "state").string()},
                       {"XDG_DATA_HOME", (folder_.path() / "data").string()},
                       {"XDG_CACHE_HOME", (folder_.path() / "cache").string()}};
    out.folder = folder_.path();
    return out;
  }
  Ran run(std::vector<std::string> arguments) const {
    return test::run(command(std::move(arguments)), kSoon);
  }
  std::string file(const std::string& name, const std::string& text, mode_t mode) const {
    const std::string path = (folder_.path() / name).string();
    std::ofstream(path) << text << "\n";
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path;
  }

 private:
  TempDir folder_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a crash writes no key into a core dump (C8)") {
  const Home home;
  Process relay(home.command({"relay", "serve", "--listen", "127.0.0.1:0"}));
  REQUIRE(relay.wait_for_line("relay at", kSoon));
  std::ifstream limits("/proc/" + std::to_string(relay.pid()) + "/limits");
  std::string line;
  while (std::getline(limits, line) && !line.starts_with("Max core file size")) {
  }
  std::istringstream words(line.substr(std::string("Max core file size").size()));
  std::string soft;
  words >> soft;
  CHECK(soft == "0");
  relay.signal(SIGTERM);
  REQUIRE(relay.wait(kSoon));
}

TEST_CASE("a secret file that another user can change is not taken (C8)") {
  if (::geteuid() != 0) SKIP_TEST("only root can give a file away");
  const Home home;
  const std::string key = home.file("key", kHex, 0600);
  CHECK(home.run({"key", "show", "--secret-file", key}).exit == 0);
  REQUIRE(::chown(key.c_str(), 65534, 65534) == 0);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"key", "show", "--secret-file", key},
        {"event", "sign", "--secret-file", key},
        {"nip44", "encrypt", "--secret-file", key, "--peer", std::string(64, 'a')},
        {"record", "create", "--secret-file", key, "--value", "/ipfs/bafkqaaa", "--sequence", "1",
         "-o", "record"}}) {
    const Ran refused = home.run(arguments);
    INFO(refused.err);
    CHECK(refused.exit == 2);
    CHECK(has(refused.err, "\"" + key + "\" belongs to another user (uid 65534)"));
    CHECK(has(refused.err, "use a copy of your own"));
  }
}

TEST_CASE("keys are not written where another user, or everybody, can change them (C8)") {
  const Home home;
  const fs::path open = fs::path(home.file("x", "", 0600)).parent_path() / "open";
  fs::create_directory(open);
  REQUIRE(::chmod(open.c_str(), 0777) == 0);
  fs::create_directory(open / "keys");
  REQUIRE(::chmod((open / "keys").c_str(), 0777) == 0);
  const Ran refused = home.run({"key", "generate", "--state", open.string()});
  INFO(refused.err);
  CHECK(refused.exit == 1);
  CHECK(has(refused.err, "can be changed by everybody"));
  CHECK(fs::is_empty(open / "keys"));
}

TEST_CASE("a configuration that others can read and that holds a secret is told (C8)") {
  const Home home;
  const std::string secrets[] = {
      "[identity]\nsigner = \"bunker://" + std::string(64, 'a') +
          "?relay=ws://127.0.0.1:1&secret=hush\"",
      "[relays]\nproxy = \"socks5://me:hush@127.0.0.1:9050\"",
      "[gateways]\nnodes = [{url = \"http://127.0.0.1:5001\", auth = \"Bearer hush\"}]"};
  for (const std::string& secret : secrets) {
    const std::string open = home.file("config.toml", secret, 0644);
    const Ran told = home.run({"status", "--config", open});
    INFO(told.err);
    CHECK(told.exit == 0);
    CHECK(has(told.err, "\"" + open + "\" holds a secret"));
    CHECK(has(told.err, "chmod 600"));
    CHECK_FALSE(has(told.err, "hush"));
    home.file("config.toml", secret, 0600);
    CHECK(home.run({"status", "--config", open}).err.empty());
  }
  const std::string plain =
      home.file("plain.toml", "[relays]\nurls = [\"ws://127.0.0.1:1\"]", 0644);
  CHECK(home.run({"status", "--config", plain}).err.empty());
}

TEST_CASE("a secret key that was typed where none belongs is not repeated (C9)") {
  const Home home;
  const std::vector<std::string> commands[] = {{"watch", kNsec},
                                               {"resolve", kNsec},
                                               {"resolve", "nostr:" + kNsec},
                                               {"get", kNsec, "-o", "x"},
                                               {"publish", kNsec, "x"},
                                               {"announce", kNsec, "bafkqaaa", "--sequence", "1"},
                                               {"history", kNsec},
                                               {"forget", kNsec},
                                               {"name", kNsec},
                                               {"cid", kNsec},
                                               {"key", "show", kNsec},
                                               {"key", "generate", "a", kNsec},
                                               {"key", "show", "--secret-file", kNsec},
                                               {"key", "import", kNsec},
                                               {"event", "sign", "--secret-file", kNsec},
                                               {"event", "req", kNsec},
                                               {"relay", "probe", kNsec},
                                               {"relay", "serve", "--writers", kNsec},
                                               {"gateway", "probe", kNsec},
                                               {"init", "--relay", kNsec},
                                               {"init", "--key", kNsec},
                                               {"--config", kNsec, "status"},
                                               {"--timeout", kNsec, "status"},
                                               {"--proxy", "socks5://me:hush@host", "status"},
                                               {kNsec},
                                               {"--" + kNsec}};
  for (std::vector<std::string> arguments : commands) {
    for (const bool as_json : {false, true}) {
      if (as_json) arguments.push_back("--json");
      const Ran refused = home.run(arguments);
      INFO(arguments.front() << ": " << refused.err);
      CHECK(refused.exit != 0);
      CHECK_FALSE(has(refused.err + refused.out, kNsec.substr(0, 20)));
      CHECK_FALSE(has(refused.err + refused.out, "hush"));
      CHECK_FALSE(refused.err.empty());
    }
  }
  const Ran told = home.run({"watch", kNsec});
  CHECK(told.exit == 2);
  CHECK(has(told.err, "is a secret key"));
}

TEST_CASE("a terminal that goes away ends what stays running cleanly, and nohup keeps it (B5)") {
  const Home home;
  home.file("config.toml",
            "[relays]\nurls = [\"ws://127.0.0.1:1\"]\n[gateways]\nnodes = [\"http://127.0.0.1:1\"]",
            0600);
  const std::pair<std::vector<std::string>, std::string> commands[] = {
      {{"relay", "serve", "--listen", "127.0.0.1:0"}, "relay at"},
      {{"up", "--port-base", "0"}, "Ctrl-C ends it"},
      {{"watch", kName, "--config", "config.toml", "-vv"}, "nothing listens there"}};
  for (const auto& [arguments, line] : commands) {
    Process running(home.command(arguments));
    INFO(running.output());
    REQUIRE(running.wait_for_line(line, kSoon));
    running.signal(SIGHUP);
    const auto ended = running.wait(kSoon);
    REQUIRE(ended);
    CHECK(ended->exit == 0);
  }
  Command kept = home.command({"relay", "serve", "--listen", "127.0.0.1:0"});
  kept.argv.insert(kept.argv.begin(), "nohup");
  Process running(kept);
  REQUIRE(running.wait_for_line("relay at", kSoon));
  running.signal(SIGHUP);
  CHECK_FALSE(running.wait(std::chrono::milliseconds(300)));
  running.signal(SIGTERM);
  const auto ended = running.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}

}  // namespace ipnscast::test
