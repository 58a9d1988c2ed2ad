#include "ipnscast/tests/support/gateways/bombs.h"

#include <cstdlib>

#include "ipnscast/sync/ipfs/unixfs/hamt.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"

namespace ipnscast::test {
namespace {

using namespace ipnscast::sync;

Cid put(BlockSink& sink, Codec codec, ByteView block) {
  Cid cid = *make_cid(codec, block);
  if (!sink.put(cid, block)) std::abort();
  return cid;
}

Cid put_node(BlockSink& sink, std::vector<PbLink> links, const UnixfsData& data) {
  return put(sink, Codec::dag_pb, encode_dag_pb({std::move(links), encode_unixfs(data)}));
}

Cid put_directory(BlockSink& sink, std::vector<PbLink> links) {
  return put_node(sink, std::move(links), {.type = UnixfsType::directory});
}

}  // namespace

Cid raw_leaf(BlockSink& sink, const std::string& bytes) {
  return put(sink, Codec::raw, as_bytes(bytes));
}

Cid repeated_directories(BlockSink& sink, size_t levels, size_t width, const Cid& leaf) {
  Cid below = put_directory(sink, {{leaf, "leaf", 0}});
  for (size_t level = 0; level < levels; ++level) {
    std::vector<PbLink> links;
    for (size_t i = 0; i < width; ++i) links.push_back({below, std::to_string(i), 0});
    below = put_directory(sink, std::move(links));
  }
  return below;
}

RepeatedFile repeated_file(BlockSink& sink, size_t levels, size_t width, size_t leaf_bytes) {
  RepeatedFile out{raw_leaf(sink, std::string(leaf_bytes, 'x')), leaf_bytes};
  for (size_t level = 0; level < levels; ++level) {
    UnixfsData data{.type = UnixfsType::file};
    data.blocksizes.assign(width, out.size);
    data.filesize = width * out.size;
    out.cid = put_node(sink, std::vector<PbLink>(width, {out.cid, "", out.size}), data);
    out.size = *data.filesize;
  }
  return out;
}

RepeatedFile empty_leaves(BlockSink& sink, size_t width) {
  const Cid nothing = raw_leaf(sink, "");
  RepeatedFile out{raw_leaf(sink, "x"), 1};
  for (int level = 0; level < 2; ++level) {
    UnixfsData data{.type = UnixfsType::file};
    std::vector<PbLink> links;
    for (size_t i = 0; i < width; ++i) {
      const bool deep = i == 0 || level == 1;
      links.push_back({deep ? out.cid : nothing, "", 0});
      data.blocksizes.push_back(deep ? out.size : 0);
    }
    data.filesize = level == 1 ? width * out.size : out.size;
    out.cid = put_node(sink, std::move(links), data);
    out.size = *data.filesize;
  }
  return out;
}

Cid copies(BlockSink& sink, const Cid& file, size_t count, uint64_t tsize) {
  std::vector<PbLink> links;
  for (size_t i = 0; i < count; ++i) links.push_back({file, std::to_string(i), tsize});
  return put_directory(sink, std::move(links));
}

Cid distinct_files(BlockSink& sink, size_t count, size_t bytes) {
  std::vector<PbLink> links;
  for (size_t i = 0; i < count; ++i) {
    std::string content = std::to_string(i);
    content.resize(bytes, 'x');
    links.push_back({raw_leaf(sink, content), std::to_string(i), bytes});
  }
  return put_directory(sink, std::move(links));
}

Cid link_fan(BlockSink& sink, size_t nodes, size_t links) {
  Cid below = raw_leaf(sink, "at the end");
  uint64_t number = 0;
  for (size_t i = 0; i < nodes; ++i) {
    PbNode node;
    node.links.push_back({below, std::nullopt, std::nullopt});
    for (size_t k = 0; k < links; ++k) {
      const std::string text = std::to_string(++number);
      node.links.push_back({*make_cid(Codec::raw, as_bytes(text)), std::nullopt, std::nullopt});
    }
    below = put(sink, Codec::dag_pb, encode_dag_pb(node));
  }
  return below;
}

Cid deep_chain(BlockSink& sink, size_t levels, const std::string& name) {
  Cid below = put_directory(sink, {});
  for (size_t i = 0; i < levels; ++i) below = put_directory(sink, {{below, name, 0}});
  return below;
}

Cid repeated_shards(BlockSink& sink, size_t levels) {
  UnixfsData data{.type = UnixfsType::hamt_shard};
  data.hash_type = kHamtMurmur3;
  data.fanout = 256;
  const std::string name = "name";
  const auto own_slot = [&](size_t level) {
    return *hamt_slot(hamt_hash(name), static_cast<unsigned>(8 * level), 256);
  };
  const Cid leaf = raw_leaf(sink, "x");
  Cid below = put_node(sink, {{leaf, hamt_prefix(own_slot(levels), 256) + name, 1}}, data);
  for (size_t level = levels; level-- > 0;) {
    std::vector<PbLink> links;
    // The place where it fits comes first.
    for (uint64_t i = 0; i < 256; ++i)
      links.push_back({below, hamt_prefix((own_slot(level) + i) % 256, 256), 1});
    below = put_node(sink, std::move(links), data);
  }
  return below;
}

}  // namespace ipnscast::test
