#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sync/block_cache.h"

namespace ipnscast::sync {

// What of a DAG is still missing, and who is to bring it. Walks the DAG from its root over the
// blocks that are in the cache; what it meets and does not find is wanted, until accept() gives it.
// The DAG is whole when nothing is wanted: that, and no status or end of a stream, is what proves
// it. No sockets, no clock; one thread.
class FetchPlan {
 public:
  enum class Kind {
    car,  // the whole DAG below it, as a stream
    raw,  // this block alone
  };
  using Owner = uint64_t;  // 0: nobody yet
  struct Task {
    Owner owner = 0;
    Cid cid;
    Kind kind = Kind::raw;
  };
  enum class Verdict { accepted, unwanted, unexpected };  // unwanted: we have it
  struct Accepted {
    Verdict verdict = Verdict::unwanted;
    std::vector<std::string> now_wanted;  // keys, of an accepted block's links
  };

  // With `shares` the DAG is expected to have much in common with what is in the cache: it is
  // descended block by block, and only below nodes of which nothing is known are whole streams
  // asked for.
  FetchPlan(BlockCache& cache, uint64_t max_bytes, bool shares)
      : cache_(cache), max_bytes_(max_bytes), shares_(shares) {}

  // Errc::parse when a block that we have is not of its codec, Errc::io.
  Status begin(const Cid& root);
  bool complete() const { return wanted_.empty(); }

  // The next block that nobody brings, or nothing. At most `streams` car tasks are handed out at a
  // time.
  std::optional<Task> next_task(size_t streams);
  bool wanted(const Cid& cid) const;
  // A block that came while `owner` ran. What it links to is then wanted too, from the same owner
  // for a car task. Errc::signature when the bytes are not the CID's; Errc::too_large beyond
  // max_bytes; Errc::parse; Errc::io.
  Result<Accepted> accept(const Task& task, const Cid& cid, ByteView block);
  // The same by the block's key: what is wanted says which CID it is.
  Result<Accepted> accept_key(const Task& task, const std::string& key, ByteView block);
  // Something that this task was to bring is missing.
  bool owes(const Task& task) const;
  // The owner brings nothing more. What it did not bring is handed out again; with `raw_only` its
  // own block alone.
  void release(const Task& task, bool raw_only);
  // What the owner has not brought yet is handed out to others as well. It goes on: what still
  // comes from it is taken, and links that it brings are its own again.
  void share(const Task& task);

  uint64_t bytes() const { return bytes_; }    // accepted
  uint64_t blocks() const { return blocks_; }  // accepted
  uint64_t bytes_left() const { return max_bytes_ - bytes_; }
  static std::string key(const Cid& cid);

 private:
  struct Wanted {
    Cid cid;
    Owner owner = 0;
    bool bulk = true;  // ask for the whole DAG below
  };
  Status discover(std::vector<Cid> open, const Task* task, std::vector<std::string>* now_wanted);
  void hand_back(Owner owner);
  bool nothing_known(const std::vector<Cid>& links);

  // constant after construction
  BlockCache& cache_;
  const uint64_t max_bytes_;
  const bool shares_;

  std::unordered_set<std::string> seen_;
  std::unordered_map<std::string, Wanted> wanted_;
  std::deque<std::string> unowned_;  // keys, may be wanted no longer
  std::unordered_map<Owner, std::vector<std::string>> owned_;
  Owner last_owner_ = 0;
  std::unordered_set<Owner> streams_;  // of what is not shared
  uint64_t bytes_ = 0;
  uint64_t blocks_ = 0;
};

}  // namespace ipnscast::sync
