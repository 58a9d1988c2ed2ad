#include "ipnscast/sync/keys/key_store.h"

#include <algorithm>

#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/sync/keys/secret_line.h"

namespace ipnscast::sync {
namespace {

constexpr StoredKeyType kTypes[] = {StoredKeyType::nostr, StoredKeyType::ed25519,
                                    StoredKeyType::secp256k1};

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text[0] != '.' && !holds_secret(text) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

std::string wrong_label(std::string_view text) {
  return "\"" + std::string(text) + "\" cannot be a key's label: want 1 to 64 of a-z A-Z 0-9 . _ -";
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

Status KeyStore::check_free(std::string_view label) const {
  if (!is_label(label)) return fail(Errc::invalid, wrong_label(label));
  for (const StoredKeyType type : kTypes) {
    std::error_code ignored;
    if (std::filesystem::exists(file_of(label, type), ignored)) {
      return fail(Errc::conflict,
                  "a key \"" + std::string(label) + "\" exists already: choose another label");
    }
  }
  return {};
}

Status KeyStore::add(std::string_view label, const StoredKey& key) const {
  if (auto free = check_free(label); !free) return free;
  std::string line = key.to_line();
  auto written = write_secret_file(file_of(label, key.type()), line);
  wipe_text(line);
  return written;
}

Status KeyStore::add_encrypted(std::string_view label, StoredKeyType type,
                               std::string_view ncryptsec) const {
  if (!nostr::is_ncryptsec(ncryptsec)) return fail(Errc::invalid, "key: want ncryptsec1...");
  if (auto free = check_free(label); !free) return free;
  return write_secret_file(file_of(label, type), ncryptsec);
}

Status KeyStore::encrypt(std::string_view label, std::string_view password, uint8_t log_n) const {
  const auto file = read(label);
  if (!file) return fail(file.error());
  if (nostr::is_ncryptsec(file->line.view()))
    return fail(Errc::conflict, "the key \"" + std::string(label) + "\" is encrypted already");
  const auto key = StoredKey::from_text(file->type, file->line.view());
  if (!key) return fail(key.error().within(file->path.string()));
  const auto encrypted = nostr::nip49_encrypt(
      key->secret_view(), password, {.log_n = log_n, .security = nostr::KeySecurity::insecure});
  if (!encrypted) return fail(encrypted.error());
  return replace_secret_file(file->path, *encrypted);
}

Result<KeyStore::File> KeyStore::read(std::string_view label) const {
  if (!is_label(label)) return fail(Errc::invalid, wrong_label(label));
  for (const StoredKeyType type : kTypes) {
    auto line = read_secret_file(file_of(label, type));
    if (line) return File{file_of(label, type), type, SecretText::take(*line)};
    if (line.error().code != Errc::not_found) return fail(std::move(line.error()));
  }
  return fail(Errc::not_found, "there is no key \"" + std::string(label) +
                                   "\": \"ipnscast key list\" shows those that there are");
}

Result<bool> KeyStore::is_encrypted(std::string_view label) const {
  return read(label).map([](const File& file) { return nostr::is_ncryptsec(file.line.view()); });
}

Result<StoredKey> KeyStore::load(std::string_view label) const {
  const auto file = read(label);
  if (!file) return fail(file.error());
  auto line = open_secret_line(std::string(file->line.view()), password_,
                               "key \"" + std::string(label) + "\"");
  if (!line) return fail(std::move(line.error()));
  auto key = StoredKey::from_text(file->type, *line);
  wipe_text(*line);
  if (!key) return fail(key.error().within(file->path.string()));
  return key;
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
