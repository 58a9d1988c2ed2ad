#include "sync/key_store.h"

#include <algorithm>

#include "nostr/base/secret_file.h"

namespace ipnscast::sync {
namespace {

constexpr StoredKeyType kTypes[] = {StoredKeyType::nostr, StoredKeyType::ed25519,
                                    StoredKeyType::secp256k1};

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text[0] != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

// "<label>.<type>", or nothing for another file.
std::optional<KeyStore::Entry> entry_of(const std::string& file_name) {
  const size_t dot = file_name.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  const auto type = parse_key_type(std::string_view(file_name).substr(dot + 1));
  if (!type || !is_label(std::string_view(file_name).substr(0, dot))) return std::nullopt;
  return KeyStore::Entry{file_name.substr(0, dot), *type};
}

}  // namespace

std::filesystem::path KeyStore::file_of(std::string_view label, StoredKeyType type) const {
  return folder_ / (std::string(label) + "." + std::string(to_string(type)));
}

Status KeyStore::add(std::string_view label, const StoredKey& key) const {
  if (!is_label(label)) return fail(Errc::invalid, "label: want 1 to 64 of a-z A-Z 0-9 . _ -");
  for (const StoredKeyType type : kTypes) {
    std::error_code ignored;
    if (std::filesystem::exists(file_of(label, type), ignored)) {
      return fail(Errc::conflict, "a key \"" + std::string(label) + "\" exists already");
    }
  }
  std::string line = key.to_line();
  auto written = write_secret_file(file_of(label, key.type()), line);
  wipe_text(line);
  return written;
}

Result<StoredKey> KeyStore::load(std::string_view label) const {
  if (!is_label(label)) return fail(Errc::invalid, "label: want 1 to 64 of a-z A-Z 0-9 . _ -");
  for (const StoredKeyType type : kTypes) {
    auto line = read_secret_file(file_of(label, type));
    if (!line && line.error().code == Errc::not_found) continue;
    if (!line) return fail(std::move(line.error()));
    auto key = StoredKey::from_text(type, *line);
    wipe_text(*line);
    if (!key) return fail(key.error().within(file_of(label, type).string()));
    return key;
  }
  return fail(Errc::not_found, "no key \"" + std::string(label) + "\"");
}

Result<std::vector<KeyStore::Entry>> KeyStore::list() const {
  std::vector<Entry> out;
  std::error_code failed;
  std::filesystem::directory_iterator files(folder_, failed);
  if (failed == std::errc::no_such_file_or_directory) return out;
  for (; !failed && files != std::filesystem::directory_iterator(); files.increment(failed)) {
    if (auto entry = entry_of(files->path().filename().string())) out.push_back(std::move(*entry));
  }
  if (failed) return fail(Errc::io, folder_.string() + ": " + failed.message());
  std::sort(out.begin(), out.end(),
            [](const Entry& a, const Entry& b) { return a.label < b.label; });
  return out;
}

}  // namespace ipnscast::sync
