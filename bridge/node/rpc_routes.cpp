#include "ipnscast/bridge/node/rpc_routes.h"

#include <nlohmann/json.hpp>

#include "ipnscast/bridge/node/record_answer.h"
#include "ipnscast/bridge/node/rpc_answer.h"
#include "ipnscast/bridge/node/store/dag_scope.h"
#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/gateway/delegated_routing.h"

namespace ipnscast::bridge {
namespace {

constexpr std::string_view kRpcPrefix = "/api/v0/";
constexpr std::string_view kNamePrefix = "/ipns/";
constexpr int kMaxDepth = 32;

// A page of a stranger in a browser of ours may send requests, but it cannot hide that a browser
// sends them. As Kubo does it.
bool is_from_browser(const HttpRequest& request) {
  for (const char* header : {"origin", "referer", "sec-fetch-site"}) {
    if (!header_of(request, header).empty()) return true;
  }
  return header_of(request, "user-agent").starts_with("Mozilla");
}

}  // namespace

HttpResponse RpcRoutes::answer(const HttpRequest& request, UnixMillis now) {
  HttpResponse out = route(request, now);
  add_precondition_header(out.headers);
  return out;
}

HttpResponse RpcRoutes::route(const HttpRequest& request, UnixMillis now) {
  if (request.path.rfind(kRpcPrefix, 0) != 0) return text_answer(404, "404 page not found");
  if (is_from_browser(request)) return text_answer(403, "403 - Forbidden");
  if (request.method == "OPTIONS") return {204, {{"allow", "OPTIONS, POST"}}, {}};
  if (request.method != "POST") {
    HttpResponse refused = text_answer(405, "405 - Method Not Allowed");
    refused.headers["allow"] = "POST";
    return refused;
  }
  const auto command = std::string_view(request.path).substr(kRpcPrefix.size());
  if (command == "version") return version();
  if (command == "block/get") return block_get(request);
  if (command == "block/stat") return block_stat(request);
  if (command == "dag/import") return dag_import(request);
  if (command == "pin/add") return pin_add(request);
  if (command == "pin/ls") return pin_ls(request);
  if (command == "pin/rm") return pin_rm(request);
  if (command == "routing/get") return routing_get(request, now);
  if (command == "routing/put") return routing_put(request, now);
  if (command == "name/get") return name_get(request, now);
  if (command == "name/put") return name_put(request, now);
  if (command == "name/resolve") return name_resolve(request, now);
  return text_answer(404, "404 page not found");
}

HttpResponse RpcRoutes::version() const {
  return rpc_line(
      {{"Version", "0.1.0"}, {"Commit", ""}, {"Repo", ""}, {"System", "ipnscast"}, {"Golang", ""}});
}

HttpResponse RpcRoutes::block_get(const HttpRequest& request) {
  const auto cid = rpc_cid(request);
  if (!cid) return rpc_error(cid.error());
  auto block = sync::read_block(blocks_, *cid);
  if (!block && block.error().code == Errc::not_found) {
    return rpc_error(block_missing(*cid));
  }
  if (!block) return rpc_error(block.error());
  HttpResponse out{200, {{"content-type", "application/octet-stream"}}, std::move(*block)};
  out.headers["x-stream-output"] = "1";
  return out;
}

HttpResponse RpcRoutes::block_stat(const HttpRequest& request) {
  const auto cid = rpc_cid(request);
  if (!cid) return rpc_error(cid.error());
  const auto block = sync::read_block(blocks_, *cid);
  if (!block && block.error().code == Errc::not_found) return rpc_error(block_missing(*cid));
  if (!block) return rpc_error(block.error());
  return rpc_line({{"Key", cid->to_string()}, {"Size", block->size()}});
}

// ---- pins ----

HttpResponse RpcRoutes::pin_add(const HttpRequest& request) {
  const auto cid = rpc_cid(request);
  if (!cid) return rpc_error(cid.error());
  const Status pinned = blocks_.pin(*cid);
  if (!pinned) return rpc_error(pinned.error().within("pin"));
  return rpc_line({{"Pins", nlohmann::ordered_json::array({cid->to_string()})}});
}

HttpResponse RpcRoutes::pin_ls(const HttpRequest& request) {
  const auto cid = rpc_cid(request);
  if (!cid) return rpc_error(cid.error());
  const auto pinned = blocks_.pinned(*cid);
  if (!pinned) return rpc_error(pinned.error());
  const std::string text = cid->to_string();
  if (!*pinned) return rpc_error({Errc::not_found, "path '" + text + "' is not pinned"});
  nlohmann::ordered_json out;
  out["Keys"][text] = {{"Type", "recursive"}, {"Name", ""}};
  return rpc_line(out);
}

HttpResponse RpcRoutes::pin_rm(const HttpRequest& request) {
  const auto cid = rpc_cid(request);
  if (!cid) return rpc_error(cid.error());
  const auto removed = blocks_.unpin(*cid);
  if (!removed) return rpc_error(removed.error());
  if (!*removed) return rpc_error({Errc::not_found, "not pinned or pinned indirectly"});
  return rpc_line({{"Pins", nlohmann::ordered_json::array({cid->to_string()})}});
}

// ---- records ----

Result<sync::IpnsRecord> RpcRoutes::known_record(const HttpRequest& request, UnixMillis now) {
  const auto argument = rpc_argument(request, "/ipns/");
  if (!argument) return fail(argument.error());
  const auto name = sync::IpnsName::parse(*argument);
  if (!name) return fail(Errc::invalid, name.error().message);
  auto record = records_.get(*name, now);
  if (!record) return fail(record.error());
  if (!*record) return fail(Errc::not_found, "routing: not found");
  return std::move(**record);
}

HttpResponse RpcRoutes::routing_get(const HttpRequest& request, UnixMillis now) {
  const auto record = known_record(request, now);
  if (!record) return rpc_error(record.error());
  HttpResponse out = rpc_line(
      {{"Extra", to_base64(record->bytes())}, {"ID", ""}, {"Responses", nullptr}, {"Type", 5}});
  out.headers["etag"] = sync::gateway::record_etag(record->bytes());
  return out;
}

HttpResponse RpcRoutes::name_get(const HttpRequest& request, UnixMillis now) {
  const auto record = known_record(request, now);
  if (!record) return rpc_error(record.error());
  return {200,
          {{"content-type", kRecordType},
           {"etag", sync::gateway::record_etag(record->bytes())},
           {"x-stream-output", "1"}},
          record->bytes()};
}

// The words of a refusal without a precondition are Kubo's. Who demands something gets the record
// that stays, as by delegated routing.
HttpResponse RpcRoutes::put_record(const HttpRequest& request, UnixMillis now,
                                   const PutDone& done) {
  const auto argument = rpc_argument(request, "/ipns/");
  if (!argument) return rpc_error(argument.error());
  const auto name = sync::IpnsName::parse(*argument);
  if (!name) return rpc_error({Errc::invalid, name.error().message});
  const auto record = rpc_file(request);
  if (!record) return rpc_error(record.error());
  const auto precondition = record_precondition(request);
  if (!precondition) return rpc_error(precondition.error());
  const auto offered = records_.offer(*name, *record, now, *precondition);
  if (!offered) {
    HttpResponse out = rpc_error(offered.error());
    if (offered.error().code == Errc::refused) out.status = 403;
    return out;
  }
  using Outcome = Offered::Outcome;
  if (offered->outcome == Outcome::unmet) return stored_record_answer(412, offered->there);
  if (offered->outcome == Outcome::older || offered->outcome == Outcome::rival) {
    if (precondition->demands_anything()) return stored_record_answer(409, offered->there);
    return rpc_error({Errc::conflict, offered->outcome == Outcome::older
                                          ? "can't replace a newer value with an older value"
                                          : "another value has this sequence already"});
  }
  HttpResponse out = done(*name, *record);
  out.headers["etag"] = sync::gateway::record_etag(*record);
  return out;
}

HttpResponse RpcRoutes::routing_put(const HttpRequest& request, UnixMillis now) {
  return put_record(request, now, [](const sync::IpnsName&, ByteView) {
    return rpc_line({{"Extra", ""}, {"ID", ""}, {"Responses", nullptr}, {"Type", 5}});
  });
}

HttpResponse RpcRoutes::name_put(const HttpRequest& request, UnixMillis now) {
  return put_record(request, now, [](const sync::IpnsName& name, ByteView record) {
    const auto fields = sync::peek_record(record);
    return rpc_line({{"Name", name.to_string()}, {"Value", fields ? fields->value : ""}});
  });
}

// Follows names to names through the records that are here. IPNS record spec, "Name Resolution".
HttpResponse RpcRoutes::name_resolve(const HttpRequest& request, UnixMillis now) {
  const auto argument = rpc_argument(request, "/ipns/");
  if (!argument) return rpc_error(argument.error());
  const bool recursive = rpc_flag(request, "recursive", true);
  std::string path = "/ipns/" + *argument;
  for (int depth = 0; depth < kMaxDepth && path.rfind(kNamePrefix, 0) == 0; ++depth) {
    const size_t end = path.find('/', kNamePrefix.size());
    const std::string rest = end == path.npos ? "" : path.substr(end);
    const auto name = sync::IpnsName::parse(std::string_view(path).substr(0, end));
    if (!name) return rpc_error({Errc::invalid, name.error().message});
    const auto record = records_.get(*name, now);
    if (!record) return rpc_error(record.error());
    if (!*record || (*record)->expired(now))
      return rpc_error({Errc::not_found, "could not resolve name"});
    path = (*record)->fields().value + rest;
    if (!recursive) return rpc_line({{"Path", path}});
  }
  if (path.rfind(kNamePrefix, 0) == 0) {
    return rpc_error({Errc::refused, "could not resolve name: too many names lead to names"});
  }
  return rpc_line({{"Path", path}});
}

}  // namespace ipnscast::bridge
