// What becomes of wrong calls of the C API.
#include <set>

#include "ipnscast/sync/keys/key_store.h"
#include "ipnscast/tests/integration/c_api/c_device.h"

using namespace ipnscast;
using namespace ipnscast::test;

extern "C" const char* c99_nulls(void);
namespace ipnscast::test {
const char* version_for_cxx11();
}

namespace {

int set_code(const COwned<ipnscast_config>& config, const std::string& key,
             const std::string& value, CError& error) {
  return ipnscast_config_set(config.get(), key.data(), key.size(), value.data(), value.size(),
                             error.out());
}

std::string secret_text() { return std::string(63, '0') + "1"; }

}  // namespace

TEST_CASE("no call of the C API trips over NULL, in a C99 program") {
  const char* wrong = c99_nulls();
  INFO((wrong == nullptr ? "" : wrong));
  CHECK(wrong == nullptr);
  CHECK(std::string(version_for_cxx11()) == ipnscast_version());
}

TEST_CASE("every code, kind and source has its words, and so has what a newer version adds") {
  std::set<std::string> words;
  for (int code = IPNSCAST_OK; code <= IPNSCAST_NO_MEMORY; ++code)
    words.insert(ipnscast_strerror(code));
  CHECK(words.size() == IPNSCAST_NO_MEMORY + 1);
  CHECK_FALSE(words.contains(ipnscast_strerror(IPNSCAST_NO_MEMORY + 1)));
  CHECK_FALSE(words.contains(ipnscast_strerror(-1)));
  CHECK(std::string(ipnscast_kind_name(IPNSCAST_KIND_LOST)) == "lost");
  CHECK(std::string(ipnscast_source_name(IPNSCAST_SOURCE_SSE)) == "sse");
  CHECK(std::string(ipnscast_kind_name(99)) == "unknown");
  CHECK(std::string(ipnscast_source_name(0)) == "unknown");
}

TEST_CASE("a setting that there is not, or a value that it does not take, is refused by name") {
  const auto config = c_config();
  CError error;
  CHECK(set_code(config, "relays.url", "ws://127.0.0.1:1", error) == IPNSCAST_INVALID);
  CHECK(error.message().find("\"relays.url\"") != std::string::npos);
  CHECK(set_code(config, "relays.urls", "http://127.0.0.1:1", error) == IPNSCAST_INVALID);
  CHECK(error.message().find("relays.urls") == 0);
  CHECK(set_code(config, "sources.poll_min", "soon", error) == IPNSCAST_INVALID);
  CHECK(set_code(config, "state_dir", "", error) == IPNSCAST_INVALID);
  CHECK(set_code(config, "state_dir", std::string("a\0b", 3), error) == IPNSCAST_INVALID);
  CHECK(set_code(config, "relays.public", "true", error) == IPNSCAST_OK);
  CHECK(error.error == nullptr);
  ipnscast_client* client = nullptr;
  CHECK(ipnscast_open(config.get(), &client, error.out()) == IPNSCAST_INVALID);
  CHECK(error.message().find("state directory") != std::string::npos);
  CHECK(client == nullptr);
}

TEST_CASE(
    "options of an older program are taken, those of a newer one only if it asks for nothing new") {
  World world;
  const auto client = c_open(world, "one");
  const std::string name = world.key.name().to_string();
  CError error;
  const auto follow = [&](const void* options) {
    return ipnscast_follow(client.get(), name.data(), name.size(), nullptr, nullptr,
                           static_cast<const ipnscast_follow_options*>(options), error.out());
  };
  struct {
    ipnscast_follow_options known = IPNSCAST_FOLLOW_OPTIONS_INIT;
    uint64_t added = 0;
  } newer;
  newer.known.struct_size = sizeof(newer);
  CHECK(follow(&newer) == IPNSCAST_OK);
  newer.added = 1;
  CHECK(follow(&newer) == IPNSCAST_INVALID);
  CHECK(error.message().find("newer") != std::string::npos);
  // Only its size, and garbage behind it.
  struct {
    size_t struct_size = sizeof(size_t);
    int garbage = -1;
  } older;
  CHECK(follow(&older) == IPNSCAST_OK);
  for (const size_t wrong : {size_t{0}, size_t{7}, SIZE_MAX}) {
    older.struct_size = wrong;
    CHECK(follow(&older) == IPNSCAST_INVALID);
    CHECK(error.message().find("struct_size") == 0);
  }
}

TEST_CASE("names, keys, times and answers that make no sense are refused") {
  World world;
  const auto client = c_open(world, "one");
  const auto key = c_key(world);
  CError error;
  CHECK(ipnscast_follow(client.get(), "k51nonsense", IPNSCAST_NUL, nullptr, nullptr, nullptr,
                        error.out()) == IPNSCAST_PARSE);
  CHECK(ipnscast_follow(client.get(), "", 0, nullptr, nullptr, nullptr, error.out()) ==
        IPNSCAST_INVALID);
  const std::string name = world.key.name().to_string();
  CHECK(ipnscast_unfollow(client.get(), name.data(), name.size(), error.out()) ==
        IPNSCAST_NOT_FOUND);
  ipnscast_key* none = nullptr;
  CHECK(ipnscast_key_parse("nsec1nonsense", IPNSCAST_NUL, &none, error.out()) == IPNSCAST_PARSE);
  CHECK(error.message().find("nonsense") == std::string::npos);  // it may be a secret
  CHECK(ipnscast_dispatch(client.get(), -2, nullptr) == IPNSCAST_INVALID);
  ipnscast_event* event = nullptr;
  CHECK(ipnscast_wait(client.get(), -2, &event) == IPNSCAST_INVALID);
  CHECK(ipnscast_wait(client.get(), 0, nullptr) == IPNSCAST_INVALID);
  CHECK(ipnscast_wait(client.get(), 1, &event) == IPNSCAST_TIMEOUT);
  CHECK(ipnscast_acknowledge(client.get(), 1, 0, 0) == IPNSCAST_INVALID);
  CHECK(ipnscast_acknowledge(client.get(), 1, IPNSCAST_RETRY, -1) == IPNSCAST_INVALID);
  CHECK(ipnscast_acknowledge(client.get(), 1, IPNSCAST_APPLIED, 0) == IPNSCAST_NOT_FOUND);
  ipnscast_publish_options options = IPNSCAST_PUBLISH_OPTIONS_INIT;
  options.settle = 9;
  CHECK(ipnscast_publish(client.get(), key.get(), "/nowhere", IPNSCAST_NUL, &options, nullptr,
                         error.out()) == IPNSCAST_INVALID);
  options = IPNSCAST_PUBLISH_OPTIONS_INIT;
  options.timeout_ms = -1;
  CHECK(ipnscast_publish(client.get(), key.get(), "/nowhere", IPNSCAST_NUL, &options, nullptr,
                         error.out()) == IPNSCAST_INVALID);
  options = IPNSCAST_PUBLISH_OPTIONS_INIT;
  options.has_base = 1;
  CHECK(ipnscast_publish(client.get(), key.get(), "/nowhere", IPNSCAST_NUL, &options, nullptr,
                         error.out()) == IPNSCAST_INVALID);
  CHECK(ipnscast_announce(client.get(), name.data(), name.size(), "bafkqaaa", IPNSCAST_NUL,
                          UINT64_MAX, 0, nullptr, error.out()) == IPNSCAST_INVALID);
}

TEST_CASE("a key is kept in a folder of keys and found there again, with or without a password") {
  const TempDir dir;
  const std::string folder = (dir.path() / "keys").string();
  ipnscast_key* made = nullptr;
  REQUIRE(ipnscast_key_generate(&made) == IPNSCAST_OK);
  const COwned<ipnscast_key> key(made);
  const auto store = [&](const char* label) {
    return ipnscast_key_store(key.get(), folder.c_str(), folder.size(), label, IPNSCAST_NUL,
                              nullptr);
  };
  const auto load = [&](const char* label, const char* password) {
    ipnscast_key* out = nullptr;
    const int code = ipnscast_key_load(folder.c_str(), IPNSCAST_NUL, label, IPNSCAST_NUL, password,
                                       IPNSCAST_NUL, &out, nullptr);
    return std::pair(code, COwned<ipnscast_key>(out));
  };
  CHECK(load("self", nullptr).first == IPNSCAST_NOT_FOUND);
  REQUIRE(store("self") == IPNSCAST_OK);
  CHECK(store("self") == IPNSCAST_CONFLICT);
  CHECK(store("../self") == IPNSCAST_INVALID);
  const auto [code, loaded] = load("self", nullptr);
  REQUIRE(code == IPNSCAST_OK);
  CHECK(text_of(ipnscast_key_name(loaded.get())) == text_of(ipnscast_key_name(key.get())));
  CHECK(text_of(ipnscast_key_author(loaded.get())).size() == 64);
  REQUIRE(sync::KeyStore(folder).encrypt("self", "a password", 4));
  CHECK(load("self", nullptr).first == IPNSCAST_REFUSED);
  CHECK(load("self", "another").first == IPNSCAST_SIGNATURE);
  CHECK(load("self", "a password").first == IPNSCAST_OK);
  // One that signs no events is no signer.
  const auto plain = *sync::StoredKey::from_text(sync::StoredKeyType::ed25519, secret_text());
  REQUIRE(sync::KeyStore(folder).add("records", plain));
  const auto records = load("records", nullptr);
  REQUIRE(records.first == IPNSCAST_OK);
  CHECK(text_of(ipnscast_key_author(records.second.get())).empty());
  CHECK(ipnscast_config_set_key(c_config().get(), records.second.get(), nullptr) ==
        IPNSCAST_UNSUPPORTED);
}
