#include "ipnscast/tests/support/gateways/scripted_gateway.h"

#include <algorithm>
#include <set>

#include "ipnscast/sync/ipfs/ipld/car.h"
#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"

namespace ipnscast::test {

using sync::Cid;
using sync::Codec;

Cid BlockTable::add_raw(const std::string& bytes) {
  const Cid cid = *sync::make_cid(Codec::raw, as_bytes(bytes));
  blocks_[cid.to_string()] = bytes;
  return cid;
}

Cid BlockTable::add_node(const std::vector<Cid>& links, const std::string& data) {
  sync::PbNode node;
  for (const Cid& link : links) node.links.push_back({link, std::string(), uint64_t{0}});
  if (!data.empty()) node.data = to_bytes(data);
  const Bytes block = sync::encode_dag_pb(node);
  const Cid cid = *sync::make_cid(Codec::dag_pb, block);
  blocks_[cid.to_string()] = std::string(as_text(block));
  return cid;
}

Cid BlockTable::add_tree(int fanout, size_t leaf_bytes, int seed) {
  std::vector<Cid> nodes;
  for (int i = 0; i < fanout; ++i) {
    std::vector<Cid> leaves;
    for (int j = 0; j < fanout; ++j) {
      std::string leaf =
          std::to_string(seed) + "/" + std::to_string(i) + "/" + std::to_string(j) + "/";
      leaf.resize(std::max(leaf.size(), leaf_bytes), 'x');
      leaves.push_back(add_raw(leaf));
    }
    nodes.push_back(add_node(leaves));
  }
  return add_node(nodes);
}

const std::string* BlockTable::find(const std::string& cid) const {
  const auto it = blocks_.find(cid);
  return it == blocks_.end() ? nullptr : &it->second;
}

std::string BlockTable::car(const Cid& root, bool reversed) const {
  std::vector<std::string> order;
  std::set<std::string> seen;
  std::vector<Cid> open{root};
  while (!open.empty()) {
    const Cid cid = open.back();
    open.pop_back();
    const std::string* block = find(cid.to_string());
    if (block == nullptr || !seen.insert(cid.to_string()).second) continue;
    order.push_back(cid.to_string());
    const auto links = sync::block_links(cid, as_bytes(*block));
    if (links) open.insert(open.end(), links->rbegin(), links->rend());
  }
  if (reversed) std::reverse(order.begin(), order.end());
  Bytes out = sync::car_header({root});
  for (const std::string& cid : order)
    sync::append_car_section(out, *Cid::parse(cid), as_bytes(*find(cid)));
  return std::string(as_text(out));
}

ScriptedHttpServer::Script gateway_script(
    const BlockTable& table, std::function<void(const ScriptedRequest&, ScriptedAnswer&)> change) {
  return [&table, change = std::move(change)](const ScriptedRequest& request) {
    ScriptedAnswer answer{
        .status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "not here"};
    if (request.target == "/ipfs/bafkqaaa?format=raw") {
      return ScriptedAnswer{.headers = {{"Content-Type", "application/vnd.ipld.raw"}}};
    }
    if (request.target.rfind("/ipfs/", 0) != 0) return answer;
    const std::string cid = request.target.substr(6, request.target.find('?') - 6);
    const std::string* block = table.find(cid);
    if (block != nullptr && request.target.find("format=raw") != std::string::npos) {
      answer = {.headers = {{"Content-Type", "application/vnd.ipld.raw"}}, .body = *block};
    } else if (block != nullptr && request.target.find("format=car") != std::string::npos) {
      answer = {
          .headers = {{"Content-Type", "application/vnd.ipld.car; version=1; order=dfs; dups=n"}},
          .body = table.car(*Cid::parse(cid))};
    }
    if (change) change(request, answer);
    return answer;
  };
}

}  // namespace ipnscast::test
