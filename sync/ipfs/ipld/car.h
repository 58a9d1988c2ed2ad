#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "ipnscast/sync/ipfs/ipld/block_source.h"

namespace ipnscast::sync {

// One block of a CAR stream. Holds during the call only, in which the block may be moved away.
struct CarSection {
  const Cid& cid;
  Bytes& block;
  uint64_t offset = 0;  // of the block's first byte in the stream
};

// Reads a CAR stream fed in pieces of any size: a CARv1, or the one inside a CARv2, whose index is
// not looked at. Holds at most one section (2 MiB and its CID). IPLD "CARv1", "CARv2". Not
// thread-safe. That a stream ends well proves nothing about its completeness: only walking the DAG
// does.
class CarReader {
 public:
  // What it returns as an error ends the reading.
  using OnBlock = std::function<Status(const CarSection&)>;
  enum class Check { verify, trust };

  // With Check::trust the blocks' hashes are left to the callback.
  explicit CarReader(OnBlock on_block, Check check = Check::verify);

  // Errc::parse, Errc::too_large, Errc::unsupported (another version, unknown hash),
  // Errc::signature for a block that is not its CID's, or the callback's error. After an error
  // every call gives it again.
  Status feed(ByteView chunk);
  // The stream has ended. Errc::parse when it was cut inside a section or before the header's end.
  Status finish();

  // As the header has them, once it is read. Not verified, and often wrong: the caller knows what
  // it asked for.
  const std::vector<Cid>& roots() const { return roots_; }
  bool has_header() const { return has_header_; }
  uint64_t block_count() const { return block_count_; }

 private:
  Status take(ByteView& chunk);
  Status take_length(uint8_t byte);
  Status take_header(ByteView part);
  Status take_cid(ByteView part);
  Status take_block(ByteView part);

  const OnBlock on_block_;
  const Check check_;
  Bytes buffer_;            // of what is being collected: a length, the header or a CID
  size_t wanted_ = 0;       // bytes of the section still to come; 0 while its length is being read
  std::optional<Cid> cid_;  // of the section, once it is read
  Bytes block_;
  uint64_t position_ = 0;  // bytes of the stream consumed
  uint64_t block_count_ = 0;
  bool has_header_ = false;
  bool is_v2_ = false;                    // what a CARv2 says of itself is being read
  uint64_t skip_ = 0;                     // bytes of a CARv2 before the CARv1 inside
  std::optional<uint64_t> payload_left_;  // of that CARv1
  std::vector<Cid> roots_;
  Status failed_;
};

// The header, and one section behind it. For writers.
Bytes car_header(const std::vector<Cid>& roots);
void append_car_section(Bytes& out, const Cid& cid, ByteView block);

}  // namespace ipnscast::sync
