#include "ipnscast/sync/gateway/trustless.h"

#include "ipnscast/nostr/base/percent.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync::gateway {
namespace {

constexpr const char* kRaw = "application/vnd.ipld.raw";
constexpr const char* kCar = "application/vnd.ipld.car";

Status want_type(const HttpHead& head, std::string_view type) {
  if (media_type(head) == type) return {};
  return fail(Errc::mismatch, "answered with " + media_type(head).substr(0, 80) + " instead of " +
                                  std::string(type));
}

}  // namespace

HttpCall raw_block_call(const Endpoint& endpoint, const Cid& cid) {
  HttpCall call = endpoint.call("GET", "/ipfs/" + cid.to_string() + "?format=raw");
  call.headers.emplace_back("Accept", kRaw);
  call.max_bytes = kMaxBlockBytes;
  return call;
}

Result<Bytes> read_raw_block(const Cid& cid, HttpAnswer answer) {
  if (Status status = check_status(answer); !status) return fail(status.error());
  if (Status proved = check_block(cid, answer.body); !proved) {
    const Status type = check_raw_head(answer.head);
    return fail(type ? proved.error() : type.error());
  }
  return std::move(answer.body);
}

Status check_raw_head(const HttpHead& head) {
  if (Status status = check_status({head, {}, {}}); !status) return status;
  return want_type(head, kRaw);
}

HttpCall car_call(const Endpoint& endpoint, const Cid& cid, const DagScope& scope,
                  uint64_t max_bytes) {
  std::string path = "/ipfs/" + cid.to_string();
  for (const std::string& step : path_steps(scope.path)) path += '/' + percent_encoded(step);
  path += "?format=car&dag-scope=";
  path += scope.part == DagPart::all ? "all" : scope.part == DagPart::block ? "block" : "entity";
  if (scope.bytes) path += "&entity-bytes=" + scope.bytes->to_string();
  HttpCall call = endpoint.call("GET", path + "&car-version=1&car-order=dfs&car-dups=n");
  call.headers.emplace_back("Accept", std::string(kCar) + ";version=1;order=dfs;dups=n");
  call.max_bytes = max_bytes;
  return call;
}

Status check_car_head(const HttpHead& head) {
  if (Status status = check_status({head, {}, {}}); !status) return status;
  return want_type(head, kCar);
}

HttpCall ipns_record_call(const Endpoint& endpoint, const IpnsName& name, const std::string& etag) {
  HttpCall call = endpoint.call("GET", "/ipns/" + name.to_string() + "?format=ipns-record");
  call.headers.emplace_back("Accept", IpnsRecord::kMediaType);
  call.headers.emplace_back("Cache-Control", "no-cache");  // a CDN would serve an old one
  if (!etag.empty()) call.headers.emplace_back("If-None-Match", etag);
  call.max_bytes = IpnsRecord::kMaxBytes;
  return call;
}

Result<RecordAnswer> read_ipns_record(HttpAnswer answer) {
  RecordAnswer out;
  out.etag = answer.head.header("etag").substr(0, 256);
  if (answer.head.status == 304) {
    out.not_modified = true;
    return out;
  }
  if (Status status = check_status(answer); !status) {
    // Gateways of the boxo family tell a name without a record as a server error.
    if (answer.head.status >= 500 &&
        as_text(answer.body).find("routing: not found") != std::string_view::npos) {
      return fail(Errc::not_found, "no record");
    }
    return fail(status.error());
  }
  if (media_type(answer.head) != IpnsRecord::kMediaType && !peek_record(answer.body)) {
    return fail(Errc::not_found, "no record, but " + media_type(answer.head).substr(0, 80));
  }
  out.record = std::move(answer.body);
  return out;
}

HttpCall trustless_probe_call(const Endpoint& endpoint) {
  HttpCall call = endpoint.call("GET", "/ipfs/bafkqaaa?format=raw");
  call.headers.emplace_back("Accept", kRaw);
  call.max_bytes = 16 * 1024;
  return call;
}

Speaks read_trustless_probe(const HttpAnswer& answer) {
  const std::string type = media_type(answer.head);
  const bool empty = answer.head.status == 200 && answer.body.empty();
  if (empty && type == kRaw) return Speaks::yes;
  // So may a gateway answer that has no word for a block. Nothing can be proved of an empty one.
  if (empty && (type.empty() || type == "application/octet-stream")) return Speaks::perhaps;
  return speaks_perhaps(answer);
}

}  // namespace ipnscast::sync::gateway
