#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipld/multibase.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

TEST_CASE("every spelling of an IPNS name is the same name (R25)") {
  const std::pair<const char*, const char*> pairs[] = {
      {"QmRp2LvtSQtCkUWCpi92ph5MdQyRtfb9jHbkNgZzGExGuG",
       "k2k4r8kpauqq30hoj9oktej5btbgz1jeos16d3te36xd78trvak0jcor"},
      {"12D3KooWSzRuSFHgLsKr6jJboAPdP7xMga2YBgBspYuErxswcgvt",
       "k51qzi5uqu5dmjjgoe7s21dncepi970722cn30qlhm9qridas1c9ktkjb6ejux"},
      {"QmSBUTocZ9LxE53Br9PDDcPWnR1FJQRv94U96Wkt8eypAw",
       "k2k4r8ku8cnc1sl2h5xn7i07dma9abfnkqkxi4a6nd1xq0knoxe7b0y4"},
      {"16Uiu2HAmUymv6JpFwNZppdKUMxGJuHsTeicXgHGKbBasu4Ruj3K1",
       "kzwfwjn5ji4puw3jc1qw4b073j74xvq21iziuqw4rem21pr7f0l4dj8i9yb978s"}};
  for (const auto& [base58, base36] : pairs) {
    INFO(base36);
    const auto name = IpnsName::parse(base58);
    REQUIRE(name);
    CHECK(name->to_string() == base36);
    CHECK(name->base58() == base58);
    CHECK(name->base32().starts_with("bafz"));
    const Bytes cid = Cid{1, static_cast<uint64_t>(Codec::libp2p_key), name->multihash()}.encode();
    for (const auto base : {Base::base36, Base::base36_upper, Base::base32, Base::base32_upper,
                            Base::base16, Base::base16_upper, Base::base58_btc, Base::base64_url}) {
      CHECK(*IpnsName::parse("/ipns/" + multibase_encode(base, cid)) == *name);
    }
    CHECK(Cid::parse(base36)->to_string() == base36);
  }
}

TEST_CASE("what is no IPNS name is refused with a word on what it is instead") {
  CHECK(IpnsName::parse("en.wikipedia-on-ipfs.org").error().message.find("domain") !=
        std::string::npos);
  CHECK(IpnsName::parse("bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354")
            .error()
            .message.find("libp2p-key") != std::string::npos);
  CHECK_FALSE(IpnsName::parse(""));
  CHECK_FALSE(IpnsName::parse("/ipns/"));
  CHECK_FALSE(IpnsName::parse("k51qzi5uqu5dmjjgoe7s21dncepi970722cn30qlhm9qridas1c9ktkjb6ejux/a"));
  CHECK_FALSE(IpnsName::parse("k51qzi5uqu5dmjjgoe7s21dncepi970722cn30qlhm9qridas1c9ktkjb6eju0x"));
  CHECK_FALSE(IpnsName::parse("12D3KooWSzRuSFHgLsKr6jJboAPdP7xMga2YBgBspYuErxswcgv0"));
  CHECK_FALSE(IpnsName::parse(std::string(5000, '1')));
}

TEST_CASE("the Ed25519 key of RFC 8032's first test has the name that js-ipns computes") {
  const auto key = IpnsKey::from_bytes(
      KeyType::ed25519,
      *from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  REQUIRE(key);
  const IpnsName name = key->name();
  CHECK(name.to_string() == "k51qzi5uqu5dljtg5upm7x7ugan9lql3ewyknv4r4mhhkwzn8n7cnbd1unfwgq");
  CHECK(name.base58() == "12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV");
  CHECK(to_hex(name.routing_key()) ==
        "2f69706e732f002408011220d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  CHECK(name.pubsub_topic() ==
        "/record/L2lwbnMvACQIARIg11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  CHECK(name.inline_key()->data == key->public_key().data);
}

TEST_CASE("a Nostr key is enough: its Ed25519 name is the one wallets derive") {
  const Bytes secret =
      *from_hex("e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35");
  const auto key = IpnsKey::derive_ed25519(secret);
  REQUIRE(key);
  CHECK(to_hex(key->secret_view()) ==
        "c1e0a37dbd6c43e495e39a0ff7f98166d667ca9234e0a80f0c6e78e3eab1de4f");
  CHECK(key->name().to_string() ==
        "k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm");
  CHECK(key->name().base58() == "12D3KooWCuqpcCAuvccnWXibgwBcKzd2T4u4oifPkRoiyia58XfP");
}

TEST_CASE("a key that is elsewhere signs through whoever has it, and a false signature is none") {
  const auto key = IpnsKey::derive_ed25519(Bytes(32, 7));
  REQUIRE(key);
  size_t asked = 0;
  const auto elsewhere = IpnsKey::elsewhere(key->public_key(), key->device_secret(),
                                            [&](ByteView message) -> Result<Bytes> {
                                              if (++asked == 3) return Bytes(64, 1);
                                              return key->sign(message);
                                            });
  CHECK(elsewhere.name() == key->name());
  const Bytes message(5, 1);
  CHECK(*elsewhere.sign(message) == *key->sign(message));
  CHECK(elsewhere.clone().sign(message));
  const auto forged = elsewhere.sign(message);
  REQUIRE_FALSE(forged);
  CHECK(forged.error().code == Errc::signature);
  CHECK(std::ranges::equal(elsewhere.device_secret().view(), key->device_secret().view()));
  CHECK_FALSE(std::ranges::equal(key->device_secret().view(), key->secret_view()));
}

TEST_CASE(
    "anybody computes the secp256k1 name from an npub, and the owner signs for it with either "
    "parity") {
  for (const auto* hex : {"0000000000000000000000000000000000000000000000000000000000000003",
                          "0000000000000000000000000000000000000000000000000000000000000006",
                          "b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef",
                          "c90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b14e5c9"}) {
    INFO(hex);
    const auto key = IpnsKey::from_nostr_secret(*from_hex(hex));
    REQUIRE(key);
    CHECK(key->public_key().data.front() == 0x02);
    CHECK(key->name() == IpnsName::from_nostr_key(ByteView(key->public_key().data).subspan(1)));
    CHECK(key->name().to_string().starts_with("kzwfwjn5ji4p"));
    CHECK(key->name().base58().starts_with("16Uiu2HA"));
    const Bytes message = to_bytes("signed");
    CHECK(key->public_key().verify(message, *key->sign(message)));
    CHECK_FALSE(key->public_key().verify(as_bytes("other"), *key->sign(message)));
  }
  // 3 * G: x is that of BIP-340's first vector.
  CHECK(to_hex(
            IpnsKey::from_nostr_secret(*from_hex(std::string(63, '0') + "3"))->public_key().data) ==
        "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9");
}

TEST_CASE("numbers that are no keys and key types that do not sign are refused") {
  CHECK(IpnsKey::from_bytes(KeyType::secp256k1, Bytes(32, 0)).error().code == Errc::invalid);
  CHECK(IpnsKey::from_nostr_secret(Bytes(32, 0xff)).error().code == Errc::invalid);
  CHECK(IpnsKey::from_bytes(KeyType::ed25519, Bytes(31, 1)).error().code == Errc::invalid);
  CHECK(IpnsKey::from_bytes(KeyType::rsa, Bytes(32, 1)).error().code == Errc::unsupported);
}

TEST_CASE("a public key that is not in its one deterministic form is refused") {
  const Bytes good =
      *from_hex("08011220d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const auto key = IpnsPublicKey::decode(good);
  REQUIRE(key);
  CHECK(key->encode() == good);
  const std::string data = "1220d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  for (const std::string& bad :
       {data + "0801", "0801" + data + "00", "080108" + data, "088100" + data, std::string("0801"),
        data, "0804" + data, "0801" + data + "1a00", std::string("08011a20") + data.substr(4)}) {
    INFO(bad);
    CHECK_FALSE(IpnsPublicKey::decode(*from_hex(bad)));
  }
}
