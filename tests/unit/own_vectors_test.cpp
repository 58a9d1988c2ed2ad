#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/check.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/sync/hint/private_hint.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/vectors.h"

// What software that others wrote made of the same rules: tests/vectors/*.json, each with the
// script beside it that wrote it.
using namespace ipnscast;
using nlohmann::json;

namespace {

constexpr UnixMillis kNow{1'790'000'000'000};  // 2026

// A copy, because the loops below run over it.
json rows(const char* file, const char* member) {
  return json::parse(test::read_file(test::own_vectors() / file)).at(member);
}

}  // namespace

TEST_CASE("records made by js-ipns, whole and altered, get the answer they must") {
  size_t checked = 0;
  for (const json& row : rows("records.json", "records")) {
    INFO(row.at("what").get<std::string>());
    const auto name = sync::IpnsName::parse(row.at("name").get<std::string>());
    REQUIRE(name);
    const auto bytes = from_base64(row.at("record").get<std::string>(), 20000);
    REQUIRE(bytes);
    const auto record = sync::verify_record(*name, *bytes, kNow);
    CHECK((record ? "" : std::string(to_string(record.error().fault))) ==
          row.at("reason").get<std::string>());
    ++checked;
    const sync::IpnsRecord* known = record ? &*record : nullptr;
    if (!record && record.error().expired_record) known = &*record.error().expired_record;
    CHECK((known != nullptr) == row.contains("value"));
    if (known == nullptr || !row.contains("value")) continue;
    CHECK(known->fields().value == row.at("value").get<std::string>());
    CHECK(std::to_string(known->fields().sequence.value) == row.at("sequence").get<std::string>());
    CHECK(known->fields().eol == sync::Eol::parse(row.at("validity").get<std::string>()));
    CHECK(std::to_string(*known->fields().ttl_ns) == row.at("ttl_ns").get<std::string>());
    for (const json& extra : row.value("extra", json::array())) {
      CHECK(known->fields().extra.contains(extra.get<std::string>()));
    }
  }
  CHECK(checked == 28);
}

TEST_CASE("a record that the network takes is taken here, and no other (F3)") {
  size_t valid = 0, refused = 0, on_purpose = 0;
  for (const json& row : rows("record_kinds.json", "records")) {
    INFO(row.at("what").get<std::string>());
    const auto name = sync::IpnsName::parse(row.at("name").get<std::string>());
    REQUIRE(name);
    const auto bytes = from_base64(row.at("record").get<std::string>(), 20000);
    REQUIRE(bytes);
    const auto record = sync::verify_record(*name, *bytes, kNow);
    INFO(row.at("boxo").get<std::string>() << " / " << (record ? "" : record.error().message));
    const bool boxo = row.at("boxo") == "valid";
    // Where ours is another verdict the row says why, and then it is the stricter one.
    const bool ours = row.contains("ours");
    on_purpose += ours ? 1 : 0;
    CHECK(record.has_value() == (boxo && !ours));
    CHECK((boxo || !ours));
    ++(record ? valid : refused);
    if (!record || !boxo) continue;
    const auto& fields = record->fields();
    CHECK(std::to_string(fields.sequence.value) == row.value("sequence", "0"));
    CHECK(std::to_string(fields.eol.seconds) == row.at("seconds").get<std::string>());
    CHECK(fields.eol.nanoseconds == row.value("nanoseconds", 0));
    CHECK((fields.ttl_ns ? std::to_string(*fields.ttl_ns) : "") == row.value("ttl_ns", ""));
    if (row.contains("value")) CHECK(fields.value == row.at("value").get<std::string>());
    CHECK(sync::peek_record(*bytes).has_value());
  }
  CHECK(valid >= 88);
  CHECK(refused >= 70);
  CHECK(on_purpose == 15);
}

TEST_CASE("of two records that boxo can compare, the same one wins here (F3)") {
  std::vector<sync::IpnsRecord> records;
  for (const json& row : rows("record_kinds.json", "records")) {
    const auto name = sync::IpnsName::parse(row.at("name").get<std::string>());
    const auto bytes = from_base64(row.at("record").get<std::string>(), 20000);
    auto record = sync::verify_record(*name, *bytes, kNow);
    if (record && row.contains("sequence")) records.push_back(std::move(*record));
  }
  REQUIRE(records.size() >= 80);
  const auto rank = [](const sync::IpnsRecord& record) {
    const auto& fields = record.fields();
    return std::make_tuple(fields.sequence.value, fields.eol.seconds, fields.eol.nanoseconds);
  };
  size_t compared = 0;
  for (const auto& a : records) {
    for (const auto& b : records) {
      if (rank(a) == rank(b)) continue;
      ++compared;
      CHECK(sync::better(a, b) == (rank(a) > rank(b)));
    }
  }
  CHECK(compared > 1000);
}

TEST_CASE("what others put into a record of ours is still there after a renewal (F3)") {
  const auto key = sync::IpnsKey::from_bytes(sync::KeyType::ed25519, Bytes(32, 7));
  REQUIRE(key);
  for (const json& row : rows("record_kinds.json", "records")) {
    INFO(row.at("what").get<std::string>());
    const auto name = sync::IpnsName::parse(row.at("name").get<std::string>());
    const auto bytes = from_base64(row.at("record").get<std::string>(), 20000);
    const auto record = sync::verify_record(*name, *bytes, kNow);
    if (!record || record->fields().extra.empty()) continue;
    const auto renewed = sync::create_record(*key, {.value = "/ipfs/bafkqaaa",
                                                    .sequence = {8},
                                                    .eol = record->fields().eol,
                                                    .extra = record->fields().extra});
    REQUIRE(renewed);
    const auto again = sync::verify_record(key->name(), renewed->bytes(), kNow);
    REQUIRE(again);
    CHECK(again->fields().extra == record->fields().extra);
  }
}

TEST_CASE(
    "events made by nostr-tools with awkward characters, and altered ones, get the answer "
    "they must") {
  size_t checked = 0;
  for (const json& row : rows("events.json", "events")) {
    INFO(row.at("what").get<std::string>());
    const auto event = nostr::check_event(row.at("text").get<std::string>());
    CHECK((event ? "" : std::string(to_string(event.error().fault))) ==
          row.at("reason").get<std::string>());
    ++checked;
    if (!event || row.at("reason") != "") continue;
    CHECK(to_hex(event->id.view()) == row.at("id").get<std::string>());
    const auto again = nostr::check_event(nostr::to_json(*event));
    REQUIRE(again);
    CHECK(*again == *event);
  }
  CHECK(checked == 42);
}

TEST_CASE("an event that we sign has the id that nostr-tools gives the same fields") {
  for (const json& row : rows("events.json", "events")) {
    if (row.at("reason") != "") continue;
    INFO(row.at("what").get<std::string>());
    const auto theirs = nostr::parse_event(row.at("text").get<std::string>());
    REQUIRE(theirs);
    CHECK(nostr::compute_id(*theirs) == theirs->id);
  }
}

TEST_CASE("the IPNS names of a Nostr key are those that libp2p computes, in every spelling") {
  for (const json& row : rows("names.json", "names")) {
    const auto secret = nostr::SecretKey::parse(row.at("nsec").get<std::string>());
    REQUIRE(secret);
    CHECK(to_hex(secret->secret_view()) == row.at("secret").get<std::string>());
    CHECK(to_hex(secret->public_key().view()) == row.at("pubkey").get<std::string>());

    const auto ed25519 = sync::IpnsKey::derive_ed25519(secret->secret_view());
    REQUIRE(ed25519);
    CHECK(to_hex(ed25519->secret_view()) == row.at("seed").get<std::string>());
    const auto secp256k1 = sync::IpnsKey::from_nostr_secret(secret->secret_view());
    REQUIRE(secp256k1);
    CHECK(secp256k1->name() == sync::IpnsName::from_nostr_key(secret->public_key().view()));

    for (const auto& [type, name] :
         {std::pair{"ed25519", ed25519->name()}, std::pair{"secp256k1", secp256k1->name()}}) {
      INFO(type);
      const json& spelling = row.at(type);
      CHECK(name.to_string() == spelling.at("k51").get<std::string>());
      CHECK(name.base58() == spelling.at("b58").get<std::string>());
      CHECK(name.base32() == spelling.at("b32").get<std::string>());
      CHECK(to_hex(name.bytes()) == spelling.at("hex").get<std::string>());
      for (const char* form : {"k51", "b58", "b32"}) {
        CHECK(sync::IpnsName::parse(spelling.at(form).get<std::string>()) == name);
      }
    }
  }
}

TEST_CASE("private hints made by nostr-tools are found under our d and read") {
  size_t checked = 0;
  for (const json& row : rows("private_hints.json", "hints")) {
    const auto signer =
        nostr::make_local_signer(*nostr::SecretKey::parse(row.at("secret").get<std::string>()));
    auto key = signer->derive(sync::kPrivateKeyInfo);
    REQUIRE(key);
    CHECK(to_hex(key->view()) == row.at("key").get<std::string>());
    const sync::PrivateNames names(std::move(*key));
    const auto name = sync::IpnsName::parse(row.at("name").get<std::string>());
    REQUIRE(name);
    CHECK(names.d_of(*name) == row.at("d_ed25519").get<std::string>());
    const nostr::PublicKey author = signer->public_key();
    CHECK(names.d_of(sync::IpnsName::from_nostr_key(author.view())) ==
          row.at("d_secp256k1").get<std::string>());

    const auto event = nostr::check_event(row.at("event").get<std::string>());
    REQUIRE(event);
    CHECK(sync::is_private_hint(*event, author));
    const auto text =
        nostr::nip44_decrypt_blocking(*signer, event->content, author, Milliseconds(5'000));
    REQUIRE(text);
    const auto hint = sync::parse_private_hint(*event, *text, names);
    REQUIRE(hint);
    CHECK(hint->name == *name);
    CHECK(hint->cid.to_string() == row.at("cid").get<std::string>());
    CHECK(std::to_string(hint->sequence->value) == row.at("sequence").get<std::string>());
    ++checked;
  }
  CHECK(checked == 10);
}
