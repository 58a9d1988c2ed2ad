#include "ipnscast/sync/gateway/path_gateway.h"

#include <algorithm>

#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/unixfs/file_packer.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"

namespace ipnscast::sync::gateway {
namespace {

constexpr std::string_view kProbeText = "ipnscast";
constexpr size_t kMaxInlineBytes = 256 << 10;

using Blocks = std::vector<std::pair<Cid, Bytes>>;

class Collecting : public BlockSink {
 public:
  Status put(const Cid& cid, ByteView block) override {
    blocks.emplace_back(cid, to_bytes(block));
    return {};
  }
  Blocks blocks;
};

bool is_sha256(const Cid& cid) {
  return cid.hash.code == static_cast<uint64_t>(HashCode::sha2_256);
}

// The file as this profile packs it, when that gives the CID.
std::optional<Blocks> packed(const Cid& cid, ByteView bytes, const PackProfile& profile) {
  Collecting sink;
  FilePacker packer(profile, sink);
  if (!packer.write(bytes)) return std::nullopt;
  const auto root = packer.finish();
  if (!root || block_key(root->cid) != block_key(cid)) return std::nullopt;
  std::reverse(sink.blocks.begin(), sink.blocks.end());
  return std::move(sink.blocks);
}

// One node with the bytes inside, as `ipfs add` makes of a small file without --raw-leaves.
std::optional<Blocks> single_node(const Cid& cid, ByteView bytes) {
  if (bytes.size() > kMaxInlineBytes) return std::nullopt;
  UnixfsData data;
  data.type = UnixfsType::file;
  if (!bytes.empty()) data.data = to_bytes(bytes);
  data.filesize = bytes.size();
  Bytes block = encode_dag_pb({{}, encode_unixfs(data)});
  if (!check_block(cid, block)) return std::nullopt;
  return Blocks{{cid, std::move(block)}};
}

Cid probe_cid() { return {1, static_cast<uint64_t>(Codec::raw), {0, to_bytes(kProbeText)}}; }

}  // namespace

HttpCall path_call(const Endpoint& endpoint, const Cid& cid) {
  HttpCall call = endpoint.call("GET", "/ipfs/" + cid.to_string());
  call.headers.emplace_back("Accept", "*/*");
  call.max_bytes = cid.is(Codec::raw) ? kMaxBlockBytes : kMaxRepackBytes;
  return call;
}

Status check_path_head(const Cid& cid, const HttpHead& head) {
  if (!cid.is(Codec::raw) && !cid.is(Codec::dag_pb))
    return fail(Errc::unsupported, "a path gateway proves raw blocks and files only");
  return check_status({head, {}, {}});
}

Result<Blocks> blocks_of_file(const Cid& cid, ByteView bytes) {
  if (bytes.size() > kMaxRepackBytes) return fail(Errc::too_large, "more than is packed again");
  if (cid.is(Codec::raw)) {
    Status status = check_block(cid, bytes);
    if (status) return Blocks{{cid, to_bytes(bytes)}};
    if (status.error().code == Errc::signature)
      return fail(Errc::mismatch, "not the bytes of this block");
    return fail(status.error());
  }
  if (!cid.is(Codec::dag_pb) || !is_sha256(cid))
    return fail(Errc::unsupported, "a path gateway proves raw blocks and files only");
  for (const PackProfile& profile : {kKubo256k, kUnixfsV1_2025}) {
    if (auto blocks = packed(cid, bytes, profile)) return std::move(*blocks);
  }
  if (auto blocks = single_node(cid, bytes)) return std::move(*blocks);
  return fail(Errc::mismatch, "no known way of packing makes this CID of these bytes");
}

HttpCall path_probe_call(const Endpoint& endpoint) {
  HttpCall call = endpoint.call("GET", "/ipfs/" + probe_cid().to_string());
  call.headers.emplace_back("Accept", "*/*");
  call.max_bytes = 16 * 1024;
  return call;
}

Speaks read_path_probe(const HttpAnswer& answer) {
  if (answer.head.status == 200 && as_text(answer.body) == kProbeText) return Speaks::yes;
  return speaks_perhaps(answer);
}

}  // namespace ipnscast::sync::gateway
