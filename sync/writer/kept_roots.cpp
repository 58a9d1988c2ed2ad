#include "ipnscast/sync/writer/kept_roots.h"

#include <algorithm>
#include <set>

namespace ipnscast::sync {
namespace {

using State = OwnPublish::State;

}  // namespace

KeptRoots kept_roots(const WriterState& state) {
  KeptRoots out;
  std::set<Cid> seen;
  const auto add = [&](std::vector<Cid>& to, const auto& belongs) {
    for (const OwnPublish& own : state.own) {
      if (!belongs(own)) continue;
      auto root = root_of(own.value());
      if (root && seen.insert(*root).second) to.push_back(std::move(*root));
    }
  };
  add(out.lost, [](const OwnPublish& own) { return own.state == State::lost && own.certain; });
  add(out.queued, [](const OwnPublish& own) { return own.alive() && own.queued; });
  add(out.open, [&](const OwnPublish& own) {
    return own.state == State::tentative ||
           (own.alive() && state.known && own.value() == state.known->record.value);
  });
  add(out.perhaps_lost, [](const OwnPublish& own) { return own.state == State::lost; });
  std::reverse(out.perhaps_lost.begin(), out.perhaps_lost.end());
  return out;
}

}  // namespace ipnscast::sync
