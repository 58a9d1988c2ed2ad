// Over 400 lines: a test for each section of the configuration file, on the same helpers.
#include "ipnscast/bridge/config/config.h"

#include <fstream>
#include <set>

#include "ipnscast/sync/settings/quantity.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/test_certificates.h"

using namespace ipnscast;
using namespace ipnscast::bridge;
using namespace ipnscast::sync::settings;
using std::chrono::milliseconds;

namespace {

std::string complaint(const std::string& toml) {
  const auto settings = parse_settings(toml, {});
  return settings ? "" : settings.error().message;
}

}  // namespace

TEST_CASE("an empty configuration has the defaults that are documented (S0-10, S0-11, S0-57)") {
  const auto s = parse_settings("", {});
  REQUIRE(s);
  CHECK(s->engine.kinds == std::vector<int>{30078});
  CHECK(s->engine.public_kinds == std::vector<int>{30078, 30079});
  CHECK(s->engine.topic == "ipns-sync");
  CHECK(s->engine.quorum.count == 1);
  CHECK(s->engine.auth);
  CHECK(s->engine.confirm == sync::Confirm::always);
  CHECK(s->engine.poll_min == milliseconds(30'000));
  CHECK(s->engine.poll_max == milliseconds(60'000));
  CHECK(s->engine.poll_healthy == milliseconds(120'000));
  CHECK(s->engine.answer_by == milliseconds(2'000));
  CHECK(s->engine.listen == milliseconds(5'000));
  CHECK(s->engine.fetch_max_bytes == uint64_t{4} << 30);
  CHECK(s->engine.record_lifetime == std::chrono::hours(48));
  CHECK(s->bridge.poll_min == milliseconds(5'000));
  CHECK(s->bridge.poll_max == std::chrono::minutes(10));
  CHECK(s->log.level == LogLevel::info);
}

TEST_CASE("a file sets what it names") {
  const auto s = parse_settings(R"(
[relays]
urls = ["wss://a.example", "ws://127.0.0.1:7777"]
kinds = [30078, 30079]
public = true
[trust]
confirm = "trusted"
[sources]
poll_min = "10s"
poll_max = "1m30s"
[gateways]
nodes = ["http://127.0.0.1:8080", {url = "http://127.0.0.1:5001", auth = "Basic x", only = ["publish"]}]
[fetch]
max_bytes = "64MiB"
cache_bytes = 1024
[handover]
kept = "2GiB"
[bridge]
poll = "2s to 1h"
)",
                                {});
  REQUIRE(s);
  CHECK(s->engine.relays.size() == 2);
  CHECK(s->engine.kinds == std::vector<int>{30078, 30079});
  CHECK(s->engine.publish_public);
  CHECK(s->engine.confirm == sync::Confirm::trusted);
  CHECK(s->engine.poll_max == milliseconds(90'000));
  REQUIRE(s->engine.gateways.size() == 2);
  CHECK(s->engine.gateways[1].url == "http://127.0.0.1:5001");
  CHECK(s->engine.gateways[1].authorization == "Basic x");
  CHECK(s->engine.gateways[1].uses.publish);
  CHECK_FALSE(s->engine.gateways[1].uses.blocks);
  CHECK(s->engine.fetch_max_bytes == uint64_t{64} << 20);
  CHECK(s->engine.cache_bytes == 1024);
  CHECK(s->engine.kept_bytes == uint64_t{2} << 30);
  CHECK(s->engine.kept_bytes == uint64_t{2} << 30);
  CHECK(s->bridge.poll_max == std::chrono::hours(1));
}

TEST_CASE("the environment goes before the file (S1-28)") {
  const auto s =
      parse_settings("[relays]\nquorum = 2\n[fetch]\nparallel = 5\n",
                     Environment{{"IPNSCAST_RELAYS_QUORUM", "3"},
                                 {"IPNSCAST_RELAYS_URLS", "wss://a.example, wss://b.example"},
                                 {"IPNSCAST_RELAYS_AUTH", "false"},
                                 {"IPNSCAST_GATEWAYS_NODES", "http://a,http://b"}});
  REQUIRE(s);
  CHECK(s->engine.quorum.count == 3);
  CHECK(s->engine.parallel == 5);
  REQUIRE(s->engine.relays.size() == 2);
  CHECK(s->engine.relays[1].text() == "wss://b.example");
  CHECK_FALSE(s->engine.auth);
  CHECK(s->engine.gateways.size() == 2);
  const auto wrong = parse_settings("", Environment{{"IPNSCAST_RELAYS_QUORUM", "many"}});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message ==
        "IPNSCAST_RELAYS_QUORUM: \"many\": want a number, \"first\", \"all\" or a list of relays");
}

TEST_CASE("a quorum is a number, first, all, or a list of relays, in file and environment") {
  struct Quorum {
    size_t count;
    bool all;
    size_t named;
  };
  const std::pair<std::string, Quorum> forms[] = {
      {"2", {2, false, 0}},
      {"\"first\"", {1, false, 0}},
      {"\"all\"", {1, true, 0}},
      {"[\"wss://a.example\", \"wss://b.example\"]", {0, false, 2}}};
  for (const auto& [text, wanted] : forms) {
    const auto s = parse_settings("[relays]\nquorum = " + text + "\n", {});
    REQUIRE(s);
    const nostr::Quorum& quorum = s->engine.quorum;
    CHECK(quorum.count == wanted.count);
    CHECK(quorum.all == wanted.all);
    CHECK(quorum.named.size() == wanted.named);
  }
  const auto named = parse_settings(
      "", Environment{{"IPNSCAST_RELAYS_QUORUM", "wss://a.example, wss://b.example"}});
  REQUIRE(named);
  CHECK(named->engine.quorum.named.size() == 2);
  CHECK(complaint("[relays]\nquorum = []\n").find("want a number") != std::string::npos);
  CHECK(complaint("[relays]\nquorum = \"most\"\n").find("want a number") != std::string::npos);
  CHECK(complaint("[relays]\nquorum = [\"https://a\"]\n")
            .find("line 2: relays.quorum: relay URL \"https://a\"") != std::string::npos);
}

TEST_CASE("what [relays] and [publish] say of reaching relays arrives at the engine") {
  const test::TempDir dir;
  const auto ca =
      test::make_certificate(dir.path(), "ca", {.authority = true}).certificate.string();
  const std::string pin = "sha256/" + std::string(43, 'A') + "=";
  const auto s = parse_settings(
      "[relays]\nurls = [\"wss://a.example\"]\nauth = false\nread_back = \"7s\"\n"
      "proxy = \"socks5://u:p@127.0.0.1:9050\"\nca_file = \"" +
          ca + "\"\npins = [\"" + pin +
          "\"]\n[publish]\nqueue = 12\nmax_age = \"2h\"\nretry_min = \"3s\"\n"
          "retry_max = \"4s\"\n",
      {});
  REQUIRE(s);
  const auto* const config = &s->engine;
  CHECK_FALSE(config->auth);
  CHECK(config->read_back == Milliseconds(7'000));
  CHECK(config->outbox.max_events == 12);
  CHECK(config->outbox.max_age == Seconds(7'200));
  CHECK(config->retry_min == Milliseconds(3'000));
  CHECK(config->retry_max == Milliseconds(4'000));
  REQUIRE(config->access.proxy);
  CHECK(config->access.proxy->shown() == "socks5://127.0.0.1:9050");
  CHECK(config->access.ca_file == ca);
  CHECK(config->access.pins.of(config->relays.front()).size() == 1);
}

TEST_CASE("a value that a key does not take is refused with what it takes") {
  CHECK(complaint("[relays]\nurls = \"wss://a\"\n") == "line 2: relays.urls: want a list of texts");
  CHECK(complaint("[relays]\nquorum = -1\n") ==
        "line 2: relays.quorum: want a number that is not negative");
  CHECK(complaint("[relays]\nauth = \"yes\"\n") == "line 2: relays.auth: want true or false");
  CHECK(complaint("[relays]\nkinds = [70000]\n") ==
        "line 2: relays.kinds: want numbers from 0 to 65535");
  CHECK(complaint("[trust]\nconfirm = \"never\"\n") ==
        "line 2: trust.confirm: \"never\": want \"always\" or \"trusted\"");
  CHECK(complaint("[sources]\npoll_min = 30\n") ==
        "line 2: sources.poll_min: want a time in quotes, such as \"30s\"");
  CHECK_FALSE(complaint("[sources]\npoll_min = 1.5\n").empty());
  CHECK_FALSE(complaint("[gateways]\nnodes = [{auth = \"x\"}]\n").empty());
  CHECK_FALSE(complaint("[gateways]\nnodes = [{url = \"http://a\", port = 1}]\n").empty());
  CHECK(complaint("[relays\n").find("line 1: ") == 0);
}

TEST_CASE(
    "a kind that would replace the user's profile or speak in their name is no kind of hints") {
  const auto from_environment = [](const std::string& name, const std::string& value) {
    const auto s = parse_settings("", Environment{{name, value}});
    return s ? "" : s.error().message;
  };
  for (const char* const kind :
       {"0", "1", "3", "5", "7", "1078", "10002", "20000", "29999", "40000"}) {
    INFO(kind);
    const std::string why =
        "\"" + std::string(kind) + "\" is not a kind for hints: want kinds from 30000";
    for (const std::string key : {"kinds", "public_kinds"}) {
      CHECK(complaint("[relays]\n" + key + " = [30078, " + kind + "]\n")
                .find("line 2: relays." + key + ": " + why) == 0);
    }
    CHECK(from_environment("IPNSCAST_RELAYS_KINDS", kind).find("IPNSCAST_RELAYS_KINDS: " + why) ==
          0);
    CHECK(from_environment("IPNSCAST_RELAYS_PUBLIC_KINDS", "30078," + std::string(kind))
              .find("IPNSCAST_RELAYS_PUBLIC_KINDS: \"30078," + std::string(kind) + "\": " + why) ==
          0);
  }
  CHECK(complaint("[relays]\nkinds = []\n").find("relays.kinds: want at least one kind") !=
        std::string::npos);
  CHECK(complaint("[relays]\nkinds = [30000, 39999]\npublic_kinds = [35000]\n").empty());
}

TEST_CASE("values that contradict each other are refused") {
  CHECK_FALSE(complaint("[sources]\npoll_min = \"2m\"\n").empty());
  CHECK_FALSE(complaint("[sources]\npoll_min = \"0\"\npoll_max = \"0\"\n").empty());
  CHECK_FALSE(complaint("[bridge]\npoll = \"10m to 5s\"\n").empty());
  CHECK_FALSE(complaint("[fetch]\nparallel = 0\n").empty());
}

TEST_CASE("gateways are checked, used for what they are for, and shown without their passwords") {
  for (const char* const url : {"foo", "ftp://x/", "http://", "http://h/?x=1", "https://h/#f", ""})
    CHECK_FALSE(complaint("[gateways]\npublic = [\"" + std::string(url) + "\"]\n").empty());
  CHECK(complaint("[gateways]\nslow = [\"ftp://me:word@h\"]\n").find("word") == std::string::npos);
  CHECK(complaint("[gateways]\nnodes = [{url = \"http://h\", only = [\"nonsense\"]}]\n") ==
        "line 2: gateways.nodes: only: \"nonsense\": want blocks, records or publish");
  const auto s = parse_settings(R"(
[gateways]
nodes = ["http://me:w%40rd@h:8080/x", {url = "https://b.example", only = ["records", "publish"]}]
slow = [{url = "http://u@c", auth = "Bearer t"}]
)",
                                {});
  REQUIRE(s);
  const auto* const config = &s->engine;
  REQUIRE(config->gateways.size() == 3);
  CHECK(config->gateways[0].url == "http://h:8080/x");
  CHECK(config->gateways[0].authorization == "Basic bWU6d0ByZA==");  // me:w@rd
  CHECK(config->gateways[0].uses.blocks);
  CHECK_FALSE(config->gateways[1].uses.blocks);
  CHECK(config->gateways[1].uses.records);
  CHECK(config->gateways[1].uses.publish);
  CHECK(config->gateways[2].url == "http://c");
  CHECK(config->gateways[2].authorization == "Bearer t");
}

TEST_CASE("a proxy for relays is read once, and its password is in no complaint") {
  const auto s = parse_settings("[relays]\nproxy = \"socks5h://me:word@127.0.0.1:9050\"\n", {});
  REQUIRE(s);
  const auto* const config = &s->engine;
  REQUIRE(config->access.proxy);
  CHECK(config->access.proxy->password == "word");
  const std::string said = complaint("[relays]\nproxy = \"socks4://me:word@127.0.0.1:9050\"\n");
  CHECK(said.find("relays.proxy") != std::string::npos);
  CHECK(said.find("word@") == std::string::npos);
}

TEST_CASE("times and sizes read as people write them, and nothing else does") {
  CHECK(*parse_duration("150ms") == milliseconds(150));
  CHECK(*parse_duration("1h30m") == std::chrono::minutes(90));
  CHECK(*parse_duration("2d") == std::chrono::hours(48));
  CHECK(*parse_duration("0") == milliseconds(0));
  for (const char* bad :
       {"", "s", "30", "30 s", "-5s", "1.5s", "5x", "99999999999999999999s", "9999999999h"}) {
    INFO(bad);
    CHECK_FALSE(parse_duration(bad));
  }
  CHECK(*parse_size("512") == 512);
  CHECK(*parse_size("64KiB") == 65'536);
  CHECK(*parse_size("10MB") == 10'000'000);
  for (const char* bad : {"", "KiB", "1 KiB", "-1", "1.5GiB", "1XB", "9223372036854775807KiB"}) {
    INFO(bad);
    CHECK_FALSE(parse_size(bad));
  }
  CHECK(duration_text(milliseconds(90'500)) == "1m30s500ms");
  CHECK(duration_text(std::chrono::hours(48)) == "48h");
}

TEST_CASE("at_rest is obeyed, and what undoes another setting is refused") {
  const auto encrypted = parse_settings("[publish]\nat_rest = \"aes-256-gcm\"\n", {});
  REQUIRE(encrypted);
  CHECK(encrypted->engine.encrypt_at_rest);
  CHECK_FALSE(parse_settings("[relays]\nprivate = true\n[publish]\nannouncer = true\n", {}));
}

TEST_CASE("who decides between devices is one of the nodes, and the rest of that is obeyed (R34)") {
  const auto parse = [](const std::string& publish) {
    return parse_settings(
        "[gateways]\nnodes = [\"http://me:secret@node.example:8081/\"]\n[publish]\n" + publish, {});
  };
  const auto plain = parse("");
  REQUIRE(plain);
  const auto* const config = &plain->engine;
  CHECK(config->publish_decider.empty());
  CHECK(config->publish_settle == Milliseconds(2'000));
  CHECK(config->publish_vector);
  CHECK(config->publish_over == sync::PublishOver::base);
  const auto set = parse(
      "decider = \"http://node.example:8081\"\nsettle = \"5s\"\nvector = false\nover = \"any\"\n");
  REQUIRE(set);
  const auto* const obeyed = &set->engine;
  CHECK(obeyed->publish_decider == "http://node.example:8081");
  CHECK(obeyed->publish_settle == Milliseconds(5'000));
  CHECK_FALSE(obeyed->publish_vector);
  CHECK(obeyed->publish_over == sync::PublishOver::any);
  CHECK(parse("over = \"any\"\n")->engine.publish_over == sync::PublishOver::any);
  CHECK(parse("decider = \"none\"\n"));
  const auto stranger = parse("decider = \"http://other.example\"\n");
  REQUIRE_FALSE(stranger);
  CHECK(stranger.error().message ==
        "line 4: publish.decider: \"http://other.example\" is not one of gateways.nodes: add it "
        "there, or "
        "write \"none\" if no node is to decide");
  CHECK_FALSE(parse("decider = \"node.example\"\n"));
  CHECK_FALSE(parse("over = \"all\"\n"));
  CHECK_FALSE(parse("over = \"seen\"\n"));
  CHECK_FALSE(parse("settle = \"soon\"\n"));
}

TEST_CASE("publish.profile, lifetime, ttl, v1, announcer, previous and fetch.versions are obeyed") {
  const auto s = parse_settings(
      "[publish]\nprofile = \"unixfs-v1-2025\"\nlifetime = \"72h\"\nttl = \"1m\"\nv1 = false\n"
      "announcer = true\nprevious = true\n[fetch]\nversions = 2\n",
      {});
  REQUIRE(s);
  const auto* const config = &s->engine;
  CHECK(config->profile.chunk_bytes == 1 << 20);
  CHECK(config->record_lifetime == std::chrono::hours(72));
  CHECK(config->record_ttl == std::chrono::minutes(1));
  CHECK_FALSE(config->record_v1);
  CHECK(config->record_announcer);
  CHECK(config->record_previous);
  CHECK(config->versions == 2);
  CHECK(parse_settings("", {})->engine.profile.chunk_bytes == 256 << 10);
}

TEST_CASE("settings become the engine's configuration") {
  const auto s = parse_settings(R"(
[relays]
urls = ["wss://Relay.Example/"]
[trust]
authors = ["7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e"]
expired = "reject"
[gateways]
nodes = ["http://a"]
public = ["https://b"]
slow = ["https://c"]
)",
                                {});
  REQUIRE(s);
  const auto* const config = &s->engine;
  CHECK(config->relays.size() == 1);
  CHECK(config->trusted_authors.size() == 1);
  CHECK(config->expired == sync::ExpiredPolicy::reject);
  REQUIRE(config->gateways.size() == 3);
  CHECK(config->gateways[1].tier == 2);
  CHECK(config->gateways[2].tier == 3);
  CHECK(complaint("[relays]\nurls = [\"http://relay.example\"]\n").find("line 2: relays.urls: ") ==
        0);
  CHECK(complaint("[trust]\nauthors = [\"somebody\"]\n")
            .find("line 2: trust.authors: \"somebody\": ") == 0);
}

TEST_CASE("hints are private or public, not both") {
  const auto s = parse_settings("[relays]\nprivate = true", {});
  REQUIRE(s);
  CHECK(s->engine.private_hints);
  CHECK(s->engine.private_hints);
  CHECK_FALSE(parse_settings("", {})->engine.private_hints);
  CHECK(complaint("[relays]\nprivate = true\npublic = true").find("relays.private") !=
        std::string::npos);
}

TEST_CASE("a missing file is the defaults, unless it was asked for by name") {
  const test::TempDir dir;
  CHECK(load_settings(dir.path() / "none.toml", false, {}));
  CHECK_FALSE(load_settings(dir.path() / "none.toml", true, {}));
  std::ofstream(dir.path() / "config.toml") << "[log]\nlevel = \"debug\"\n";
  const auto s = load_settings(dir.path() / "config.toml", true, {});
  REQUIRE(s);
  CHECK(s->log.level == LogLevel::debug);
  CHECK(*default_config_file(Environment{{"HOME", "/home/x"}}) ==
        "/home/x/.config/ipnscast/config.toml");
}

TEST_CASE("the settings of [resolve] reach the engine") {
  const auto s = parse_settings(
      "[resolve]\ncache = \"7s\"\nnegative = \"8s\"\nbreaker_failures = 4\nbreaker = \"9s\"\n", {});
  REQUIRE(s);
  const auto* const config = &s->engine;
  CHECK(config->record_cache == milliseconds(7'000));
  CHECK(config->not_found_cache == milliseconds(8'000));
  CHECK(config->breaker_failures == 4);
  CHECK(config->breaker == milliseconds(9'000));
}

TEST_CASE("the settings of [handover] reach the engine, and nonsense is refused") {
  const auto s = parse_settings("[handover]\nlanes = 7\nhandler_timeout = \"3m\"\n", {});
  REQUIRE(s);
  const auto* const config = &s->engine;
  CHECK(config->handler_lanes == 7);
  CHECK(config->handler_timeout == std::chrono::minutes(3));
  const auto nothing = parse_settings("", {});
  const auto* const defaults = &nothing->engine;
  CHECK(defaults->handler_lanes == 4);
  CHECK(defaults->handler_timeout == std::chrono::minutes(10));
  for (const char* const bad : {"lanes = 0", "lanes = 65", "handler_timeout = \"0\""})
    CHECK(complaint("[handover]\n" + std::string(bad) + "\n").find("handover.") !=
          std::string::npos);
}
