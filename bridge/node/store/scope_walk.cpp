#include "ipnscast/bridge/node/store/scope_walk.h"

#include <string>
#include <utility>

namespace ipnscast::bridge {
namespace {

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

ScopeWalk::ScopeWalk(sync::BlockSource& source, const sync::Cid& root, const sync::DagScope& scope,
                     Repeats repeats)
    : source_(source),
      root_(root),
      once_(repeats == Repeats::left_out),
      guide_(scope),
      stack_([this](const Visit& parent) -> Result<std::vector<Visit>> {
        const auto block = sync::read_block(source_, parent.cid);
        if (!block) return fail(block.error());
        return guide_.links(parent, *block);
      }) {}

Result<std::optional<ScopeWalk::Step>> ScopeWalk::look(const Visit& at) {
  if (!seen_.insert(visit_key(at))) {
    if (once_) return std::nullopt;
    repeated_ += at.cid.is_identity() ? kUnsentWeight : 1;
    if (repeated_ > kMaxRepeats) return fail(Errc::too_large, "dag: too many repeated blocks");
  }
  auto block = sync::read_block(source_, at.cid);
  if (!block && block.error().code == Errc::not_found) return fail(block_missing(at.cid));
  if (!block) return fail(block.error());
  auto links = guide_.links(at, *block);
  // A block that we cannot look into is a leaf to us: it can still be carried.
  const bool is_leaf = !links && links.error().code == Errc::unsupported;
  if (!links && !is_leaf) failed_ = links.error().within(at.cid.to_string());
  if (links) {
    if (Status held = stack_.push(at, std::move(*links)); !held) failed_ = held.error();
  }
  const bool is_new = sent_.insert(as_text(sync::block_key(at.cid)));
  if (at.cid.is_identity() || (once_ && !is_new)) return std::nullopt;
  return Step{at.cid, std::move(*block)};
}

Result<std::optional<ScopeWalk::Step>> ScopeWalk::next() {
  while (!failed_) {
    std::optional<Visit> at;
    if (!std::exchange(begun_, true)) {
      auto first = guide_.begin(root_);
      if (!first) return fail(first.error());
      at = std::move(*first);
    } else {
      auto popped = stack_.pop();
      if (!popped) return fail(popped.error());
      if (!*popped) return std::nullopt;
      at = std::move((*popped)->visit);
    }
    auto step = look(*at);
    if (!step || *step) return step;
  }
  return fail(*failed_);
}

}  // namespace ipnscast::bridge
