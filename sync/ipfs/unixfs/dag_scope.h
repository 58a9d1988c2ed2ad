#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ipnscast/sync/ipfs/ipld/block_source.h"

namespace ipnscast::sync {

// How much of a DAG is meant. Trustless gateway, "dag-scope".
enum class DagPart {
  block,   // the block alone
  entity,  // what makes up one thing: all of a file, all shards of a directory, else the block
  all,     // everything below
};

// Bytes of a file, both ends included; what is negative counts from the end (-1 is the last byte).
// Trustless gateway, "entity-bytes".
struct ByteRange {
  int64_t from = 0;
  std::optional<int64_t> to;  // none: to the end

  // "from:to", "from:*", ":to" and "from" too. Errc::parse.
  static Result<ByteRange> parse(std::string_view text);
  std::string to_string() const;  // "from:to", "from:*"
  // As [first, second) of a file of that size; empty when it lies beyond.
  std::pair<uint64_t, uint64_t> within(uint64_t size) const;
};

// A part of a DAG: what leads from its root along `path` ("a/b", "/a/b" or empty), and `part` of
// what is there; of a file, with `bytes`, only the blocks that hold them (ignored for all else).
struct DagScope {
  std::string path;
  DagPart part = DagPart::all;
  std::optional<ByteRange> bytes;  // with DagPart::entity
  bool is_whole() const { return path.empty() && part == DagPart::all; }
};

// Leads through a scope, block by block: which of a block's links belong to it depends on where the
// block stands. The same block may stand in several places. Pure; one walk each.
class ScopeGuide {
 public:
  struct Place {
    enum class Kind : uint8_t { whole, alone, entity, listing, part, step };
    Kind kind = Kind::whole;
    uint8_t bits = 0;     // of a name's hash that led here; step, listing
    uint16_t step = 0;    // how many steps of the path led here
    uint16_t fanout = 0;  // of the shard above; 0: none
    uint64_t offset = 0;  // of a part, in the file
    bool operator==(const Place&) const = default;
  };
  struct Visit {
    Cid cid;
    Place place;
  };

  explicit ScopeGuide(DagScope scope);

  // Errc::too_large for more than 256 steps.
  Result<Visit> begin(const Cid& root);
  // What belongs to the scope out of a verified block. Errc::not_found for a step of the path that
  // is not there, Errc::mismatch when the path leads through what is no directory; Errc::parse;
  // Errc::unsupported for codecs whose links we cannot read; Errc::too_large.
  Result<std::vector<Visit>> links(const Visit& at, ByteView block);
  // Whether links() has anything to say about the block.
  static bool looks_into(const Visit& visit);
  // Where the path ends, once that is known.
  const std::optional<Cid>& target() const { return target_; }

 private:
  using Visits = Result<std::vector<Visit>>;
  Visit arrive(Cid cid, size_t steps);
  Visits step_on(const Visit& at, ByteView block);
  Visits step_in_data(const Visit& at, ByteView block);
  Visits entity(const Visit& at, ByteView block);
  Visits parts(const Visit& at, const struct UnixfsNode& node) const;

  // constant after construction
  const DagScope scope_;
  std::vector<std::string> steps_;

  std::optional<Cid> target_;
  uint64_t first_ = 0;  // the bytes that are meant, once the file is known
  uint64_t end_ = 0;
  uint64_t visits_ = 0;
};

// The steps of a path; empty ones ("//") and "." are left out, and ".." takes back the step before
// it, as boxo has it. Those that would lead above the root stand first.
std::vector<std::string> path_steps(std::string_view path);

}  // namespace ipnscast::sync
