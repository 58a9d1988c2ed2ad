#include "ipnscast/nostr/base/public_address.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;

TEST_CASE("an address is public only where it means the same host on every network (R39)") {
  for (const char* address :
       {"1.1.1.1",        "8.8.4.4",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
        "100.128.0.1",    "126.255.255.255", "128.0.0.1",       "169.253.255.255", "169.255.0.0",
        "172.15.255.255", "172.32.0.1",      "192.0.1.1",       "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0",      "223.255.255.255", "2606:4700::1111", "2a00::1",
        "2001:200::1",    "3ffe::1"}) {
    INFO(address);
    CHECK(is_public_address(address));
    CHECK(is_public_host(address));
  }
  for (const char* address : {"0.0.0.0",
                              "0.1.2.3",
                              "10.0.0.1",
                              "10.255.255.255",
                              "100.64.0.1",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.255.254",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.8",
                              "192.0.2.1",
                              "192.88.99.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "198.51.100.1",
                              "203.0.113.1",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::ffff:8.8.8.8",
                              "::127.0.0.1",
                              "64:ff9b::7f00:1",
                              "64:ff9b::10.0.0.1",
                              "64:ff9b:1::1",
                              "100::1",
                              "2001::1",
                              "2001:2::1",
                              "2001:10::1",
                              "2001:20::1",
                              "2001:db8::1",
                              "2002:7f00:1::",
                              "3fff::1",
                              "fc00::1",
                              "fd00::1",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1",
                              "5f00::1"}) {
    INFO(address);
    CHECK_FALSE(is_public_address(address));
    CHECK_FALSE(is_public_host(address));
  }
  for (const char* text : {"", "localhost", "example.com", "127.1", "0x7f.1", "2130706433",
                           "fe80::1%lo", "[::1]", "1.1.1.1 "}) {
    INFO(text);
    CHECK_FALSE(is_public_address(text));
  }
}

TEST_CASE("a name that only the own network knows is not taken for a public one") {
  for (const char* host : {"relay.example.com", "a.b", "example.com.", "local.example"}) {
    INFO(host);
    CHECK(is_public_host(host));
  }
  for (const char* host :
       {"localhost", "localhost.", "a.localhost", "printer", "nas.local", "NAS.Local.",
        "a.internal", "router.lan", "x.home", "x.onion", "x.corp", "1.0.0.127.in-addr.arpa",
        "127.1", "0x7f.1", "2130706433", "a.1", ".com", "", "."}) {
    INFO(host);
    CHECK_FALSE(is_public_host(host));
  }
}
