// What commands make of a record whose time is over, and of what a record says beyond its value.
#include <atomic>
#include <csignal>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "ipnscast/sync/resolve/record_extra.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using namespace sync;
using nlohmann::json;
using test::ScriptedAnswer;
using test::ScriptedRequest;

IpnsKey key() { return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 3))); }

constexpr const char* kValue = "/ipfs/bafkqaddwgevxmmraojswg33smq";

IpnsRecord record(std::chrono::hours lifetime, std::map<std::string, Bytes> extra = {},
                  uint64_t sequence = 9, const char* value = kValue) {
  return *create_record(key(), {.value = value,
                                .sequence = {sequence},
                                .eol = Eol::after(system_now().wall, lifetime),
                                .extra = std::move(extra)});
}

ScriptedAnswer answer_with(const std::string& body, const ScriptedRequest& request) {
  if (request.target.find("/ipns/" + key().name().to_string()) == std::string::npos)
    return ScriptedAnswer{.status = 404};
  return ScriptedAnswer{.headers = {{"Content-Type", "application/vnd.ipfs.ipns-record"}},
                        .body = body};
}

// A gateway that has one record, and nothing else.
struct Gateway {
  explicit Gateway(const IpnsRecord& kept)
      : server([body = std::string(as_text(kept.bytes()))](const ScriptedRequest& request) {
          return answer_with(body, request);
        }) {}
  test::ScriptedHttpServer server;
  test::TempDir folder;

  test::Ran run(std::vector<std::string> arguments, const std::string& expired) const {
    test::Command out;
    out.argv = {test::program(), "--json", "--state", (folder.path() / "state").string()};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    out.environment = {{"XDG_CONFIG_HOME", (folder.path() / "config").string()},
                       {"IPNSCAST_GATEWAYS_NODES", server.url()},
                       {"IPNSCAST_TRUST_EXPIRED", expired}};
    return test::run(out);
  }
};

// Gateways of which one has a record for everybody, the others none: one after the other.
class GatewaysInTurn {
 public:
  explicit GatewaysInTurn(const std::vector<IpnsRecord>& records) {
    for (size_t i = 0; i < records.size(); ++i) {
      servers_.push_back(std::make_unique<test::ScriptedHttpServer>(
          [this, i, body = std::string(as_text(records[i].bytes()))](const ScriptedRequest& asked) {
            return turn_ == i ? answer_with(body, asked) : ScriptedAnswer{.status = 404};
          }));
    }
  }
  std::string urls() const {
    std::string out;
    for (const auto& server : servers_) out += (out.empty() ? "" : ",") + server->url();
    return out;
  }
  // Returns when all were asked twice since then, so that one round was answered whole.
  bool let_answer(size_t which) {
    turn_ = which;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    for (const auto& server : servers_) {
      const size_t wanted = server->count("/ipns/") + 2;
      while (server->count("/ipns/") < wanted) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
    return true;
  }

 private:
  std::atomic<size_t> turn_{0};
  std::vector<std::unique_ptr<test::ScriptedHttpServer>> servers_;
};

// What a watch told, as "change 5".
std::vector<std::string> told(const std::string& output) {
  std::vector<std::string> out;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const json event = json::parse(line, nullptr, false);
    if (!event.is_object() || !event.contains("event")) continue;
    if (event.at("event") == "trouble") continue;  // it says why nothing is told
    out.push_back(event.at("event").get<std::string>() + " " +
                  event.at("sequence").get<std::string>());
  }
  return out;
}

}  // namespace

TEST_CASE("an expired record is the last good answer, or none, as trust.expired says (R22)") {
  const Gateway gateway(record(std::chrono::hours(-1)));
  const std::string name = key().name().to_string();
  const auto kept = gateway.run({"resolve", name}, "last-good");
  INFO(kept.err);
  CHECK(kept.exit == 0);
  const json found = json::parse(kept.out);
  CHECK(found.at("found") == true);
  CHECK(found.at("expired") == true);
  CHECK(found.at("sequence") == "9");
  const auto refused = gateway.run({"resolve", name}, "reject");
  CHECK(refused.exit == 1);
  CHECK(json::parse(refused.out).at("found") == false);
  CHECK(json::parse(refused.err).at("error").at("code") == "expired");

  const std::string out = (gateway.folder.path() / "out").string();
  CHECK(gateway.run({"get", name, "-o", out}, "reject").exit == 1);
  CHECK_FALSE(std::filesystem::exists(out));
  const auto got = gateway.run({"get", name, "-o", out}, "last-good");
  INFO(got.err);
  CHECK(got.exit == 0);
  std::string text;
  std::getline(std::ifstream(out) >> std::ws, text);
  CHECK(text == "v1+v2 record");
}

TEST_CASE(
    "of an expired record and a valid one below it, which two gateways have in turn, is told once "
    "what is to be told, also over the next watch on this state (R22, R36)") {
  using Strings = std::vector<std::string>;
  const std::chrono::hours hour(1);
  GatewaysInTurn gateways({record(-hour, {}, 6, "/ipfs/bafkqaalb"), record(hour, {}, 5),
                           record(hour, {}, 7, "/ipfs/bafkqaalc")});
  const test::TempDir folder;
  test::Command command;
  command.argv = {test::program(), "--json",
                  "--state",       (folder.path() / "state").string(),
                  "watch",         key().name().to_string()};
  command.environment = {{"XDG_CONFIG_HOME", (folder.path() / "config").string()},
                         {"IPNSCAST_GATEWAYS_NODES", gateways.urls()},
                         {"IPNSCAST_SOURCES_POLL_MIN", "200ms"},
                         {"IPNSCAST_SOURCES_POLL_MAX", "200ms"}};
  const auto watch = [&](const std::vector<size_t>& turns) {
    test::Process running(command);
    for (const size_t turn : turns) CHECK(gateways.let_answer(turn));
    running.signal(SIGINT);
    const auto ran = running.wait(std::chrono::seconds(120));
    REQUIRE(ran);
    INFO(ran->out << ran->err);
    CHECK(ran->exit == 0);
    return told(ran->out);
  };
  // The valid one was taken in before it turned out not to be the newest; or it never is, as nobody
  // goes below what was there once.
  const bool expired_first = GENERATE(false, true);
  const size_t first = expired_first ? 0 : 1;
  CHECK(watch({first, 1 - first, first, 1 - first}) ==
        (expired_first ? Strings{} : Strings{"change 5", "stale 5"}));
  CHECK(watch({1 - first}) == Strings{});
  CHECK(watch({2, first}) == Strings{"change 7"});
}

TEST_CASE("resolve and record inspect show the announcer and the value before") {
  const auto author = nostr::SecretKey::generate().public_key();
  const Cid before = *make_cid(Codec::raw, as_bytes("before"));
  const auto kept = record(
      std::chrono::hours(1),
      {{kAnnouncerKey, encode_announcer({author, {*nostr::RelayUrl::parse("wss://r.example")}})},
       {kPreviousKey, encode_previous(before)}});
  const Gateway gateway(kept);
  const auto check = [&](const json& shown) {
    CHECK(shown.at("announcer").at("pubkey").get<std::string>().rfind("npub1", 0) == 0);
    CHECK(shown.at("announcer").at("relays").size() == 1);
    CHECK(shown.at("previous") == before.to_string());
  };
  const std::string name = key().name().to_string();
  const auto resolved = gateway.run({"resolve", name}, "reject");
  INFO(resolved.err);
  REQUIRE(resolved.exit == 0);
  check(json::parse(resolved.out));
  const auto file = gateway.folder.path() / "record";
  std::ofstream(file, std::ios::binary) << as_text(kept.bytes());
  const auto inspected =
      gateway.run({"record", "inspect", "--name", name, file.string()}, "reject");
  REQUIRE(inspected.exit == 0);
  check(json::parse(inspected.out));
}

}  // namespace ipnscast
