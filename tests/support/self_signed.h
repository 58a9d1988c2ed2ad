#pragma once

#include <filesystem>
#include <string>

namespace ipnscast::test {

// A fresh P-256 key and a certificate for 127.0.0.1 that it signs itself, as PEM files in a folder.
// The certificate is its own authority. Throws when libcrypto refuses.
struct SelfSigned {
  explicit SelfSigned(const std::filesystem::path& folder);

  const std::string certificate_file;
  const std::string key_file;
};

}  // namespace ipnscast::test
