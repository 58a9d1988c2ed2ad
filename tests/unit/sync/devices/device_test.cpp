#include "ipnscast/sync/devices/device.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/devices/device_event.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

IpnsName name_of(uint8_t tag) {
  return IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, tag))->name();
}

}  // namespace

TEST_CASE("what a device says of itself comes back as it was said (S3-06)") {
  Device device{.id = "3fa9c1d2e5",
                .name = "laptop",
                .platform = "Linux x86_64",
                .version = "0.1.0",
                .at = {1'700'000'000'123}};
  device.applied[name_of(1)] = {{Sequence{7}, "/ipfs/bafkqaaa"}, {1'700'000'000'000}};
  device.applied[name_of(2)] = {{Sequence{kMaxSequence}, "/ipfs/bafkqaaa/x"}, {5}};
  const auto back = decode_device(encode_device(device));
  REQUIRE(back);
  CHECK(back->id == device.id);
  CHECK(back->label() == "laptop");
  CHECK(back->platform == device.platform);
  CHECK(back->version == device.version);
  CHECK(back->at.value == device.at.value);
  REQUIRE(back->applied.size() == 2);
  const Applied& one = back->applied.at(name_of(1));
  CHECK(one.version == Version{Sequence{7}, "/ipfs/bafkqaaa"});
  CHECK(one.at.value == 1'700'000'000'000);
  CHECK(back->applied.at(name_of(2)).version.sequence == Sequence{kMaxSequence});
}

TEST_CASE("a device has taken a version in when it has that one or a later one (S3-26)") {
  Device device{.id = "3fa9c1d2e5"};
  CHECK(device.label() == "3fa9c1d2");
  device.applied[name_of(1)] = {{Sequence{7}, "/ipfs/a"}, {}};
  CHECK(device.has_applied(name_of(1), {Sequence{7}, "/ipfs/a"}));
  CHECK(device.has_applied(name_of(1), {Sequence{6}, "/ipfs/b"}));
  CHECK_FALSE(device.has_applied(name_of(1), {Sequence{7}, "/ipfs/b"}));
  CHECK_FALSE(device.has_applied(name_of(1), {Sequence{8}, "/ipfs/a"}));
  CHECK_FALSE(device.has_applied(name_of(2), {Sequence{1}, "/ipfs/a"}));
}

TEST_CASE("what is no device is refused, and what is odd in one is left out (R38)") {
  for (const char* const text :
       {"", "[]", "7", "{", "{}", R"({"deviceId":7})", R"({"deviceId":""})"}) {
    INFO(text);
    CHECK_FALSE(decode_device(text));
  }
  const std::string k51 = name_of(1).to_string();
  for (const std::string& names :
       {std::string("7"), std::string("[1]"),
        std::string(R"({"k51":{"sequence":"1","value":"/ipfs/a"}})"), "{\"" + k51 + "\":7}",
        "{\"" + k51 + R"(":{"sequence":1,"value":"/ipfs/a"}})",
        "{\"" + k51 + R"(":{"sequence":"-1","value":"/ipfs/a"}})",
        "{\"" + k51 + R"(":{"sequence":"18446744073709551616","value":"/ipfs/a"}})",
        "{\"" + k51 + R"(":{"sequence":"1","value":")" + std::string(5'000, 'x') + "\"}}"}) {
    INFO(names.substr(0, 100));
    const auto device = decode_device(R"({"deviceId":"d","names":)" + names + "}");
    REQUIRE(device);
    CHECK(device->applied.empty());
  }
  std::string many = R"({"deviceId":"d","name":")" + std::string(9'000, 'n') + R"(","names":{)";
  for (int i = 0; i < 300; ++i) {
    Bytes seed(32, 9);
    seed[0] = static_cast<uint8_t>(i);
    seed[1] = static_cast<uint8_t>(i / 256);
    many += (i > 0 ? ",\"" : "\"") +
            IpnsKey::from_bytes(KeyType::ed25519, seed)->name().to_string() +
            R"(":{"sequence":"1","value":"/ipfs/a"})";
  }
  const auto device = decode_device(many + "}}");
  REQUIRE(device);
  CHECK(device->applied.size() == kMostApplied);
  CHECK(device->name.size() == 200);
}

TEST_CASE("an event of a device hides its id, and is told from others by its author and d") {
  const auto secret = SecretBytes<32>::from(Bytes(32, 1));
  const std::string d = device_d(secret, "3fa9c1d2e5");
  CHECK(d.size() == std::string("ipnscast-device-").size() + 32);
  CHECK(d.find("3fa9c1d2e5") == std::string::npos);
  CHECK(d != device_d(SecretBytes<32>::from(Bytes(32, 2)), "3fa9c1d2e5"));
  const auto draft = make_device_event(d, "payload", {1});
  nostr::Event event;
  event.kind = draft.kind;
  event.tags = draft.tags;
  event.content = draft.content;
  event.pubkey.bytes.fill(3);
  CHECK(is_device_event(event, event.pubkey));
  CHECK_FALSE(is_device_event(event, {}));
  nostr::Event other = event;
  other.tags[0][1] = "ipns-sync-k51";
  CHECK_FALSE(is_device_event(other, event.pubkey));
  other = event;
  other.content.assign(kMaxDevicePayload + 1, 'x');
  CHECK_FALSE(is_device_event(other, event.pubkey));
  CHECK(device_filter(event.pubkey).authors == std::vector{event.pubkey});
}
