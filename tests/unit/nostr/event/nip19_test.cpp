#include "ipnscast/nostr/event/nip19.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/bech32.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

PublicKey key_of(std::string_view hex) { return *fixed_from_hex<PublicKey>(hex, "key"); }

const PublicKey kKey = key_of("3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d");

}  // namespace

TEST_CASE("the examples of NIP-19 are read and written") {
  const auto key = key_of("7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e");
  const std::string npub = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg";
  CHECK(encode_npub(key) == npub);
  CHECK(std::get<PublicKey>(*decode_nip19(npub)) == key);
  CHECK(*parse_public_key(npub) == key);
  CHECK(std::get<PublicKey>(*decode_nip19("nostr:" + npub)) == key);

  const std::string nsec = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5";
  CHECK(to_hex(decode_nsec(nsec)->secret_view()) ==
        "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa");
  CHECK(encode_nsec(*decode_nsec(nsec)) == nsec);

  const std::string nprofile =
      "nprofile1qqsrhuxx8l9ex335q7he0f09aej04zpazpl0ne2cgukyawd24mayt8gpp4mhxue69uhhytnc9e3k7mgpz4m"
      "hxue69uhkg6nzv9ejuumpv34"
      "kytnrdaksjlyr9p";
  const ProfilePointer profile{kKey, {"wss://r.x.com", "wss://djbas.sadkb.com"}};
  CHECK(std::get<ProfilePointer>(*decode_nip19(nprofile)) == profile);
  CHECK(*encode(profile) == nprofile);
}

TEST_CASE("pointers to events and addresses survive their text") {
  const EventPointer event{EventId::from(Bytes(32, 9)), {"wss://a.example"}, kKey, 30078};
  CHECK(std::get<EventPointer>(*decode_nip19(*encode(event))) == event);
  const EventPointer bare{EventId::from(Bytes(32, 9)), {}, {}, {}};
  CHECK(std::get<EventPointer>(*decode_nip19(*encode(bare))) == bare);
  const AddressPointer address{{30078, kKey, "ipns-sync-k51"},
                               {"wss://a.example", "wss://b.example"}};
  CHECK(std::get<AddressPointer>(*decode_nip19(*encode(address))) == address);
  const EventId id = EventId::from(Bytes(32, 5));
  CHECK(std::get<EventId>(*decode_nip19(encode_note(id))) == id);
}

TEST_CASE("a pointer that does not fit into the format is refused, not cut") {
  CHECK(encode(AddressPointer{{30078, kKey, std::string(255, 'x')}, {}}));
  CHECK(encode(AddressPointer{{30078, kKey, std::string(256, 'x')}, {}}).error().code ==
        Errc::too_large);
  CHECK(encode(ProfilePointer{kKey, std::vector<std::string>(30, std::string(200, 'r'))})
            .error()
            .code == Errc::too_large);
  CHECK(encode(AddressPointer{{65536, kKey, ""}, {}}).error().code == Errc::invalid);
}

TEST_CASE("unknown parts of a pointer are skipped, cut ones refused") {
  Bytes data = {0x63, 2, 1, 2};  // type 99
  append(data, Bytes{0, 32});
  append(data, kKey.view());
  CHECK(std::get<ProfilePointer>(*decode_nip19(encode_bech32("nprofile", data))).pubkey == kKey);
  data.pop_back();
  CHECK_FALSE(decode_nip19(encode_bech32("nprofile", data)));
  CHECK_FALSE(decode_nip19(encode_bech32("nprofile", Bytes{1, 0})));
  CHECK_FALSE(decode_nip19(encode_bech32("naddr", Bytes{0, 1, 'x'})));
  CHECK_FALSE(decode_nip19(encode_bech32("npub", Bytes(31, 1))));
}

TEST_CASE("a secret key is never taken for a public one") {
  CHECK(decode_nip19("nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5")
            .error()
            .code == Errc::unsupported);
  CHECK_FALSE(parse_public_key("nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"));
}

TEST_CASE("bech32 with a wrong checksum, mixed case or stray bits is refused") {
  const std::string npub = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg";
  for (size_t i = 5; i < npub.size(); ++i) {
    std::string wrong = npub;
    wrong[i] = wrong[i] == 'q' ? 'p' : 'q';
    CHECK_FALSE(decode_bech32(wrong, 5000));
  }
  std::string upper = npub;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  CHECK(decode_bech32(upper, 5000)->prefix == "npub");
  upper[10] = 'l';
  CHECK_FALSE(decode_bech32(upper, 5000));
  CHECK(decode_bech32(npub, 20).error().code == Errc::too_large);
  // From BIP-173: valid, and each invalid for its own reason.
  CHECK(decode_bech32("a12uel5l", 90));
  CHECK(decode_bech32("?1ezyfcl", 90));
  for (const char* wrong : {"pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "A1G7SGD8",
                            "10a06t8", "1qzzfhee"}) {
    CHECK_FALSE(decode_bech32(wrong, 90));
  }
}
