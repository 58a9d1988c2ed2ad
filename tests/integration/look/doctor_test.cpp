// What `doctor` finds, and that it finds nothing where nothing is wrong (CLI.md).
#include <fcntl.h>
#include <sys/stat.h>

#include "ipnscast/tests/integration/cli/clock_laptop.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

struct Home {
  explicit Home(bool published = true) : facts(stack.init("ann")) {
    if (!published) return;
    write(stack.folder() / "ann" / "note", "one");
    const Ran ran = stack.run("ann", {"publish", "self", "note"});
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
  }
  fs::path state() const { return stack.folder() / "ann" / "state" / "ipnscast"; }
  fs::path config() const { return stack.folder() / "ann" / "config" / "ipnscast" / "config.toml"; }
  Command doctor(std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"doctor", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return stack.command("ann", words);
  }

  Stack stack;
  json facts;
};

// The rows of one check, of this health.
json rows(const Ran& ran, const std::string& check, const std::string& health) {
  INFO(ran.out << ran.err);
  json out = json::array();
  const json whole = json::parse(ran.out);
  for (const json& row : whole.at("checks")) {
    if (row.at("check") == check && row.at("health") == health) out.push_back(row);
  }
  return out;
}

// Exactly this is a problem, and there is something to do about it.
void check_problem(const Ran& ran, const std::string& check, const std::string& words,
                   int exit = 1) {
  INFO(ran.out << ran.err);
  CHECK(ran.exit == exit);
  const json found = rows(ran, check, "problem");
  REQUIRE(found.size() == 1);
  CHECK(found[0]["text"].get<std::string>().find(words) != std::string::npos);
  CHECK(found[0]["advice"] != "");
}

}  // namespace

TEST_CASE("doctor finds no problem where there is none, and changes no file") {
  const bool published = GENERATE(true, false);
  const Home home(published);
  const auto files = [&] {
    std::map<std::string, std::pair<uintmax_t, fs::file_time_type>> out;
    for (const auto& entry : fs::recursive_directory_iterator(home.stack.folder() / "ann")) {
      if (entry.is_regular_file())
        out[entry.path().string()] = {entry.file_size(), entry.last_write_time()};
    }
    return out;
  };
  const auto before = files();
  const Ran ran = run(home.doctor(), kSoon);
  INFO(ran.out << ran.err);
  CHECK(ran.exit == 0);
  CHECK(json::parse(ran.out)["problems"] == 0);
  CHECK(rows(ran, "clock", "ok").size() == 1);
  CHECK(rows(ran, "relay", "ok").size() == 1);
  CHECK(rows(ran, "gateway", "ok").size() == 2);
  // Nothing is known that our own node should have, and so it is not judged.
  if (!published)
    CHECK(rows(ran, "gateway", "ok")[0]["text"].get<std::string>().find("not probed") !=
          std::string::npos);
  CHECK(files() == before);
  const Ran text = home.stack.run("ann", {"doctor"});
  CHECK(text.exit == 0);
  CHECK(text.out.find("ok       relay") != std::string::npos);
}

TEST_CASE("doctor fails for keys and secrets that others can read, and says what closes them") {
  const Home home;
  const fs::path key = home.stack.folder() / "ann/data/ipnscast/keys/self.nostr";
  REQUIRE(fs::exists(key));
  ::chmod(key.c_str(), 0644);
  check_problem(run(home.doctor(), kSoon), "keys", "chmod 600");
  ::chmod(key.c_str(), 0600);
  const std::string before = read(home.config());
  write(home.config(), "[relays]\nproxy = \"socks5h://me:hunter2@127.0.0.1:1\"\n");
  ::chmod(home.config().c_str(), 0644);
  const Ran open = run(home.doctor(), kSoon);
  check_problem(open, "config", "others can read it");
  CHECK(open.out.find("relays.proxy") != std::string::npos);
  CHECK((open.out + open.err).find("hunter2") == std::string::npos);
  write(home.config(), before + "\n[nonsense]\nkey = 1\n");
  check_problem(run(home.doctor(), kSoon), "config", "nonsense");
}

TEST_CASE("doctor finds a dead relay and a lying gateway among good ones, 3 when all are dead") {
  const Home home;
  Command relays = home.doctor();
  relays.environment["IPNSCAST_RELAYS_URLS"] = home.stack.relay_url() + ",ws://127.0.0.1:1";
  check_problem(run(relays, kSoon), "relay", "unreachable");

  ScriptedHttpServer liar([](const ScriptedRequest& request) -> ScriptedAnswer {
    const bool probe = request.target.find("bafkqaaa") != std::string::npos;
    return {.headers = {{"Content-Type", "application/vnd.ipld.raw"}},
            .body = probe ? "" : "not what you asked for"};
  });
  Command gateways = home.doctor();
  gateways.environment["IPNSCAST_GATEWAYS_NODES"] = home.stack.gateway_url() + "," + liar.url();
  const Ran lies = run(gateways, kSoon);
  check_problem(lies, "gateway", "lies");
  CHECK(rows(lies, "gateway", "ok").size() == 1);

  Command nobody = home.doctor({"--timeout", "20s"});
  nobody.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:1";
  nobody.environment["IPNSCAST_GATEWAYS_NODES"] = "http://127.0.0.1:1";
  check_problem(run(nobody, kSoon), "relay", "unreachable", 3);
}

TEST_CASE("doctor tells a clock that is wrong, by what the servers say (R36)") {
  const auto library = faketime_library();
  if (!library) SKIP_TEST(kNoFaketime);
  const Laptop laptop(*library);
  const Ran good = laptop.run({"doctor", "--json"});
  CHECK(rows(good, "clock", "ok").size() == 1);
  laptop.set("-3d");
  const Ran behind = laptop.run({"doctor", "--json"});
  check_problem(behind, "clock", "behind the servers");
  laptop.set("+3d");
  check_problem(laptop.run({"doctor", "--json"}), "clock", "ahead of the servers");
}

TEST_CASE("doctor tells a state file that is broken, whole or in part") {
  const Home home;
  const fs::path file = home.state() / "state.sqlite";
  const auto size = fs::file_size(file);
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(descriptor >= 0);
  SECTION("in the middle") {
    const std::string junk(4096, 'x');
    for (off_t at = 8192; at + 4096 <= static_cast<off_t>(size); at += 4096)
      REQUIRE(::pwrite(descriptor, junk.data(), junk.size(), at) == 4096);
  }
  SECTION("at the beginning") { REQUIRE(::pwrite(descriptor, "no database", 11, 0) == 11); }
  ::close(descriptor);
  const Ran ran = run(home.doctor(), kSoon);
  INFO(ran.out << ran.err);
  CHECK(ran.exit == 1);
  const json found = rows(ran, "state", "problem");
  REQUIRE(found.size() == 1);
  CHECK(found[0]["advice"] != "");
}

TEST_CASE("doctor tells a full disk") {
  const Home home;
  Command probe = home.stack.command("ann", {});
  probe.argv = {"unshare", "-Urm", "true"};
  if (run(probe, kSoon).exit != 0) SKIP_TEST("no mount namespaces here (unshare)");
  Command doctor = home.doctor();
  std::vector<std::string> argv = {"unshare",
                                   "-Urm",
                                   "sh",
                                   "-ec",
                                   "mount -t tmpfs -o size=1m,mode=700 none \"$0\"; exec \"$@\"",
                                   home.state().string()};
  argv.insert(argv.end(), doctor.argv.begin(), doctor.argv.end());
  doctor.argv = std::move(argv);
  check_problem(run(doctor, kSoon), "disk", "full");
}

TEST_CASE("doctor tells a name of which every source has an older record than is known here") {
  const Home home;
  // A second node that has never heard of the newer version stands in for all of them.
  const Home other(false);
  const std::string name = home.facts["name"];
  Command get = home.stack.command("ann", {"publish", "self", "note"});
  get.environment["IPNSCAST_GATEWAYS_NODES"] =
      other.stack.gateway_url() + "," + other.stack.rpc_url();
  REQUIRE(run(get, kSoon).exit == 0);  // version 2 or 1 again, at the other node
  write(home.stack.folder() / "ann" / "note", "two");
  REQUIRE(home.stack.run("ann", {"publish", "self", "note"}).exit == 0);
  Command doctor = home.doctor();
  doctor.environment["IPNSCAST_GATEWAYS_NODES"] =
      other.stack.gateway_url() + "," + other.stack.rpc_url();
  const Ran ran = run(doctor, kSoon);
  check_problem(ran, "name", "all sources lag");
  CHECK(rows(ran, "name", "problem")[0]["subject"] == name);
  // Looking puts nothing right.
  check_problem(run(doctor, kSoon), "name", "all sources lag");
}
