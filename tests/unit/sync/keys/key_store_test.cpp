#include "ipnscast/sync/keys/key_store.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/ipfs/ipld/protobuf.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("ipnscast-keys-" + to_hex(random_bytes(6)));
  ~Folder() { std::filesystem::remove_all(path); }
};

mode_t mode_of(const std::filesystem::path& path) {
  struct stat about {};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  return about.st_mode & 07777;
}

const std::string kSecret = "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35";

}  // namespace

TEST_CASE("a Nostr key derives the IPNS name that wallets derive from it") {
  const auto key = StoredKey::from_text(StoredKeyType::nostr, kSecret);
  REQUIRE(key);
  CHECK(to_hex(key->ipns_key()->secret_view()) ==
        "c1e0a37dbd6c43e495e39a0ff7f98166d667ca9234e0a80f0c6e78e3eab1de4f");
  CHECK(key->ipns_key()->name().to_string() ==
        "k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm");
  CHECK(key->ipns_key()->name().base58() == "12D3KooWCuqpcCAuvccnWXibgwBcKzd2T4u4oifPkRoiyia58XfP");
}

TEST_CASE("keys are kept under their labels, closed to others, and never replaced") {
  const Folder folder;
  const KeyStore store(folder.path / "state" / "keys");
  CHECK(store.list()->empty());
  CHECK(store.load("self").error().code == Errc::not_found);
  const auto key = StoredKey::generate(StoredKeyType::nostr);
  REQUIRE(store.add("self", key));
  REQUIRE(store.add("other", StoredKey::generate(StoredKeyType::ed25519)));
  CHECK(store.add("self", StoredKey::generate(StoredKeyType::ed25519)).error().code ==
        Errc::conflict);
  CHECK(store.add("../x", key).error().code == Errc::invalid);
  CHECK(store.add("", key).error().code == Errc::invalid);
  CHECK(std::ranges::equal(store.load("self")->secret_view(), key.secret_view()));
  CHECK(mode_of(folder.path / "state" / "keys") == 0700);
  CHECK(mode_of(folder.path / "state" / "keys" / "self.nostr") == 0600);
  const auto entries = *store.list();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].label == "other");
  CHECK(entries[0].type == StoredKeyType::ed25519);

  ::chmod((folder.path / "state" / "keys" / "self.nostr").c_str(), 0640);
  CHECK(store.load("self").error().code == Errc::refused);
}

TEST_CASE("a secret file holds one line") {
  const Folder folder;
  const auto file = folder.path / "secret";
  REQUIRE(write_secret_file(file, "one"));
  CHECK(*read_secret_file(file) == "one");
  CHECK(write_secret_file(file, "two").error().code == Errc::conflict);
  CHECK(*read_secret_file(file) == "one");
  std::ofstream(file, std::ios::app) << "two\n";
  CHECK(read_secret_file(file).error().code == Errc::parse);
  CHECK(read_secret_file(folder.path).error().code == Errc::refused);
  CHECK(read_secret_file(folder.path / "none").error().code == Errc::not_found);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("keys of other programs are taken in") {
  const auto seed = StoredKey::from_text(StoredKeyType::ed25519, kSecret);
  const std::string public_part(as_text(seed->ipns_key()->public_key().data));
  const std::string secret_part(as_text(seed->secret_view()));

  Bytes libp2p;
  append_uint_field(libp2p, 1, 1);
  append_bytes_field(libp2p, 2, as_bytes(secret_part + public_part));
  const auto imported = import_key(as_text(libp2p));
  REQUIRE(imported);
  CHECK(imported->type() == StoredKeyType::ed25519);
  CHECK(imported->ipns_key()->name() == seed->ipns_key()->name());
  CHECK(import_key(to_base64(libp2p) + "\n")->type() == StoredKeyType::ed25519);
  libp2p.back() ^= 1;
  CHECK(import_key(as_text(libp2p)).error().code == Errc::mismatch);

  Bytes rsa;
  append_uint_field(rsa, 1, 0);
  append_bytes_field(rsa, 2, Bytes(100, 1));
  CHECK(import_key(as_text(rsa)).error().code == Errc::unsupported);

  Bytes secp;
  append_uint_field(secp, 1, 2);
  append_bytes_field(secp, 2, seed->secret_view());
  CHECK(import_key(as_text(secp))->type() == StoredKeyType::secp256k1);

  // RFC 8410 section 10.3
  const auto pem = import_key(
      "-----BEGIN PRIVATE "
      "KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
      "-----END PRIVATE KEY-----\n");
  REQUIRE(pem);
  CHECK(to_hex(pem->secret_view()) ==
        "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842");

  CHECK(import_key(kSecret + "\n")->type() == StoredKeyType::nostr);
  CHECK(import_key(kSecret, StoredKeyType::ed25519)->type() == StoredKeyType::ed25519);
  CHECK(import_key("nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5")->type() ==
        StoredKeyType::nostr);
  for (const char* text :
       {"", "hello", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----", "00"}) {
    CHECK_FALSE(import_key(text));
  }
}

TEST_CASE("a key file that contradicts itself is refused, in every form (F14)") {
  const auto seed = StoredKey::from_bytes(StoredKeyType::ed25519, Bytes(32, 3));
  const Bytes secret = to_bytes(seed->secret_view());
  const Bytes own = seed->ipns_key()->public_key().data;
  const auto libp2p = [&](ByteView first, ByteView second) {
    Bytes data = secret;
    append(data, first);
    append(data, second);
    Bytes out;
    append_uint_field(out, 1, 1);
    append_bytes_field(out, 2, data);
    return import_key(as_text(out));
  };
  CHECK(libp2p(own, own)->ipns_key()->name() == seed->ipns_key()->name());
  CHECK(libp2p(own, Bytes(32, 0)).error().code == Errc::mismatch);
  CHECK(libp2p(Bytes(32, 0), own).error().code == Errc::mismatch);
  CHECK(libp2p(Bytes(32, 0), Bytes(32, 0)).error().code == Errc::mismatch);
}

TEST_CASE("PKCS#8 version 2 is imported, with and without its public key (F14)") {
  const auto pem = [](const std::string& hex) {
    return import_key("-----BEGIN PRIVATE KEY-----\n" + to_base64(*from_hex(hex)) +
                      "\n-----END PRIVATE KEY-----\n");
  };
  const std::string secret = "44f899f3ffd2834cc7e8a6d5b567a71f9a9c0151d766bf3c56eb8702d067e2c7";
  const std::string own = "774d92dc97935928d0054b2ffa6ad321ae77f6f7715c1ba80e8156a972dedd3d";
  const std::string front = "020101300506032b657004220420" + secret;
  const auto both = pem("3051" + front + "812100" + own);
  REQUIRE(both);
  CHECK(to_hex(both->secret_view()) == secret);
  CHECK(to_hex(both->ipns_key()->public_key().data) == own);
  CHECK(pem("302e" + front));
  // RFC 8410, 10.3: attributes before the public key.
  CHECK(pem("3072" + front + "a01f301d060a2a864886f70d01090914310f0c0d437572646c6520436861697273" +
            "812100" + own));
  CHECK(pem("3051" + front + "812100" + std::string(64, '0')).error().code == Errc::mismatch);
  CHECK_FALSE(pem("3051" + front + "812101" + own));
  CHECK_FALSE(pem("3050" + front + "812100" + own));
}

TEST_CASE("what is no private key for us is told by what it is (F14)") {
  const auto words = [](const std::string& text) {
    const auto key = import_key(text);
    REQUIRE_FALSE(key);
    return key.error().message;
  };
  const auto pem = [&](const std::string& label) {
    return words("-----BEGIN " + label + "-----\nAAAA\n-----END " + label + "-----\n");
  };
  CHECK(pem("PUBLIC KEY").find("public key") != std::string::npos);
  CHECK(pem("RSA PUBLIC KEY").find("public key") != std::string::npos);
  CHECK(pem("ENCRYPTED PRIVATE KEY").find("passphrase") != std::string::npos);
  CHECK(pem("OPENSSH PRIVATE KEY").find("OpenSSH") != std::string::npos);
  CHECK(pem("CERTIFICATE").find("certificate") != std::string::npos);
  CHECK(pem("PRIVATE KEY").find("damaged") != std::string::npos);
  const auto seed = StoredKey::from_bytes(StoredKeyType::ed25519, Bytes(32, 3));
  CHECK(words(to_base64(seed->ipns_key()->public_key().encode())).find("public key") !=
        std::string::npos);
}

TEST_CASE("an encrypted key opens with its password, and says so when there is none") {
  const Folder folder;
  const auto password_of = [](std::string text) -> PasswordSource {
    return [text](const std::string&) -> Result<SecretText> {
      std::string copy = text;
      return SecretText::take(copy);
    };
  };
  const KeyStore closed(folder.path);
  const KeyStore opened(folder.path, password_of("nostr"));
  for (const auto type : {StoredKeyType::nostr, StoredKeyType::ed25519, StoredKeyType::secp256k1}) {
    const std::string label(to_string(type));
    const auto key = StoredKey::generate(type);
    REQUIRE(closed.add(label, key));
    CHECK_FALSE(*closed.is_encrypted(label));
    CHECK(closed.encrypt(label, "", 2).error().code == Errc::invalid);
    REQUIRE(closed.encrypt(label, "nostr", 2));
    CHECK(*closed.is_encrypted(label));
    CHECK(closed.encrypt(label, "nostr", 2).error().code == Errc::conflict);
    CHECK(mode_of(folder.path / (label + "." + label)) == 0600);

    CHECK(closed.load(label).error().code == Errc::refused);
    CHECK(KeyStore(folder.path, password_of("other")).load(label).error().code == Errc::signature);
    REQUIRE(opened.load(label));
    CHECK(opened.load(label)->type() == type);
    CHECK(std::ranges::equal(opened.load(label)->secret_view(), key.secret_view()));
  }
  CHECK(closed.list()->size() == 3);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 3);

  // Text that came encrypted is kept as it is.
  const std::string text = *nostr::nip49_encrypt(Bytes(32, 9), "nostr", {.log_n = 2});
  REQUIRE(closed.add_encrypted("taken", StoredKeyType::nostr, text));
  CHECK(*read_secret_file(folder.path / "taken.nostr") == text);
  CHECK(closed.add_encrypted("taken", StoredKeyType::nostr, text).error().code == Errc::conflict);
  CHECK(closed.add_encrypted("clear", StoredKeyType::nostr, kSecret).error().code == Errc::invalid);
  CHECK(std::ranges::equal(opened.load("taken")->secret_view(), Bytes(32, 9)));
}
