#include <thread>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/bounded_set.h"
#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/nostr/base/sip_hash.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;

TEST_CASE("byte strings are ordered as in a dictionary") {
  const std::vector<Bytes> sorted{{}, {0}, {0, 0}, {0, 1}, {1}, {0x7f, 0xff}, {0x80}, {0xff}};
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t k = 0; k < sorted.size(); ++k) {
      CHECK((compare_bytes(sorted[i], sorted[k]) == (i <=> k)));
      CHECK(BytesLess{}(sorted[i], sorted[k]) == (i < k));
    }
  }
}

TEST_CASE("hex is read back as written, and ids in upper case or of another length are refused") {
  const Bytes bytes = {0x00, 0x7f, 0xff};
  CHECK(to_hex(bytes) == "007fff");
  CHECK(*from_hex("007FfF") == bytes);
  CHECK_FALSE(from_hex("0"));
  CHECK_FALSE(from_hex("0g"));
  std::array<uint8_t, 2> out;
  CHECK(read_lower_hex("abcd", out));
  CHECK_FALSE(read_lower_hex("ABcd", out));
  CHECK_FALSE(read_lower_hex("abc", out));
}

TEST_CASE("hex of an id is read digit for digit, and refused for any other character anywhere") {
  std::array<uint8_t, 33> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 29 + 3);
  const std::string text = to_hex(bytes);
  std::array<uint8_t, 33> out;
  CHECK(read_lower_hex(text, out));
  CHECK(out == bytes);
  for (size_t i = 0; i < text.size(); ++i) {
    for (int c = 0; c < 256; ++c) {
      std::string changed = text;
      changed[i] = static_cast<char>(c);
      const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      if (read_lower_hex(changed, out) != digit) FAIL("character " << c << " at " << i);
      if (digit && to_hex(out) != changed) FAIL("value of " << c << " at " << i);
    }
  }
}

TEST_CASE("base64 that is padded wrongly, has stray bits or is too long is refused") {
  CHECK(to_base64(as_bytes("hello")) == "aGVsbG8=");
  CHECK(as_text(*from_base64("aGVsbG8=", 5)) == "hello");
  CHECK(from_base64("", 0)->empty());
  CHECK_FALSE(from_base64("aGVsbG8", 10));
  CHECK_FALSE(from_base64("aGVsbG9=", 10));
  CHECK_FALSE(from_base64("aGVs\nG8=", 10));
  CHECK(from_base64("aGVsbG8=", 4).error().code == Errc::too_large);
}

TEST_CASE("HKDF gives RFC 5869's first test vector") {
  const Bytes okm =
      hkdf_sha256(*from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                  *from_hex("000102030405060708090a0b0c"), *from_hex("f0f1f2f3f4f5f6f7f8f9"), 42);
  CHECK(to_hex(okm) ==
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST_CASE("a closed inbox gives what it accepted and refuses the rest") {
  Inbox<int> inbox(2);
  CHECK(inbox.try_push(1));
  CHECK(inbox.try_push(2));
  CHECK_FALSE(inbox.try_push(3));
  inbox.close();
  CHECK_FALSE(inbox.push(4));
  CHECK(inbox.pop() == 1);
  CHECK(inbox.pop() == 2);
  CHECK_FALSE(inbox.pop());
}

TEST_CASE("a full inbox holds its writer back until there is room") {
  Inbox<int> inbox(1);
  std::thread writer([&] {
    for (int i = 0; i < 1000; ++i) inbox.push(i);
    inbox.close();
  });
  int expected = 0;
  while (auto got = inbox.pop()) {
    CHECK(inbox.size() <= 1);
    REQUIRE(*got == expected++);
  }
  writer.join();
  CHECK(expected == 1000);
}

TEST_CASE("a bounded set forgets the oldest first") {
  BoundedSet<int> set(2);
  CHECK(set.insert(1));
  CHECK(set.insert(2));
  CHECK_FALSE(set.insert(1));
  CHECK(set.insert(3));
  CHECK_FALSE(set.contains(1));
  CHECK(set.contains(2));
}

TEST_CASE("SipHash gives what its authors' vectors say, over any length") {
  const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  const auto first = [](size_t count) {
    Bytes out;
    for (size_t i = 0; i < count; ++i) out.push_back(static_cast<uint8_t>(i));
    return out;
  };
  CHECK(sip_hash_2_4(key, first(0)) == 0x726fdb47dd0e0e31);
  CHECK(sip_hash_2_4(key, first(1)) == 0x74f839c593dc67fd);
  CHECK(sip_hash_2_4(key, first(7)) == 0xab0200f58b01d137);
  CHECK(sip_hash_2_4(key, first(8)) == 0x93f5f5799a932462);
  CHECK(sip_hash_2_4(key, first(15)) == 0xa129ca6149be45e5);
  CHECK(sip_hash_1_3(key, first(0)) == 0xabac0158050fc4dc);  // as Rust's own test has it
}
