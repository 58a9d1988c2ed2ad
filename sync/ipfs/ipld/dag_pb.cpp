#include "ipnscast/sync/ipfs/ipld/dag_pb.h"

#include "ipnscast/sync/ipfs/ipld/protobuf.h"
#include "ipnscast/sync/ipfs/ipld/varint.h"

namespace ipnscast::sync {
namespace {

enum NodeField : uint32_t { kNodeData = 1, kNodeLinks = 2 };
enum LinkField : uint32_t { kHash = 1, kName = 2, kTsize = 3 };

tl::unexpected<Error> bad_dag_pb(const char* what) {
  return fail(Errc::parse, std::string("dag-pb: ") + what);
}

Result<PbLink> decode_link(ByteView rest) {
  PbLink out;
  uint32_t last = 0;
  while (!rest.empty()) {
    const auto field = take_strict_field(rest);
    if (!field) return fail(field.error().within("dag-pb"));
    if (field->number <= last) return bad_dag_pb("link fields twice or out of order");
    if (field->number > kTsize) return bad_dag_pb("unknown link field");
    if (field->is_bytes == (field->number == kTsize)) return bad_dag_pb("wrong wire type");
    if (last == 0 && field->number != kHash) return bad_dag_pb("link without a hash");
    last = field->number;
    if (field->number == kHash) {
      auto cid = Cid::decode(field->bytes);
      if (!cid) return fail(cid.error().within("dag-pb link"));
      out.cid = std::move(*cid);
    } else if (field->number == kName) {
      out.name = std::string(as_text(field->bytes));
    } else {
      out.tsize = field->value;
    }
  }
  if (last == 0) return bad_dag_pb("link without a hash");
  return out;
}

Bytes encode_link(const PbLink& link) {
  Bytes out;
  append_bytes_field(out, kHash, link.cid.encode());
  if (link.name) append_bytes_field(out, kName, as_bytes(*link.name));
  if (link.tsize) append_uint_field(out, kTsize, *link.tsize);
  return out;
}

}  // namespace

Result<PbNode> decode_dag_pb(ByteView bytes) {
  PbNode out;
  while (!bytes.empty()) {
    const auto field = take_strict_field(bytes);
    if (!field) return fail(field.error().within("dag-pb"));
    if (out.data) return bad_dag_pb("fields behind the data");
    if (!field->is_bytes || field->number > kNodeLinks) return bad_dag_pb("unknown field");
    if (field->number == kNodeData) {
      out.data = to_bytes(field->bytes);
      continue;
    }
    auto link = decode_link(field->bytes);
    if (!link) return fail(std::move(link.error()));
    out.links.push_back(std::move(*link));
  }
  return out;
}

Bytes encode_dag_pb(const PbNode& node) {
  Bytes out;
  for (const PbLink& link : node.links) append_bytes_field(out, kNodeLinks, encode_link(link));
  if (node.data) append_bytes_field(out, kNodeData, *node.data);
  return out;
}

size_t encoded_size(const PbLink& link) {
  Bytes out;
  append_bytes_field(out, kNodeLinks, encode_link(link));
  return out.size();
}

}  // namespace ipnscast::sync
