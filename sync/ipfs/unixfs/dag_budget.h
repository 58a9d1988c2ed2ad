#pragma once

#include <functional>
#include <optional>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/ipfs/ipld/block_source.h"
#include "ipnscast/sync/ipfs/unixfs/fingerprint_set.h"

namespace ipnscast::sync {

// What a DAG stands for, each part as often as it is linked. Sums stop at the end of 64 bits.
struct DagTotals {
  uint64_t bytes = 0;    // of files' content
  uint64_t entries = 0;  // files, directories and symbolic links
  uint64_t visits = 0;   // blocks to be looked at

  DagTotals& operator+=(const DagTotals& more);
};

// What one walk may do. A block may be linked any number of times, so that kilobytes of DAG can
// stand for more than a disk holds: each bound is on what is done, not on what is distinct (R40).
struct DagLimits {
  uint64_t max_bytes = uint64_t{1} << 40;
  // Four million: four times the largest trees of small files that people are known to publish.
  uint64_t max_entries = 1 << 22;
  // Sixteen million. Content cut as usual has a block for each 256 KiB: 200,000 visits are 50 GB.
  // One million of them may come to nothing; the others are earned by bytes and entries.
  uint64_t max_visits = 1 << 24;
  // Links that are held at a time: of all the blocks on the way from the root to one entry.
  uint64_t max_open = 1 << 17;
  std::optional<Instant> deadline;
  std::function<bool()> stopped;  // asked at every visit; may be empty
};

// The account of one walk: everything that it does is charged here before it is done. The first
// thing that would go past a limit, or past the deadline, is refused: Errc::too_large,
// Errc::timeout, Errc::cancelled. One thread.
class DagBudget {
 public:
  explicit DagBudget(DagLimits limits) : limits_(std::move(limits)) {}

  // Charges a visit, then read_block().
  Result<Bytes> read(BlockSource& source, const Cid& cid);
  // A visit to what was read before.
  Status visit();
  // A file, directory or symbolic link that is about to be made.
  Status entry();
  // Bytes of content that are about to be written.
  Status write(uint64_t bytes);
  // So many links of one block are held, until close(). When it fails, they are not.
  Status open(uint64_t links);
  void close(uint64_t links) { open_ -= links; }
  // A claim about what is still to come: refused when it could not be done.
  Status expect(const DagTotals& claimed) const;
  // Making something took this long: about as much is needed to remove it when the time is over.
  void note_made(std::chrono::nanoseconds took) { made_for_ += took; }
  // Only whether there is time left.
  Status check_time() const;

  // `look` is called once, when so many visits went to blocks that were visited before that the
  // DAG may stand for much more than it is; its error ends the walk.
  void on_repeats(std::function<Status()> look) { look_ = std::move(look); }

  const DagLimits& limits() const { return limits_; }
  const DagTotals& spent() const { return spent_; }

 private:
  // How many are allowed for what comes of them.
  uint64_t visits_for(const DagTotals& made) const;
  Status note_repeat(const Cid& cid, size_t bytes);

  // constant after construction
  const DagLimits limits_;

  DagTotals spent_;
  uint64_t open_ = 0;  // links
  std::chrono::nanoseconds made_for_{0};
  std::function<Status()> look_;  // empty: nobody wants to know of repeats, or was told
  FingerprintSet seen_;
  DagTotals repeated_;  // its bytes are those of blocks
  uint64_t distinct_bytes_ = 0;
};

// "1.5 GiB", "300 bytes".
std::string size_text(uint64_t bytes);

}  // namespace ipnscast::sync
