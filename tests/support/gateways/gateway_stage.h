#pragma once

#include <set>

#include "ipnscast/bridge/node/gateway_routes.h"
#include "ipnscast/sync/ipfs/ipld/car.h"
#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/node_samples.h"

// The gateway of the embedded node over stores in memory, without a socket.
namespace ipnscast::test {

using bridge::Block;
using bridge::HttpResponse;
using sync::Cid;

inline Block block_of(sync::Codec codec, Bytes bytes) {
  return {*sync::make_cid(codec, bytes), bytes};
}

inline Block directory_of(const std::vector<std::pair<std::string, Block>>& entries) {
  sync::PbNode node;
  node.data = sync::encode_unixfs({.type = sync::UnixfsType::directory});
  for (const auto& [name, block] : entries)
    node.links.push_back({block.cid, name, block.bytes.size()});
  return block_of(sync::Codec::dag_pb, sync::encode_dag_pb(node));
}

// A file whose parts are raw blocks.
inline Block file_of(const std::vector<Block>& parts) {
  sync::PbNode node;
  sync::UnixfsData data{.type = sync::UnixfsType::file};
  uint64_t size = 0;
  for (const Block& part : parts) {
    node.links.push_back({part.cid, "", part.bytes.size()});
    data.blocksizes.push_back(part.bytes.size());
    size += part.bytes.size();
  }
  data.filesize = size;
  node.data = sync::encode_unixfs(data);
  return block_of(sync::Codec::dag_pb, sync::encode_dag_pb(node));
}

struct GatewayStage {
  using Headers = std::map<std::string, std::string>;

  // The whole answer; `cut` tells whether a stream ended with an error, `streamed` whether its
  // length is unknown.
  HttpResponse get(const std::string& target, Headers headers = {}, std::string method = "GET") {
    bridge::NodeAnswer answer =
        gateway.answer(request_of(std::move(method), target, std::move(headers)), kNodeTime);
    streamed = std::holds_alternative<bridge::StreamedAnswer>(answer);
    if (!streamed) return std::get<HttpResponse>(answer);
    auto& stream = std::get<bridge::StreamedAnswer>(answer);
    HttpResponse out{200, stream.headers, {}};
    for (;;) {
      const auto piece = stream.next();
      cut = !piece;
      if (cut || piece->empty()) return out;
      append(out.body, *piece);
    }
  }
  void put(const std::vector<Block>& held) { REQUIRE(blocks->put_all(held)); }
  // The blocks of a CAR, each checked against its CID.
  static std::vector<Cid> cids_of(const HttpResponse& car) {
    std::vector<Cid> out;
    sync::CarReader reader([&](const sync::CarSection& section) {
      out.push_back(section.cid);
      return Status{};
    });
    CHECK(car.status == 200);
    CHECK(reader.feed(car.body));
    CHECK(reader.finish());
    return out;
  }

  std::unique_ptr<bridge::BlockStore> blocks =
      std::move(*bridge::BlockStore::open(":memory:", 1 << 20));
  std::unique_ptr<bridge::RecordStore> records = std::move(*bridge::RecordStore::open(":memory:"));
  bridge::GatewayRoutes gateway{*blocks, *records};
  bool cut = false;
  bool streamed = false;
};

inline std::string text_of(const HttpResponse& answer) { return std::string(as_text(answer.body)); }

// A header's value, or empty.
inline std::string header(const HttpResponse& answer, const std::string& name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? "" : found->second;
}

// A gateway that holds one block of 22 bytes.
struct OneBlock : GatewayStage {
  OneBlock() { put({block}); }
  const Block block = raw_block("hello, trustless world");
  const std::string cid = block.cid.to_string();
  const std::string path = "/ipfs/" + cid;
};

}  // namespace ipnscast::test
