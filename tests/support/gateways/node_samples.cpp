#include "ipnscast/tests/support/gateways/node_samples.h"

#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::test {

using bridge::Block;
using bridge::HttpRequest;
using sync::Codec;

Block raw_block(std::string_view text) {
  return {*sync::make_cid(Codec::raw, as_bytes(text)), to_bytes(text)};
}

sync::IpnsKey record_key(uint8_t number) {
  Bytes seed(32, number);
  return *sync::IpnsKey::from_bytes(sync::KeyType::ed25519, seed);
}

Bytes record_of(const sync::IpnsKey& key, uint64_t sequence, std::string value, int64_t hours) {
  return sync::create_record(key, {.value = std::move(value),
                                   .sequence = {sequence},
                                   .eol = sync::Eol::after(kNodeTime, std::chrono::hours(hours))})
      ->bytes();
}

HttpRequest request_of(std::string method, std::string target,
                       std::map<std::string, std::string> headers) {
  HttpRequest out;
  out.method = std::move(method);
  const size_t question = target.find('?');
  out.path = target.substr(0, question);
  if (question != target.npos) out.query = target.substr(question + 1);
  out.headers = std::move(headers);
  return out;
}

HttpRequest upload(const std::string& target, ByteView file) {
  HttpRequest out =
      request_of("POST", target, {{"content-type", "multipart/form-data; boundary=xyz"}});
  out.body = to_bytes(
      std::string_view("--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n"
                       "Content-Type: application/octet-stream\r\n\r\n"));
  append(out.body, file);
  append(out.body, as_bytes("\r\n--xyz--\r\n"));
  return out;
}

}  // namespace ipnscast::test
