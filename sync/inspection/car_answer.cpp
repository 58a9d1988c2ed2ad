#include "ipnscast/sync/inspection/car_answer.h"

#include <map>
#include <set>

#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/sync/ipfs/ipld/car.h"

namespace ipnscast::sync::inspection {

Result<CarContent> check_car(ByteView car, const Cid& root, const DagScope& scope) {
  std::map<Bytes, Bytes, BytesLess> blocks;
  CarReader reader([&](const CarSection& section) -> Status {
    blocks[block_key(section.cid)] = std::move(section.block);
    return {};
  });
  Status read = reader.feed(car);
  if (read) read = reader.finish();
  if (!read) return fail(read.error());

  ScopeGuide guide(scope);
  auto first = guide.begin(root);
  if (!first) return fail(first.error());
  std::vector<ScopeGuide::Visit> open{std::move(*first)};
  std::set<Bytes, BytesLess> needed;
  while (!open.empty()) {
    const ScopeGuide::Visit visit = std::move(open.back());
    open.pop_back();
    Bytes block = visit.cid.hash.digest;
    if (!visit.cid.is_identity()) {
      const auto it = blocks.find(block_key(visit.cid));
      if (it == blocks.end()) return fail(Errc::not_found, "blocks are missing in the answer");
      const bool seen = !needed.insert(it->first).second;
      if (seen && visit.place.kind == ScopeGuide::Place::Kind::whole) continue;
      block = it->second;
    }
    if (!ScopeGuide::looks_into(visit)) continue;
    auto links = guide.links(visit, block);
    if (!links) return fail(links.error());
    open.insert(open.end(), links->begin(), links->end());
  }
  return CarContent{blocks.size(), needed.size()};
}

}  // namespace ipnscast::sync::inspection
