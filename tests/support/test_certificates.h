#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "ipnscast/nostr/net/stream/key_pins.h"

// Certificates made at test time with libcrypto: P-256 keys, as PEM files.
namespace ipnscast::test {

struct CertificateWish {
  std::string name = "localhost";  // its one DNS name
  std::string address{};           // and an IP address, if any
  int64_t from_seconds = -3600;    // validity, from now
  int64_t until_seconds = 3600;
  bool authority = false;
};

struct Certificate {
  std::filesystem::path certificate;
  std::filesystem::path key;
  nostr::net::KeyPin pin;
};

// Writes `folder`/`file`.pem and .key. Signed by `issuer`, or by itself.
Certificate make_certificate(const std::filesystem::path& folder, const std::string& file,
                             const CertificateWish& wish, const Certificate* issuer = nullptr);

}  // namespace ipnscast::test
