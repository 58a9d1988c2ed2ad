// up, demo and bridge as a user types them.
#include <csignal>
#include <nlohmann/json.hpp>

#include "ipnscast/sync/keys/key_store.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_http.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using nlohmann::json;
using test::Command;
using test::Process;
using test::Ran;
namespace fs = std::filesystem;

constexpr Seconds kSoon{60};
const char* const kName = "k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm";

Command command(const fs::path& home, std::vector<std::string> arguments) {
  Command out;
  out.argv = {test::program()};
  out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
  out.environment = {{"XDG_CONFIG_HOME", (home / "config").string()},
                     {"XDG_STATE_HOME", (home / "state").string()},
                     {"XDG_DATA_HOME", (home / "data").string()},
                     {"XDG_CACHE_HOME", (home / "cache").string()}};
  return out;
}

// The next line that is no log line.
json next_object(Process& process) {
  for (;;) {
    const auto line = process.wait_for_line("{", kSoon);
    INFO(process.output());
    REQUIRE(line);
    json object = json::parse(*line);
    if (!object.contains("level")) return object;
  }
}

int end(Process& process, int signal) {
  process.signal(signal);
  const auto ended = process.wait(kSoon);
  return ended ? ended->exit : -1;
}

}  // namespace

TEST_CASE("up shows how it is doing: for Prometheus, for people, for a watchdog (S1-29, S1-12)") {
  const test::TempDir home;
  Command up = command(home.path(), {"up", "--json", "--port-base", "0"});
  up.environment["IPNSCAST_BRIDGE_NAMES"] = kName;
  Process process(up);
  const std::string url = next_object(process).at("metrics");
  const auto port = test::port_of(url);
  const auto get = [port](const std::string& what) {
    return test::raw_http(port, what + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  };
  const std::string text = get("GET /metrics");
  CHECK(text.find("# TYPE ipnscast_bridge_names gauge\nipnscast_bridge_names 1\n") !=
        std::string::npos);
  CHECK(text.find("# TYPE ipnscast_operation_seconds histogram") != std::string::npos);
  CHECK(text.find("ipnscast_operation_seconds_bucket{operation=\"poll\",le=\"2\"}") !=
        std::string::npos);
  const std::string page = get("GET /");
  CHECK(page.find("text/html") != std::string::npos);
  CHECK(page.find("<td>resolve</td>") != std::string::npos);
  CHECK(page.find("</html>") != std::string::npos);
  CHECK(get("GET /health").find("200 ") != std::string::npos);
  CHECK(get("GET /other").find(" 404 ") != std::string::npos);
  CHECK(get("POST /metrics").find(" 405 ") != std::string::npos);
  CHECK(end(process, SIGINT) == 0);
}

TEST_CASE("the demo shows every hop of three changes with its time, and equal trees at the end") {
  const test::TempDir home;
  const Ran ran = test::run(command(home.path(), {"demo", "--json"}), kSoon);
  INFO(ran.out << ran.err);
  REQUIRE(ran.exit == 0);
  const json shown = json::parse(ran.out);
  CHECK(shown["identical"] == true);
  REQUIRE(shown["journeys"].size() == 3);
  for (const json& journey : shown["journeys"]) {
    std::map<std::string, json> hops;
    for (const json& hop : journey["hops"]) hops[hop["hop"]] = hop;
    for (const char* const hop :
         {"packed", "blocks at the node", "record at the router", "hint acknowledged by the relay",
          "hint seen", "record confirmed", "content fetched", "handed over", "mirrored"}) {
      CHECK(hops.contains(hop));
    }
    CHECK(hops["mirrored"]["at_ms"] > hops["hint seen"]["at_ms"]);
  }
  CHECK(shown["journeys"][1]["sequence"] == "2");
  CHECK(fs::is_empty(home.path()));
}

TEST_CASE("demo --keep leaves everything running until Ctrl-C") {
  const test::TempDir home;
  Process demo(command(home.path(), {"demo", "--keep"}));
  const bool kept = demo.wait_for_line("until Ctrl-C", kSoon).has_value();
  INFO(demo.output());
  CHECK(kept);
  CHECK(end(demo, SIGINT) == 0);
}

TEST_CASE("up tells where everything listens, watches the configured names, and ends cleanly") {
  const test::TempDir home;
  Command up = command(home.path(), {"up", "--port-base", "0", "--json"});
  up.environment["IPNSCAST_BRIDGE_NAMES"] = kName;
  std::string author;
  for (int run = 0; run < 2; ++run) {
    Process process(up);
    const json urls = next_object(process);
    CHECK(urls["relay"].get<std::string>().starts_with("ws://127.0.0.1:"));
    CHECK(urls["gateway"].get<std::string>().starts_with("http://127.0.0.1:"));
    CHECK(urls["rpc"].get<std::string>().starts_with("http://127.0.0.1:"));
    CHECK(urls["bridge"]["names"] == json({kName}));
    if (run == 1) CHECK(urls["bridge"]["author"] == author);  // its key stays
    author = urls["bridge"]["author"];

    const Ran second = test::run(up, kSoon);
    CHECK(second.exit == 1);
    CHECK(json::parse(second.err)["error"]["code"] == "conflict");
    CHECK(end(process, run == 0 ? SIGINT : SIGTERM) == 0);
  }
}

TEST_CASE("up's node listens where [node] says, holds as much, and takes records of its writers") {
  const test::TempDir home;
  Command up = command(home.path(), {"up", "--json", "--port-base", "0"});
  const auto refused = [&](const std::string& name, const std::string& value) {
    Command wrong = up;
    wrong.environment[name] = value;
    const Ran ran = test::run(wrong, kSoon);
    INFO(ran.err);
    CHECK(ran.exit == 2);
    CHECK(json::parse(ran.err)["error"]["message"].get<std::string>().starts_with(name + ": "));
  };
  refused("IPNSCAST_NODE_WRITERS", "nobody");
  refused("IPNSCAST_NODE_LISTEN", "here");
  refused("IPNSCAST_NODE_MAX_BYTES", "12");
  up.environment["IPNSCAST_NODE_WRITERS"] = kName;
  up.environment["IPNSCAST_NODE_LISTEN"] = "127.0.0.2:8081";
  up.environment["IPNSCAST_NODE_MAX_BYTES"] = "1MiB";
  Process process(up);
  const json urls = next_object(process);
  const std::string gateway = urls.at("gateway");
  CHECK(gateway.starts_with("http://127.0.0.2:"));
  CHECK(urls.at("rpc").get<std::string>().starts_with("http://127.0.0.1:"));
  const auto post = [](const std::string& url, const std::string& path, const std::string& body) {
    const auto port = test::port_of(url);
    return test::raw_http(port,
                          "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" +
                              "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: " +
                              std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  const std::string file =
      "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nx\r\n--b--\r\n";
  const std::string other = "k51qzi5uqu5dm0t4vbwri4lkg76q03b4x9tsvekgvbu4zli6454ff7w8wdosa4";
  const std::string stranger = post(urls.at("rpc"), "/api/v0/name/put?arg=" + other, file);
  INFO(stranger);
  CHECK(stranger.starts_with("HTTP/1.1 403"));
  CHECK(stranger.find("listed names only") != std::string::npos);
  // Of a listed name it looks at the record.
  CHECK_FALSE(post(urls.at("rpc"), std::string("/api/v0/name/put?arg=") + kName, file)
                  .starts_with("HTTP/1.1 403"));
  CHECK(end(process, SIGTERM) == 0);
}

TEST_CASE("bridge --check-config says what is missing, and what it would do") {
  const test::TempDir home;
  Command check = command(home.path(), {"bridge", "--check-config", "--json"});
  const auto problem = [&] {
    const Ran ran = test::run(check, kSoon);
    CHECK(ran.exit == 2);
    return json::parse(ran.err)["error"]["message"].get<std::string>();
  };
  CHECK(problem().starts_with("bridge.names"));
  check.environment["IPNSCAST_BRIDGE_NAMES"] = "nonsense";
  CHECK(problem().starts_with("IPNSCAST_BRIDGE_NAMES: \"nonsense\": "));
  check.environment["IPNSCAST_BRIDGE_NAMES"] = kName;
  CHECK(problem().starts_with("relays.urls"));
  check.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:1";
  CHECK(problem().starts_with("gateways"));
  check.environment["IPNSCAST_GATEWAYS_NODES"] = "http://127.0.0.1:1";
  CHECK(problem().starts_with("no key"));
  REQUIRE(sync::KeyStore(home.path() / "state/ipnscast/keys")
              .add("self", sync::StoredKey::generate(sync::StoredKeyType::nostr)));
  const Ran fine = test::run(check, kSoon);
  CHECK(fine.exit == 0);
  CHECK(json::parse(fine.out)["names"] == json({kName}));
}

TEST_CASE("the bridge needs the state directory for itself and ends cleanly on SIGTERM") {
  const test::TempDir home;
  REQUIRE(sync::KeyStore(home.path() / "state/ipnscast/keys")
              .add("self", sync::StoredKey::generate(sync::StoredKeyType::nostr)));
  Command run = command(home.path(), {"bridge", "--json"});
  run.environment["IPNSCAST_BRIDGE_NAMES"] = kName;
  run.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:1";
  run.environment["IPNSCAST_GATEWAYS_NODES"] = "http://127.0.0.1:1";
  Process bridge(run);
  CHECK(next_object(bridge)["event"] == "watching");
  const Ran second = test::run(run, kSoon);
  CHECK(second.exit == 1);
  CHECK(json::parse(second.err)["error"]["code"] == "conflict");
  CHECK(end(bridge, SIGTERM) == 0);
}

}  // namespace ipnscast
