#include "ipnscast/sync/gateway/kubo_pubsub.h"

#include <nlohmann/json.hpp>

#include "ipnscast/sync/gateway/kubo_json.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/ipfs/ipld/multibase.h"
#include "ipnscast/sync/ipfs/ipld/protobuf.h"

namespace ipnscast::sync::gateway {
namespace {

using nlohmann::json;

constexpr size_t kMaxTopics = 256 * 1024;  // bytes of a list that nobody reads
constexpr uint32_t kRecordValue = 2;       // libp2p Record: 1 key, 2 value, 5 time received

std::string topic_argument(const IpnsName& name) {
  return multibase_encode(Base::base64_url, as_bytes(name.pubsub_topic()));
}

// Empty when the bytes are none.
ByteView value_of_libp2p_record(ByteView bytes) {
  ByteView value;
  while (!bytes.empty()) {
    const auto field = take_strict_field(bytes);
    if (!field) return {};
    if (field->number == kRecordValue && field->is_bytes) value = field->bytes;
  }
  return value;
}

}  // namespace

HttpCall kubo_pubsub_ls_call(const Endpoint& endpoint) {
  HttpCall call = endpoint.call("POST", "/api/v0/pubsub/ls");
  call.max_bytes = kMaxTopics;
  call.deadline = Milliseconds(10'000);
  return call;
}

Status read_kubo_pubsub_ls(const Result<HttpAnswer>& answer) {
  if (!answer) {
    if (answer.error().code == Errc::too_large) return {};  // a list of that many topics
    return fail(answer.error());
  }
  const Status done = read_kubo_done(*answer);
  if (done) return {};
  switch (done.error().code) {
    case Errc::refused:
    case Errc::unreachable:
    case Errc::busy:
      return done;
    default:
      return fail(Errc::unsupported, done.error().message);
  }
}

HttpCall kubo_join_topic_call(const Endpoint& endpoint, const IpnsName& name) {
  HttpCall call = endpoint.call(
      "POST",
      "/api/v0/name/resolve?recursive=false&nocache=true&dht-record-count=1&timeout=1s&arg=" +
          name.to_string());
  call.max_bytes = 64 * 1024;
  call.deadline = Milliseconds(5'000);
  return call;
}

HttpCall kubo_pubsub_sub_call(const Endpoint& endpoint, const IpnsName& name) {
  HttpCall call = endpoint.call("POST", "/api/v0/pubsub/sub?arg=" + topic_argument(name));
  call.endless = true;
  return call;
}

Result<Bytes> read_kubo_pubsub_line(std::string_view line) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return fail(Errc::parse, "not a line of JSON");
  if (const auto error = kubo_error(object)) return fail(Errc::refused, error->message);
  auto data = multibase_decode(kubo_text(object, "data"));
  if (!data || data->base != Base::base64_url)
    return fail(Errc::parse, "data: want multibase base64url");
  return std::move(data->bytes);
}

tl::expected<IpnsRecord, RecordError> read_pubsub_record(const IpnsName& name, ByteView data,
                                                         UnixMillis now) {
  auto record = verify_record(name, data, now);
  if (record) return record;
  const ByteView inner = value_of_libp2p_record(data);
  if (inner.empty()) return record;
  auto wrapped = verify_record(name, inner, now);
  return wrapped ? std::move(wrapped) : std::move(record);
}

size_t PubsubLines::add(ByteView bytes, const std::function<void(std::string_view)>& take) {
  size_t dropped = 0;
  std::string_view rest = as_text(bytes);
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view piece = rest.substr(0, end);
    const bool fits = !too_long_ && piece.size() <= kMaxLine - begun_.size();
    if (!fits && !too_long_) {
      ++dropped;
      begun_.clear();
    }
    if (fits) begun_.append(piece);
    too_long_ = !fits;
    if (end == std::string_view::npos) return dropped;
    rest.remove_prefix(end + 1);
    if (fits && begun_.find_first_not_of(" \r\t") != std::string::npos) take(begun_);
    begun_.clear();
    too_long_ = false;
  }
  return dropped;
}

}  // namespace ipnscast::sync::gateway
