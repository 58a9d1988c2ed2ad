#include "ipnscast/sync/gateway/delegated_routing.h"

#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync::gateway {
namespace {

std::string path_of(const IpnsName& name) { return "/routing/v1/ipns/" + name.to_string(); }

}  // namespace

HttpCall routing_get_call(const Endpoint& endpoint, const IpnsName& name, const std::string& etag) {
  HttpCall call = endpoint.call("GET", path_of(name));
  call.headers.emplace_back("Accept", IpnsRecord::kMediaType);
  call.headers.emplace_back("Cache-Control", "no-cache");  // a CDN would serve an old one
  if (!etag.empty()) call.headers.emplace_back("If-None-Match", etag);
  call.max_bytes = IpnsRecord::kMaxBytes;
  return call;
}

HttpCall routing_put_call(const Endpoint& endpoint, const IpnsName& name, ByteView record) {
  HttpCall call = endpoint.call("PUT", path_of(name));
  call.headers.emplace_back("Content-Type", IpnsRecord::kMediaType);
  call.headers.emplace_back("Accept", IpnsRecord::kMediaType);
  call.body = std::make_shared<const Bytes>(to_bytes(record));
  call.max_bytes = 64 * 1024;
  return call;
}

Status read_routing_put(const HttpAnswer& answer) {
  const Status status = check_status(answer);
  // It was looked at, and is no record that is taken.
  if (answer.head.status == 400 || answer.head.status == 422)
    return fail(Errc::refused, status.error().message);
  return status;
}

HttpCall routing_probe_call(const Endpoint& endpoint) {
  HttpCall call = endpoint.call("GET", "/routing/v1/ipns/not-a-name");
  call.headers.emplace_back("Accept", IpnsRecord::kMediaType);
  call.max_bytes = 16 * 1024;
  return call;
}

Speaks read_routing_probe(const HttpAnswer& answer) {
  const int status = answer.head.status;
  const bool text = media_type(answer.head) != "text/html";
  if (text && (status == 200 || status == 400 || status == 422)) return Speaks::yes;
  return speaks_perhaps(answer);
}

bool offers_preconditions(const HttpHead& head) {
  std::string_view rest = head.header(kPreconditionHeader);
  while (!rest.empty()) {
    std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (word == kPreconditionToken) return true;
  }
  return false;
}

std::string record_etag(ByteView record) {
  const auto digest = sha256(record);
  return "\"" + to_hex(ByteView(digest)) + "\"";
}

}  // namespace ipnscast::sync::gateway
