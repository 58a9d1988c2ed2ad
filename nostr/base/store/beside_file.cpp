#include "ipnscast/nostr/base/store/beside_file.h"

#include <string_view>

namespace ipnscast::store {
namespace {

bool has_companion(const std::filesystem::path& database, const char* suffix) {
  std::error_code unknown;
  return std::filesystem::exists(database.string() + suffix, unknown);
}

// RFC 3986: what means something in a URI is written as %XX. An absolute path needs no host.
std::string uri_of(const std::filesystem::path& file) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out = "file:";
  for (const char c : file.string()) {
    if (c == '%' || c == '?' || c == '#') {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

BesideFile beside_file(const std::filesystem::path& database) {
  return {has_companion(database, "-wal"), has_companion(database, "-shm")};
}

UnseenOpening unseen_opening(const std::filesystem::path& database) {
  const BesideFile beside = beside_file(database);
  std::error_code unknown;
  const auto absolute = std::filesystem::absolute(database, unknown);
  const std::string uri = uri_of(unknown ? database : absolute) + "?mode=ro";
  if (!beside.log) return {uri + "&immutable=1"};
  // The index has the locks that keep a reader and whoever works there apart.
  if (beside.index) return {uri + "&readonly_shm=1"};
  return {uri + "&vfs=unix-none", true};
}

}  // namespace ipnscast::store
