#include "ipnscast/bridge/node/rpc_answer.h"

#include <nlohmann/json.hpp>

#include "ipnscast/bridge/node/multipart.h"

namespace ipnscast::bridge {

HttpResponse rpc_lines(const std::vector<nlohmann::ordered_json>& lines) {
  HttpResponse out{200, {{"content-type", "application/json"}}, {}};
  for (const auto& line : lines) {
    // Text from requests may be no UTF-8: replaced, not thrown at.
    append(out.body, as_bytes(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
    out.body.push_back('\n');
  }
  return out;
}

HttpResponse rpc_line(const nlohmann::ordered_json& line) { return rpc_lines(std::vector{line}); }

HttpResponse rpc_error(const Error& error) {
  HttpResponse out = rpc_line({{"Message", error.message}, {"Code", 0}, {"Type", "error"}});
  out.status = error.code == Errc::invalid ? 400 : 500;
  return out;
}

Result<std::string> rpc_argument(const HttpRequest& request, std::string_view prefix) {
  auto argument = nostr::net::query_value(request, "arg");
  if (!argument || argument->empty()) return fail(Errc::invalid, "argument \"arg\" is required");
  if (argument->rfind(prefix, 0) == 0) argument->erase(0, prefix.size());
  return *argument;
}

Result<sync::Cid> rpc_cid(const HttpRequest& request) {
  const auto argument = rpc_argument(request, "/ipfs/");
  if (!argument) return fail(argument.error());
  auto cid = sync::Cid::parse(*argument);
  if (!cid)
    return fail(Errc::invalid, "invalid path \"" + *argument + "\": " + cid.error().message);
  return cid;
}

Result<ByteView> rpc_file(const HttpRequest& request) {
  const auto parts = parse_multipart(header_of(request, "content-type"), request.body);
  if (!parts) return fail(Errc::invalid, parts.error().message);
  if (parts->size() != 1) return fail(Errc::invalid, "want exactly one file");
  return parts->front().body;
}

bool rpc_flag(const HttpRequest& request, std::string_view name, bool otherwise) {
  const auto value = nostr::net::query_value(request, name);
  if (!value) return otherwise;
  return value->empty() || *value == "true" || *value == "1" || *value == "t" || *value == "True";
}

}  // namespace ipnscast::bridge
