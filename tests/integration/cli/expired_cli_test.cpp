// What commands make of a record whose time is over, and of what a record says beyond its value.
#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/sync/resolve/record_extra.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using namespace sync;
using nlohmann::json;
using test::ScriptedAnswer;
using test::ScriptedRequest;

IpnsKey key() { return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 3))); }

IpnsRecord record(std::chrono::hours lifetime, std::map<std::string, Bytes> extra = {}) {
  return *create_record(key(), {.value = "/ipfs/bafkqaddwgevxmmraojswg33smq",
                                .sequence = {9},
                                .eol = Eol::after(system_now().wall, lifetime),
                                .extra = std::move(extra)});
}

// A gateway that has one record, and nothing else.
struct Gateway {
  explicit Gateway(const IpnsRecord& kept)
      : server([body = std::string(as_text(kept.bytes()))](const ScriptedRequest& request) {
          if (request.target.find("/ipns/" + key().name().to_string()) == std::string::npos)
            return ScriptedAnswer{.status = 404};
          return ScriptedAnswer{.headers = {{"Content-Type", "application/vnd.ipfs.ipns-record"}},
                                .body = body};
        }) {}
  test::ScriptedHttpServer server;
  test::TempDir folder;

  test::Ran run(std::vector<std::string> arguments, const std::string& expired) const {
    test::Command out;
    out.argv = {IPNSCAST_BINARY_DIR "/tools/ipnscast", "--json", "--state",
                (folder.path() / "state").string()};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    out.environment = {{"XDG_CONFIG_HOME", (folder.path() / "config").string()},
                       {"IPNSCAST_GATEWAYS_NODES", server.url()},
                       {"IPNSCAST_TRUST_EXPIRED", expired}};
    return test::run(out);
  }
};

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
