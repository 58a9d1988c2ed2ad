#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/vectors.h"

// IPNS records of ours against Kubo and js-ipns, and theirs against us.
using namespace ipnscast;
using namespace ipnscast::test;
using nlohmann::json;

namespace {

const std::string kSecret = "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35";
const std::string kValue = "/ipfs/bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am";

void write_file(const std::filesystem::path& file, ByteView bytes) {
  std::ofstream(file, std::ios::binary) << as_text(bytes);
}

struct OurRecord {
  std::string what;
  sync::IpnsName name;
  sync::IpnsRecord record;
};

// Every kind of record that we can create.
std::vector<OurRecord> our_records() {
  std::vector<OurRecord> out;
  const Bytes secret = *from_hex(kSecret);
  const auto seeded = sync::IpnsKey::from_bytes(sync::KeyType::ed25519, secret);
  const auto derived = sync::IpnsKey::derive_ed25519(secret);
  const auto nostr = sync::IpnsKey::from_nostr_secret(secret);
  for (const auto& [what, key] : {std::pair{"Ed25519", &*seeded}, std::pair{"derived", &*derived},
                                  std::pair{"secp256k1", &*nostr}}) {
    sync::RecordOptions options{.value = kValue,
                                .sequence = sync::Sequence{7},
                                .eol = sync::Eol::after(system_now().wall, std::chrono::hours(1))};
    out.push_back({std::string(what) + ", V1 and V2", key->name(), *create_record(*key, options)});
    options.v1 = false;
    options.sequence = sync::Sequence{sync::kMaxSequence};
    out.push_back({std::string(what) + ", V2 only", key->name(), *create_record(*key, options)});
    options.extra = {{"_note", *from_hex("6568656c6c6f")}};  // CBOR text "hello"
    out.push_back({std::string(what) + ", extended", key->name(), *create_record(*key, options)});
  }
  return out;
}

}  // namespace

TEST_CASE("Kubo finds every record that we create valid") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  const TempDir work;
  for (const OurRecord& ours : our_records()) {
    INFO(ours.what);
    const auto file = work.path() / "record";
    write_file(file, ours.record.bytes());
    const json answer = json::parse(kubo.ask(
        {"name", "inspect", "--verify=" + ours.name.to_string(), "--enc=json", file.string()}));
    INFO(answer.dump());
    CHECK(answer.at("Validation").at("Valid") == true);
    CHECK(answer.at("Entry").at("Value") == kValue);
    CHECK(answer.at("Entry").at("Sequence") == ours.record.fields().sequence.value);
    CHECK(answer.at("Entry").at("TTL") == 300'000'000'000);
  }
}

TEST_CASE("js-ipns finds every record that we create valid") {
  const auto js = peer("js");
  if (!js) SKIP_TEST(js.error());
  const TempDir work;
  for (const OurRecord& ours : our_records()) {
    INFO(ours.what);
    const auto file = work.path() / "record";
    write_file(file, ours.record.bytes());
    const Ran ran =
        run(node_script(*js, "records.mjs", {"verify", ours.name.to_string(), file.string()}));
    INFO(ran.out + ran.err);
    REQUIRE(ran.exit == 0);
    const json answer = json::parse(ran.out);
    CHECK(answer.at("valid") == true);
    CHECK(answer.value("value", "") == kValue);
    CHECK(answer.value("sequence", "") == std::to_string(ours.record.fields().sequence.value));
  }
}

TEST_CASE("S1-18 a node takes a record that we created and hands out the same bytes") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  kubo.start();
  const TempDir work;
  for (const OurRecord& ours : our_records()) {
    if (ours.what.find("V1 and V2") == std::string::npos) continue;
    INFO(ours.what);
    const auto file = work.path() / "record";
    write_file(file, ours.record.bytes());
    kubo.ask({"name", "put", "--allow-offline", ours.name.to_string(), file.string()});
    const Ran got = kubo.ipfs({"name", "get", ours.name.to_string()});
    CHECK(got.out == as_text(ours.record.bytes()));
  }
}

TEST_CASE("S1-18 records that Kubo publishes verify for us") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  kubo.start();
  const std::string cid = kubo.ask({"add", "-Q", "--cid-version=1"}, "some content\n");
  for (const std::string type : {"ed25519", "rsa"}) {
    kubo.ask({"key", "gen", "--type=" + type, type});
    for (const std::string v1 : {"true", "false"}) {
      INFO(type << ", V1 copies: " << v1);
      const std::string text =
          kubo.ask({"name", "publish", "--allow-offline", "-Q", "--key=" + type, "--v1compat=" + v1,
                    "--ttl=90s", "/ipfs/" + cid});
      const auto name = sync::IpnsName::parse(text);
      REQUIRE(name);
      CHECK(name->to_string() == text);
      const Ran got = kubo.ipfs({"name", "get", text});
      REQUIRE(got.exit == 0);
      const auto record = sync::verify_record(*name, as_bytes(got.out), system_now().wall);
      REQUIRE(record);
      CHECK(record->fields().value == "/ipfs/" + cid);
      CHECK(record->fields().ttl_ns == 90'000'000'000);
      CHECK(record->key_type() == (type == "rsa" ? sync::KeyType::rsa : sync::KeyType::ed25519));
      const sync::IpnsName stranger = our_records().front().name;
      CHECK_FALSE(sync::verify_record(stranger, as_bytes(got.out), system_now().wall));
    }
  }
}

TEST_CASE("what `record create` writes is valid for Kubo, and Kubo's record for `record inspect`") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  kubo.start();
  const TempDir work;
  const std::string secret = (work.path() / "secret").string();
  const std::string file = (work.path() / "record").string();
  write_file(secret, as_bytes(kSecret));
  std::filesystem::permissions(secret, std::filesystem::perms::owner_read);
  for (const std::string type : {"ed25519", "secp256k1"}) {
    INFO(type);
    const Ran created =
        run(our_program({"record", "create", "--secret-file", secret, "--type", type, "--value",
                         kValue, "--sequence", "7", "--v1", "--data", "_note=hello", "-o", file}));
    INFO(created.err);
    REQUIRE(created.exit == 0);
    const std::string name = created.out.substr(0, created.out.find('\n'));
    const json answer =
        json::parse(kubo.ask({"name", "inspect", "--verify=" + name, "--enc=json", file}));
    CHECK(answer.at("Validation").at("Valid") == true);
    CHECK(answer.at("Entry").at("Value") == kValue);
    CHECK(answer.at("Entry").at("Sequence") == 7);
  }

  const std::string value = "/ipfs/" + kubo.ask({"add", "-Q", "--cid-version=1"}, "content\n");
  const std::string name =
      kubo.ask({"name", "publish", "--allow-offline", "-Q", "--sequence=41", value});
  write_file(file, as_bytes(kubo.ipfs({"name", "get", name}).out));
  const Ran ran = run(our_program({"--json", "record", "inspect", "--name", name, file}));
  INFO(ran.out + ran.err);
  REQUIRE(ran.exit == 0);
  const json answer = json::parse(ran.out);
  CHECK(answer.at("valid") == true);
  CHECK(answer.at("name") == name);
  CHECK(answer.at("value") == value);
  CHECK(answer.at("sequence") == "41");
}
