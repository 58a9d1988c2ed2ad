#include "ipnscast/sync/inspection/sample.h"

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/ipfs/ipld/car.h"
#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"

namespace ipnscast::sync::inspection {
namespace {

constexpr size_t kLeaves = 4;
constexpr size_t kLeafBytes = 700;
constexpr std::chrono::minutes kLifetime{10};

}  // namespace

Sample make_sample(UnixMillis now) {
  UnixfsData file;
  file.type = UnixfsType::file;
  file.filesize = kLeaves * kLeafBytes;
  PbNode root;
  Bytes whole;
  std::vector<std::pair<Cid, Bytes>> blocks(1);
  for (size_t i = 0; i < kLeaves; ++i) {
    Bytes leaf = random_bytes(kLeafBytes);
    append(whole, leaf);
    const Cid cid = *make_cid(Codec::raw, leaf);
    file.blocksizes.push_back(kLeafBytes);
    root.links.push_back({cid, std::string(), uint64_t{kLeafBytes}});
    blocks.emplace_back(cid, std::move(leaf));
  }
  root.data = encode_unixfs(file);
  Bytes block = encode_dag_pb(root);
  const Cid cid = *make_cid(Codec::dag_pb, block);
  blocks.front() = {cid, std::move(block)};
  const IpnsKey key = *IpnsKey::from_bytes(KeyType::ed25519, random_bytes(32));
  auto record = *create_record(key, {.value = "/ipfs/" + cid.to_string(),
                                     .sequence = {1},
                                     .eol = Eol::after(now, kLifetime),
                                     .ttl = std::chrono::minutes(1)});
  return {cid, std::move(whole), std::move(blocks), key.name(), std::move(record)};
}

Bytes car_of(const Sample& sample) {
  Bytes out = car_header({sample.root});
  for (const auto& [cid, block] : sample.blocks) append_car_section(out, cid, block);
  return out;
}

Cid nobodys_cid() { return *make_cid(Codec::raw, random_bytes(32)); }

Cid empty_directory() {
  return *Cid::parse("bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
}

}  // namespace ipnscast::sync::inspection
