#include "ipnscast/nostr/signer/nip46.h"

#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/json_document.h"
#include "ipnscast/nostr/event/json_text.h"

namespace ipnscast::nostr {
namespace {

constexpr size_t kMaxAuthUrl = 2048;

// A string member; nothing when it is absent or null. False for another type.
bool read_text(simdjson::dom::object object, const char* name, std::optional<std::string>& out) {
  simdjson::dom::element member;
  if (object[name].get(member) != simdjson::SUCCESS || member.is_null()) return true;
  const auto text = text_of(member);
  if (!text) return false;
  out = std::string(*text);
  return true;
}

Result<simdjson::dom::object> read_object(std::string_view json,
                                          const SignerMessageLimits& limits) {
  if (json.size() > limits.max_bytes) return fail(Errc::too_large, "signer message: too large");
  constexpr size_t kDepth = 4;
  auto root = parse_json(json, kDepth);
  simdjson::dom::object object;
  if (!root || root->get_object().get(object) != simdjson::SUCCESS)
    return fail(Errc::parse, "signer message: want a JSON object");
  return object;
}

Status check_id(const std::optional<std::string>& id, const SignerMessageLimits& limits) {
  if (!id || id->empty()) return fail(Errc::parse, "signer message: want an id");
  if (id->size() > limits.max_id) return fail(Errc::too_large, "signer message: id too long");
  return {};
}

}  // namespace

Result<SignerRequest> parse_signer_request(std::string_view json,
                                           const SignerMessageLimits& limits) {
  const auto object = read_object(json, limits);
  if (!object) return fail(object.error());
  const auto wrong = [] { return fail(Errc::parse, "signer request: want id, method, params"); };
  std::optional<std::string> id;
  std::optional<std::string> method;
  if (!read_text(*object, "id", id) || !read_text(*object, "method", method) || !method)
    return wrong();
  if (auto ok = check_id(id, limits); !ok) return fail(ok.error());
  SignerRequest out{std::move(*id), std::move(*method), {}};
  simdjson::dom::element params;
  if ((*object)["params"].get(params) != simdjson::SUCCESS || params.is_null()) return out;
  simdjson::dom::array items;
  if (params.get_array().get(items) != simdjson::SUCCESS) return wrong();
  for (const simdjson::dom::element item : items) {
    const auto text = text_of(item);
    if (!text) return wrong();
    if (out.params.size() == limits.max_params)
      return fail(Errc::too_large, "signer request: too many params");
    out.params.emplace_back(*text);
  }
  return out;
}

Result<SignerResponse> parse_signer_response(std::string_view json,
                                             const SignerMessageLimits& limits) {
  const auto object = read_object(json, limits);
  if (!object) return fail(object.error());
  std::optional<std::string> id;
  std::optional<std::string> result;
  std::optional<std::string> error;
  if (!read_text(*object, "id", id) || !read_text(*object, "result", result) ||
      !read_text(*object, "error", error)) {
    return fail(Errc::parse, "signer response: want texts");
  }
  if (auto ok = check_id(id, limits); !ok) return fail(ok.error());
  return SignerResponse{std::move(*id), std::move(result).value_or(""),
                        std::move(error).value_or("")};
}

std::string to_json(const SignerRequest& request) {
  std::string out = "{\"id\":";
  append_json_string(out, request.id);
  out += ",\"method\":";
  append_json_string(out, request.method);
  out += ",\"params\":[";
  for (size_t i = 0; i < request.params.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, request.params[i]);
  }
  out += "]}";
  return out;
}

std::string to_json(const SignerResponse& response) {
  std::string out = "{\"id\":";
  append_json_string(out, response.id);
  out += ",\"result\":";
  append_json_string(out, response.result);
  if (!response.error.empty()) {
    out += ",\"error\":";
    append_json_string(out, response.error);
  }
  out += '}';
  return out;
}

std::string to_json(const UnsignedEvent& event, const PublicKey& user) {
  std::string out = "{\"kind\":";
  append_number(out, event.kind);
  out += ",\"content\":";
  append_json_string(out, event.content);
  out += ",\"tags\":";
  append_tags(out, event.tags);
  out += ",\"created_at\":";
  append_number(out, event.created_at.value);
  out += ",\"pubkey\":";
  append_hex_string(out, user.view());
  out += '}';
  return out;
}

bool is_auth_url(std::string_view text) {
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (text.size() > kMaxAuthUrl || !printable) return false;
  if (text.starts_with("https://")) return text.size() > 8;
  for (const std::string_view local : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    if (!text.starts_with(local)) continue;
    const std::string_view rest = text.substr(local.size());
    if (rest.empty() || rest[0] == ':' || rest[0] == '/') return true;
  }
  return false;
}

Status check_signed_as_asked(const UnsignedEvent& asked, const PublicKey& user, const Event& got) {
  const auto other = [](const char* what) {
    return fail(Errc::mismatch,
                std::string("remote signer: gave back an event with another ") + what);
  };
  if (got.pubkey != user) return other("author");
  if (got.kind != asked.kind) return other("kind");
  if (got.created_at != asked.created_at) return other("created_at");
  if (got.content != asked.content) return other("content");
  if (got.tags != asked.tags) return other("tags");
  if (auto ok = verify(got); !ok) return fail(ok.error().within("remote signer"));
  return {};
}

}  // namespace ipnscast::nostr
