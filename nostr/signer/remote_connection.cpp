#include "ipnscast/nostr/signer/remote_connection.h"

#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/json_document.h"
#include "ipnscast/nostr/event/json_text.h"

namespace ipnscast::nostr {
namespace {

// {"client":"<hex>","connected":true,"user":"<hex>","relays":["wss://..."]}; user may be missing.
Result<RemoteConnection> read_connection(std::string_view line) {
  const auto wrong = [] { return fail(Errc::parse, "no connection of a remote signer"); };
  constexpr size_t kDepth = 4;
  const auto root = parse_json(line, kDepth);
  simdjson::dom::object object;
  simdjson::dom::element member;
  if (!root || root->get_object().get(object) != simdjson::SUCCESS ||
      object["client"].get(member) != simdjson::SUCCESS) {
    return wrong();
  }
  auto client = SecretKey::parse(text_of(member).value_or(""));
  if (!client) return wrong();
  RemoteConnection out{std::move(*client), false, std::nullopt, {}};
  if (object["connected"].get_bool().get(out.connected) != simdjson::SUCCESS) return wrong();
  if (object["user"].get(member) == simdjson::SUCCESS) {
    const auto user = fixed_from_hex<PublicKey>(text_of(member).value_or(""), "user");
    if (!user) return wrong();
    out.user = *user;
  }
  simdjson::dom::array relays;
  if (object["relays"].get_array().get(relays) != simdjson::SUCCESS) return wrong();
  for (const simdjson::dom::element relay : relays) {
    auto url = RelayUrl::parse_foreign(text_of(relay).value_or(""));
    if (!url) return wrong();
    out.relays.push_back(std::move(*url));
  }
  return out;
}

std::string to_line(const RemoteConnection& connection) {
  std::string out = "{\"client\":";
  append_hex_string(out, connection.client.secret_view());
  out += connection.connected ? ",\"connected\":true" : ",\"connected\":false";
  if (connection.user) {
    out += ",\"user\":";
    append_hex_string(out, connection.user->view());
  }
  out += ",\"relays\":[";
  for (size_t i = 0; i < connection.relays.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, connection.relays[i].text());
  }
  return out + "]}";
}

}  // namespace

Result<RemoteConnection> load_remote_connection(const std::filesystem::path& file) {
  auto line = read_secret_file(file);
  if (!line) return fail(std::move(line.error()));
  auto out = read_connection(*line);
  wipe_text(*line);
  if (!out) return fail(out.error().within(file.string()));
  return out;
}

Status save_remote_connection(const std::filesystem::path& file,
                              const RemoteConnection& connection) {
  std::string line = to_line(connection);
  auto saved = replace_secret_file(file, line);
  wipe_text(line);
  return saved;
}

}  // namespace ipnscast::nostr
