#include "ipnscast/sync/gateway/kubo_rpc.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/gateway/kubo_json.h"
#include "ipnscast/sync/gateway/trustless.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync::gateway {
namespace {

using nlohmann::json;

// One file as multipart/form-data.
void set_file(HttpCall& call, ByteView file) {
  const std::string boundary = "ipnscast-" + to_hex(random_bytes(16));
  Bytes body;
  body.reserve(file.size() + 256);
  append(body, as_bytes("--" + boundary +
                        "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n"
                        "Content-Type: application/octet-stream\r\n\r\n"));
  append(body, file);
  append(body, as_bytes("\r\n--" + boundary + "--\r\n"));
  call.headers.emplace_back("Content-Type", "multipart/form-data; boundary=" + boundary);
  call.body = std::make_shared<const Bytes>(std::move(body));
}

// 404 is an unknown command here, never a missing thing.
Status check_rpc(const HttpAnswer& answer) {
  Status status = check_status(answer);
  if (status) return status;
  if (answer.head.status == 404) return fail(Errc::unsupported, "command unknown there");
  if (answer.head.status == 500 || answer.head.status == 400) {
    const json object = json::parse(answer.body, nullptr, false);
    if (auto error = kubo_error(object)) return fail(std::move(*error));
  }
  return status;
}

// Calls `take` with each line's object. The first error among the lines, or Errc::parse.
Status each_line(ByteView body, const std::function<void(const json&)>& take) {
  std::string_view rest = as_text(body);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.find_first_not_of(" \r\t") == std::string_view::npos) continue;
    const json object = json::parse(line, nullptr, false);
    if (!object.is_object()) return fail(Errc::parse, "not a line of JSON");
    if (auto error = kubo_error(object)) return fail(std::move(*error));
    take(object);
  }
  return {};
}

}  // namespace

HttpCall kubo_version_call(const Endpoint& endpoint) {
  HttpCall call = endpoint.call("POST", "/api/v0/version");
  call.max_bytes = 16 * 1024;
  return call;
}

Result<std::string> read_kubo_version(const HttpAnswer& answer) {
  if (Status status = check_rpc(answer); !status) return fail(status.error());
  const json object = json::parse(answer.body, nullptr, false);
  const std::string version = object.is_object() ? kubo_text(object, "Version") : "";
  if (version.empty()) return fail(Errc::mismatch, "no Kubo RPC here");
  return version;
}

HttpCall kubo_dag_import_call(const Endpoint& endpoint, ByteView car, bool pin_roots) {
  HttpCall call = endpoint.call("POST", std::string("/api/v0/dag/import?stats=true&pin-roots=") +
                                            (pin_roots ? "true" : "false"));
  set_file(call, car);
  return call;
}

Result<std::vector<ImportedRoot>> read_kubo_dag_import(const HttpAnswer& answer) {
  if (Status status = check_rpc(answer); !status) return fail(status.error());
  std::vector<ImportedRoot> out;
  const Status status = each_line(answer.body, [&](const json& line) {
    const auto root = line.find("Root");
    if (root == line.end() || !root->is_object()) return;
    const auto link = root->find("Cid");
    if (link == root->end() || !link->is_object()) return;
    const auto cid = Cid::parse(kubo_text(*link, "/"));
    if (cid) out.push_back({*cid, kubo_text(*root, "PinErrorMsg").substr(0, 300)});
  });
  if (!status) return fail(status.error());
  return out;
}

HttpCall kubo_block_get_call(const Endpoint& endpoint, const Cid& cid, bool offline) {
  HttpCall call = endpoint.call(
      "POST", "/api/v0/block/get?arg=" + cid.to_string() + (offline ? "&offline=true" : ""));
  call.max_bytes = kMaxBlockBytes;
  return call;
}

Result<Bytes> read_kubo_block_get(HttpAnswer answer) {
  if (Status status = check_rpc(answer); !status) return fail(status.error());
  return std::move(answer.body);
}

HttpCall kubo_block_stat_call(const Endpoint& endpoint, const Cid& cid) {
  HttpCall call = endpoint.call("POST", "/api/v0/block/stat?offline=true&arg=" + cid.to_string());
  call.max_bytes = 16 * 1024;
  return call;
}

HttpCall kubo_dag_stat_call(const Endpoint& endpoint, const Cid& root) {
  return endpoint.call("POST",
                       "/api/v0/dag/stat?offline=true&progress=false&arg=" + root.to_string());
}

HttpCall kubo_dag_export_call(const Endpoint& endpoint, const Cid& root, uint64_t max_bytes) {
  HttpCall call =
      endpoint.call("POST", "/api/v0/dag/export?progress=false&arg=" + root.to_string());
  call.max_bytes = max_bytes;
  return call;
}

HttpCall kubo_name_get_call(const Endpoint& endpoint, const IpnsName& name) {
  HttpCall call = endpoint.call("POST", "/api/v0/name/get?arg=" + name.to_string());
  call.max_bytes = IpnsRecord::kMaxBytes;
  return call;
}

Result<Bytes> read_kubo_name_get(HttpAnswer answer) {
  if (Status status = check_rpc(answer); !status) return fail(status.error());
  if (answer.body.empty()) return fail(Errc::not_found, "no record");
  return std::move(answer.body);
}

HttpCall kubo_routing_get_call(const Endpoint& endpoint, const IpnsName& name, bool offline) {
  HttpCall call = endpoint.call("POST", "/api/v0/routing/get?arg=/ipns/" + name.to_string() +
                                            (offline ? "&offline=true" : ""));
  call.max_bytes = 64 * 1024;
  return call;
}

Result<Bytes> read_kubo_routing_get(const HttpAnswer& answer) {
  if (Status status = check_rpc(answer); !status) return fail(status.error());
  constexpr int kValue = 5;  // go-libp2p routing.Value
  std::optional<Bytes> record;
  const Status status = each_line(answer.body, [&](const json& line) {
    const auto type = line.find("Type");
    if (record || type == line.end() || !type->is_number_integer() || *type != kValue) return;
    const auto bytes = from_base64(kubo_text(line, "Extra"), IpnsRecord::kMaxBytes);
    if (bytes && !bytes->empty()) record = *bytes;
  });
  if (record) return std::move(*record);
  if (!status) return fail(status.error());
  return fail(Errc::not_found, "no record");
}

HttpCall kubo_name_put_call(const Endpoint& endpoint, const IpnsName& name, ByteView record) {
  HttpCall call =
      endpoint.call("POST", "/api/v0/name/put?allow-offline=true&arg=" + name.to_string());
  set_file(call, record);
  call.max_bytes = 64 * 1024;
  return call;
}

HttpCall kubo_routing_put_call(const Endpoint& endpoint, const IpnsName& name, ByteView record) {
  HttpCall call =
      endpoint.call("POST", "/api/v0/routing/put?allow-offline=true&arg=/ipns/" + name.to_string());
  set_file(call, record);
  call.max_bytes = 1024 * 1024;
  return call;
}

HttpCall kubo_pin_add_call(const Endpoint& endpoint, const Cid& root) {
  return endpoint.call("POST", "/api/v0/pin/add?recursive=true&arg=" + root.to_string());
}

HttpCall kubo_pin_rm_call(const Endpoint& endpoint, const Cid& root) {
  return endpoint.call("POST", "/api/v0/pin/rm?recursive=true&arg=" + root.to_string());
}

Status read_kubo_pin_rm(const HttpAnswer& answer) {
  Status status = read_kubo_done(answer);
  if (!status && status.error().code == Errc::not_found) return {};
  return status;
}

HttpCall kubo_pin_ls_call(const Endpoint& endpoint, const Cid& root) {
  HttpCall call = endpoint.call("POST", "/api/v0/pin/ls?type=recursive&arg=" + root.to_string());
  call.max_bytes = 64 * 1024;
  return call;
}

Result<bool> read_kubo_pin_ls(const HttpAnswer& answer) {
  if (Status status = check_rpc(answer); !status) {
    if (status.error().code == Errc::not_found) return false;
    return fail(status.error());
  }
  const json object = json::parse(answer.body, nullptr, false);
  if (!object.is_object() || !object.contains("Keys")) return fail(Errc::parse, "no list of pins");
  const json& keys = object["Keys"];
  return keys.is_object() && !keys.empty();
}

Status read_kubo_done(const HttpAnswer& answer) {
  if (Status status = check_rpc(answer); !status) return status;
  return each_line(answer.body, [](const json&) {});
}

}  // namespace ipnscast::sync::gateway
