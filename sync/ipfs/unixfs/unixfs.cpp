#include "ipnscast/sync/ipfs/unixfs/unixfs.h"

#include <bit>
#include <protozero/pbf_reader.hpp>

#include "ipnscast/sync/ipfs/ipld/protobuf.h"
#include "ipnscast/sync/ipfs/unixfs/hamt.h"

namespace ipnscast::sync {
namespace {

enum Field : uint32_t {
  kUnixfsType = 1,
  kUnixfsData = 2,
  kUnixfsFilesize = 3,
  kUnixfsBlocksizes = 4,
  kUnixfsHashType = 5,
  kUnixfsFanout = 6,
  kUnixfsMode = 7,
  kUnixfsMtime = 8,
};

tl::unexpected<Error> bad_unixfs(const char* what) {
  return fail(Errc::parse, std::string("unixfs: ") + what);
}

// Nothing when the sum passes 64 bits.
std::optional<uint64_t> sum_of(const UnixfsData& data) {
  uint64_t sum = data.data ? data.data->size() : 0;
  for (const uint64_t size : data.blocksizes) {
    if (size > ~uint64_t{0} - sum) return std::nullopt;
    sum += size;
  }
  return sum;
}

Status check_file(const UnixfsNode& node) {
  if (node.links.size() != node.data.blocksizes.size()) {
    return bad_unixfs("a file with another number of links than of block sizes");
  }
  for (const PbLink& link : node.links) {
    if (link.name && !link.name->empty()) return bad_unixfs("a named link in a file");
  }
  const auto sum = sum_of(node.data);
  if (!sum || (node.data.filesize && *node.data.filesize != *sum)) {
    return bad_unixfs("a file whose parts do not add up to its size");
  }
  return {};
}

Status check_shard(const UnixfsNode& node) {
  const uint64_t fanout = node.data.fanout.value_or(0);
  if (!std::has_single_bit(fanout) || fanout < 8 || fanout > kMaxHamtFanout) {
    return bad_unixfs("a shard whose fanout is no power of two from 8 to 1,024");
  }
  if (node.data.hash_type != kHamtMurmur3)
    return fail(Errc::unsupported, "unixfs: unknown shard hash");
  const size_t width = hamt_prefix(0, fanout).size();
  for (const PbLink& link : node.links) {
    if (!link.name || link.name->size() < width)
      return bad_unixfs("a shard's link without its slot");
  }
  return {};
}

}  // namespace

Result<UnixfsData> decode_unixfs(ByteView bytes) {
  using protozero::pbf_wire_type;
  using protozero::tag_and_type;
  UnixfsData out;
  bool has_type = false;
  try {
    protozero::pbf_reader reader(as_text(bytes).data(), bytes.size());
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case tag_and_type(kUnixfsType, pbf_wire_type::varint): {
          const uint64_t type = reader.get_uint64();
          if (type > static_cast<uint64_t>(UnixfsType::hamt_shard))
            return bad_unixfs("unknown type");
          out.type = UnixfsType{type};
          has_type = true;
          break;
        }
        case tag_and_type(kUnixfsData, pbf_wire_type::length_delimited): {
          const auto view = reader.get_view();
          out.data = to_bytes(std::string_view(view.data(), view.size()));
          break;
        }
        case tag_and_type(kUnixfsFilesize, pbf_wire_type::varint):
          out.filesize = reader.get_uint64();
          break;
        case tag_and_type(kUnixfsBlocksizes, pbf_wire_type::varint):
          out.blocksizes.push_back(reader.get_uint64());
          break;
        case tag_and_type(kUnixfsBlocksizes, pbf_wire_type::length_delimited):
          for (const uint64_t size : reader.get_packed_uint64()) out.blocksizes.push_back(size);
          break;
        case tag_and_type(kUnixfsHashType, pbf_wire_type::varint):
          out.hash_type = reader.get_uint64();
          break;
        case tag_and_type(kUnixfsFanout, pbf_wire_type::varint):
          out.fanout = reader.get_uint64();
          break;
        case tag_and_type(kUnixfsMode, pbf_wire_type::varint):
          out.metadata.mode = static_cast<uint32_t>(reader.get_uint64());
          break;
        case tag_and_type(kUnixfsMtime, pbf_wire_type::length_delimited): {
          const auto view = reader.get_view();
          out.metadata.mtime = decode_unixfs_time(as_bytes({view.data(), view.size()}));
          break;
        }
        default:
          reader.skip();
      }
    }
  } catch (const std::exception&) {
    return bad_unixfs("no protobuf");
  }
  if (!has_type) return bad_unixfs("no type");
  return out;
}

Bytes encode_unixfs(const UnixfsData& data) {
  Bytes out;
  append_uint_field(out, kUnixfsType, static_cast<uint64_t>(data.type));
  if (data.data) append_bytes_field(out, kUnixfsData, *data.data);
  if (data.filesize) append_uint_field(out, kUnixfsFilesize, *data.filesize);
  for (const uint64_t size : data.blocksizes) append_uint_field(out, kUnixfsBlocksizes, size);
  if (data.hash_type) append_uint_field(out, kUnixfsHashType, *data.hash_type);
  if (data.fanout) append_uint_field(out, kUnixfsFanout, *data.fanout);
  const FileMetadata& metadata = data.metadata;
  if (metadata.mode) append_uint_field(out, kUnixfsMode, *metadata.mode);
  if (metadata.mtime) append_bytes_field(out, kUnixfsMtime, encode_unixfs_time(*metadata.mtime));
  return out;
}

uint64_t UnixfsNode::size() const { return sum_of(data).value_or(0); }

Result<UnixfsNode> decode_node(const Cid& cid, Bytes&& block) {
  if (!cid.is(Codec::raw)) return decode_node(cid, ByteView(block));
  UnixfsNode out;
  out.data.type = UnixfsType::raw;
  out.data.data = std::move(block);
  return out;
}

Result<UnixfsNode> decode_node(const Cid& cid, ByteView block) {
  if (cid.is(Codec::raw)) return decode_node(cid, to_bytes(block));
  UnixfsNode out;
  if (!cid.is(Codec::dag_pb))
    return fail(Errc::unsupported, "unixfs: neither a raw nor a dag-pb block");
  auto node = decode_dag_pb(block);
  if (!node) return fail(std::move(node.error()));
  if (!node->data) return bad_unixfs("a dag-pb node without data");
  auto data = decode_unixfs(*node->data);
  if (!data) return fail(std::move(data.error()));
  out.data = std::move(*data);
  out.links = std::move(node->links);
  Status checked;
  if (out.is_file()) checked = check_file(out);
  if (out.data.type == UnixfsType::hamt_shard) checked = check_shard(out);
  if (out.data.type == UnixfsType::metadata)
    checked = fail(Errc::unsupported, "unixfs: a metadata node");
  if (!checked) return fail(checked.error());
  return out;
}

}  // namespace ipnscast::sync
