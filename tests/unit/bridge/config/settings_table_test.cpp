// Every setting from the table: what it takes, that it arrives, and what is said when it is
// misspelt.
#include "ipnscast/bridge/config/settings_table.h"

#include <set>

#include "ipnscast/bridge/config/config.h"
#include "ipnscast/bridge/config/reference.h"
#include "ipnscast/sync/config_check.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::bridge;
using std::chrono::minutes;

namespace {

constexpr char kKey[] = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e";
std::string file_with(std::string_view key, const std::string& value) {
  return "[" + std::string(section_of(key)) + "]\n" + std::string(name_of(key)) + " = " + value +
         "\n";
}

std::string complaint(const std::string& toml, const Environment& environment = {},
                      const Flags& flags = {}) {
  const auto settings = parse_settings(toml, environment, flags, "c.toml");
  return settings ? "" : settings.error().message;
}

}  // namespace

TEST_CASE("every key is declared once, with help, and takes its own default") {
  std::set<std::string> keys;
  std::set<std::string> members;
  for (const Setting& setting : settings_table()) {
    INFO(setting.is.key);
    CHECK(keys.insert(setting.is.key).second);
    CHECK((setting.is.member.empty() || members.insert(std::string(setting.is.member)).second));
    CHECK_FALSE(setting.is.help.empty());
    CHECK_FALSE(setting.is.takes.empty());
    Settings settings;
    CHECK(setting.store(settings, setting.shown(settings)));
    CHECK(setting.check(settings));
  }
}

TEST_CASE("the sample names every key, parses, and changes nothing (G5)") {
  const std::string sample = file_text(Settings());
  const auto settings = parse_settings(sample, {});
  INFO(sample);
  INFO((settings ? "" : settings.error().message));
  REQUIRE(settings);
  CHECK(settings->given.size() == settings_table().size());
  for (const Setting& setting : settings_table()) {
    INFO(setting.is.key);
    CHECK(sync::settings::to_toml(setting.shown(*settings)) ==
          sync::settings::to_toml(setting.shown(Settings())));
  }
  CHECK(settings->engine.gateways.empty());
  CHECK(settings->engine.relays.empty());
  CHECK(settings->engine.trusted_authors.empty());
  CHECK_FALSE(settings->engine.access.proxy);
  CHECK_FALSE(settings->relay.rate);
  CHECK_FALSE(settings->bridge.resolve_timeout);
}

TEST_CASE("no key takes what is of another form, and the complaint says where it stands") {
  for (const Setting& setting : settings_table()) {
    for (const char* const wrong : {"1.5", "1979-05-27", "{a = {b = 1}}", "[[1]]", "-1"}) {
      const std::string said = complaint(file_with(setting.is.key, wrong));
      INFO(setting.is.key << " = " << wrong << ": " << said);
      CHECK(said.starts_with("c.toml: line 2: " + setting.is.key + ": "));
    }
  }
}

TEST_CASE("a library that sets a member out of bounds hears what the file hears (B4)") {
  sync::Config config;
  config.parallel = 0;
  CHECK(sync::find_fault(config)->why == "want 1 to 64, not 0");
  CHECK(complaint("[fetch]\nparallel = 0\n") ==
        "c.toml: line 2: fetch.parallel: want 1 to 64, not 0");
  CHECK(complaint("", {{"IPNSCAST_FETCH_PARALLEL", "65"}}) ==
        "IPNSCAST_FETCH_PARALLEL: want 1 to 64, not 65");
  CHECK(complaint("", {}, {{"fetch.parallel", {"--parallel", "x"}}}) ==
        "--parallel: \"x\": want a number");
}

TEST_CASE("what was typed goes before the environment, and is blamed for what it breaks (G7)") {
  const Environment environment = {{"IPNSCAST_PUBLISH_TTL", "2m"}};
  const auto both =
      parse_settings("[publish]\nttl = \"1m\"\n", environment, {{"publish.ttl", {"--ttl", "3m"}}});
  REQUIRE(both);
  CHECK(both->engine.record_ttl == minutes(3));
  CHECK(both->given.at("publish.ttl").where == "--ttl");
  CHECK(complaint("[relays]\nproxy = \"\"\n", {}, {{"relays.proxy", {"--proxy", "foo"}}})
            .starts_with("--proxy: "));
  CHECK(complaint("[publish]\nttl = \"1h\"\n", {}, {{"publish.lifetime", {"--lifetime", "30m"}}})
            .starts_with("--lifetime: a record may not be cached for longer"));
  CHECK(complaint("[publish]\nlifetime = \"2h\"\n", {{"IPNSCAST_PUBLISH_TTL", "3h"}})
            .starts_with("IPNSCAST_PUBLISH_TTL: a record may not"));
}

TEST_CASE("a key that nothing reads is an error that names the one that was meant") {
  CHECK(complaint("\n[relays]\nurl = []\n") ==
        "c.toml: line 3: unknown key relays.url: did you mean relays.urls?");
  CHECK(complaint("[relays]\nlifetime = \"1h\"\n") ==
        "c.toml: line 2: unknown key relays.lifetime: did you mean publish.lifetime?");
  CHECK(complaint("[relay_s]\n") ==
        "c.toml: line 1: unknown section [relay_s]: did you mean [relays]?");
  CHECK(complaint("quorum = 1\n") ==
        "c.toml: line 1: key quorum stands in no section: did you mean relays.quorum?");
  CHECK(complaint("relays = 1\n") == "c.toml: line 1: relays is a section: write [relays]");
  // What this version has not is no key of it, whatever it will be one day.
  for (const char* const key :
       {"identity.device_name", "relays.target", "relays.history_kind", "trust.discover",
        "sources.pubsub_topic", "bridge.names_from", "bridge.store", "bridge.warn_before_eol",
        "bridge.shards", "push.listen", "push.tokens", "http.admin", "documents.queue",
        "backup.target"}) {
    INFO(key);
    const std::string said = complaint(file_with(key, "1"));
    INFO(said);
    CHECK((said.find("unknown key " + std::string(key)) != said.npos ||
           said.find("unknown section [" + std::string(section_of(key)) + "]") != said.npos));
  }
}

TEST_CASE("a misspelt variable is told with the one that was meant (G7)") {
  const std::pair<const char*, const char*> misspelt_ones[] = {
      {"IPNSCAST_RELAYS_URL", "did you mean IPNSCAST_RELAYS_URLS?"},
      {"IPNSCAST_RELAY_URL", "did you mean IPNSCAST_RELAY_URLS?"},
      {"IPNSCAST_GATEWAY_NODES", "did you mean IPNSCAST_GATEWAYS_NODES?"},
      {"IPNSCAST_FETCH_PARALEL", "did you mean IPNSCAST_FETCH_PARALLEL?"},
      {"IPNSCAST_NODE_WRITER", "did you mean IPNSCAST_NODE_WRITERS?"},
      {"IPNSCAST_PASWORD", "did you mean IPNSCAST_PASSWORD?"},
      {"IPNSCAST_PROXY", "did you mean IPNSCAST_RELAYS_PROXY?"},
      {"IPNSCAST_RELAYS_TARGET", "\"ipnscast config --explain relays\" lists the keys of [relays]"},
      {"IPNCAST_RELAYS_URLS", "did you mean IPNSCAST_RELAYS_URLS?"},
      {"INPSCAST_LOG_LEVEL", "did you mean IPNSCAST_LOG_LEVEL?"},
      {"ipnscast_log_level", "did you mean IPNSCAST_LOG_LEVEL?"},
      {"IPNSCAST_CONFIG", "use the option --config instead"},
      {"IPNSCAST_STATE_DIR", "use the option --state instead"}};
  for (const auto& [name, advice] : misspelt_ones) {
    const std::string said = complaint("", {{name, "the value"}});
    INFO(name << ": " << said);
    CHECK(said.starts_with(std::string(name) + ": no setting has this name: "));
    CHECK(said.find(advice) != std::string::npos);
    CHECK(said.find("the value") == std::string::npos);
  }
}

TEST_CASE("variables that others set under our prefix are no faults") {
  for (const char* const name :
       {"IPNSCAST_PASSWORD", "IPNSCAST_NAME", "IPNSCAST_CID", "IPNSCAST_SEQUENCE",
        "IPNSCAST_PREVIOUS", "IPNSCAST_PATH", "IPNSCAST_OURS", "IPNSCAST_THEIRS", "IPNSCAST_MERGED",
        "IPNSCAST_RELAY_PORT", "IPNSCAST_RELAY_SERVICE_HOST", "IPNSCAST_NODE_SERVICE_PORT_HTTP",
        "IPNSCAST_RELAY_PORT_7777_TCP_ADDR", "IPNSCAST_VECTORS", "IPNSCAST_TEST_SEED",
        "IPNSCAST_WRITER_ROUNDS", "IPFS_PATH", "HOME"}) {
    INFO(name);
    CHECK(complaint("", {{name, "x"}}).empty());
  }
}

TEST_CASE("secrets are not shown with the settings") {
  const auto settings = parse_settings(
      "[relays]\nproxy = \"socks5://me:w0rd@127.0.0.1:9\"\n[gateways]\nnodes = "
      "[\"http://me:w0rd@h\", {url = \"https://h\", auth = \"Bearer w0rd\"}]\n[identity]\n"
      "signer = \"bunker://" +
          std::string(kKey) + "?secret=w0rd&relay=wss://a.example\"\n",
      {});
  INFO((settings ? "" : settings.error().message));
  REQUIRE(settings);
  const std::string text = file_text(*settings);
  INFO(text);
  CHECK(text.find("w0rd") == std::string::npos);
  CHECK(text.find("socks5://***@127.0.0.1:9") != std::string::npos);
  CHECK(text.find("secret=***&relay=wss://a.example") != std::string::npos);
  CHECK(explain(*find_setting("relays.proxy"), &*settings).find("w0rd") == std::string::npos);
}
