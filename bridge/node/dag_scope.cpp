#include "bridge/node/dag_scope.h"

#include <optional>
#include <string>

#include "sync/ipfs/fingerprint_set.h"
#include "sync/ipfs/link_stack.h"

namespace ipnscast::bridge {
namespace {

using sync::Cid;
using sync::ScopeGuide;

// A DAG of a hundred blocks can hold one of them more often than there are atoms. What is not sent
// counts for more, as no reader slows the walk down.
constexpr uint64_t kMaxRepeats = uint64_t{1} << 20;
constexpr uint64_t kUnsentWeight = 16;

// A block is looked at once where all below it is meant, else once in each of its places. By codec
// too: the same bytes may be a leaf under one CID and have links under another.
std::string visit_key(const ScopeGuide::Visit& visit) {
  std::string out = std::to_string(static_cast<int>(visit.place.kind)) + ' ';
  if (visit.place.kind != ScopeGuide::Place::Kind::whole) {
    out += std::to_string(visit.place.step) + ' ' + std::to_string(visit.place.bits) + ' ' +
           std::to_string(visit.place.offset) + ' ';
  }
  return out + std::string(as_text(visit.cid.as_v1().encode()));
}

}  // namespace

Status visit_scope(sync::BlockSource& source, const Cid& root, const sync::DagScope& scope,
                   const OnBlock& visit, Repeats repeats) {
  ScopeGuide guide(scope);
  auto first = guide.begin(root);
  if (!first) return fail(first.error());
  const bool once = repeats == Repeats::left_out;
  uint64_t repeated = 0;
  sync::FingerprintSet seen;
  sync::FingerprintSet sent;
  sync::LinkStack stack(
      [&](const ScopeGuide::Visit& parent) -> Result<std::vector<ScopeGuide::Visit>> {
        const auto block = sync::read_block(source, parent.cid);
        if (!block) return fail(block.error());
        return guide.links(parent, *block);
      });
  const auto visit_one = [&](const ScopeGuide::Visit& at) -> Status {
    if (!seen.insert(visit_key(at))) {
      if (once) return {};
      repeated += at.cid.is_identity() ? kUnsentWeight : 1;
      if (repeated > kMaxRepeats) return fail(Errc::too_large, "dag: too many repeated blocks");
    }
    const auto block = sync::read_block(source, at.cid);
    if (!block && block.error().code == Errc::not_found) return fail(block_missing(at.cid));
    if (!block) return fail(block.error());
    const bool is_new = sent.insert(as_text(sync::block_key(at.cid)));
    if (!at.cid.is_identity() && (is_new || !once)) {
      if (Status taken = visit(at.cid, *block); !taken) return taken;
    }
    auto links = guide.links(at, *block);
    // A block that we cannot look into is a leaf to us: it can still be carried.
    if (!links && links.error().code == Errc::unsupported) return {};
    if (!links) return fail(links.error().within(at.cid.to_string()));
    return stack.push(at, std::move(*links));
  };
  for (std::optional<ScopeGuide::Visit> next = std::move(*first); next;) {
    const ScopeGuide::Visit at = std::move(*next);
    if (Status taken = visit_one(at); !taken) return taken;
    auto popped = stack.pop();
    if (!popped) return fail(popped.error());
    next.reset();
    if (*popped) next = std::move((*popped)->visit);
  }
  return {};
}

Status check_whole(sync::BlockSource& source, const Cid& root) {
  return visit_scope(source, root, {}, [](const Cid&, ByteView) { return Status{}; });
}

Error block_missing(const Cid& cid) {
  return {Errc::not_found,
          "block was not found locally (offline): ipld: could not find " + cid.to_string()};
}

}  // namespace ipnscast::bridge
