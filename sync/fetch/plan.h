#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/cache/block_cache.h"
#include "ipnscast/sync/ipfs/unixfs/fingerprint_set.h"
#include "ipnscast/sync/ipfs/unixfs/link_stack.h"

namespace ipnscast::sync {

// What of a DAG, or of a part of it, is still missing, and who is to bring it. Walks from its root
// over the blocks that are in the cache; what it meets and does not find is wanted, until accept()
// gives it. It is whole when nothing is wanted: that, and no status or end of a stream, is what
// proves it. Memory is bounded by kMostWanted and some bytes for each block that was seen: links
// beyond that wait in the blocks that have them. No sockets; one thread.
class FetchPlan {
 public:
  enum class Kind {
    car,  // the whole DAG below it as a stream, or what `scope` says
    raw,  // this block alone
  };
  using Owner = uint64_t;  // 0: nobody yet
  struct Task {
    Owner owner = 0;
    Cid cid;
    Kind kind = Kind::raw;
    const DagScope* scope = nullptr;  // of the root's stream, the plan's; null: all
  };
  enum class Verdict { accepted, unwanted, unexpected };  // unwanted: we have it
  struct Accepted {
    Verdict verdict = Verdict::unwanted;
    std::vector<std::string> now_wanted;  // keys, of an accepted block's links
  };

  static constexpr size_t kMostWanted = 1 << 16;  // at a time
  static constexpr size_t kMostBlocks = 1 << 24;  // of one DAG

  // With `shares` the DAG may have much in common with what is in the cache: it is descended block
  // by block, and a node of which nothing below is known is asked for again as a stream, for all of
  // that.
  FetchPlan(BlockCache& cache, uint64_t max_bytes, bool shares, DagScope scope = {},
            std::optional<Instant> deadline = {}, size_t most_wanted = kMostWanted);
  FetchPlan(const FetchPlan&) = delete;
  FetchPlan& operator=(const FetchPlan&) = delete;

  // Errors of ScopeGuide::links() for blocks that we have, Errc::io, Errc::timeout;
  // Errc::unsupported for a link whose hash nobody can check; Errc::too_large.
  Status begin(const Cid& root);
  bool complete() const { return wanted_.empty(); }
  uint64_t missing() const { return wanted_.size(); }  // blocks
  // Where the scope's path ends, once that is known.
  const std::optional<Cid>& target() const { return guide_.target(); }

  // The next block that nobody brings, or nothing. At most `streams` car tasks are handed out at a
  // time.
  std::optional<Task> next_task(size_t streams);
  bool wanted(const Cid& cid) const;
  // A block that came while `owner` ran. What it links to is then wanted too, from the same owner
  // for a car task. Errc::signature when the bytes are not the CID's; Errc::too_large beyond
  // max_bytes; begin()'s errors.
  Result<Accepted> accept(const Task& task, const Cid& cid, const SharedBlock& block);
  // The same by the block's key: what is wanted says which CID it is.
  Result<Accepted> accept_key(const Task& task, const std::string& key, const SharedBlock& block);
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
  using Place = ScopeGuide::Place;
  using Visit = ScopeGuide::Visit;
  using Visits = std::vector<Visit>;
  struct Wanted {
    Cid cid;
    Owner owner = 0;
    bool bulk = true;           // ask for the whole DAG below
    bool scoped = false;        // the root: ask for the scope as a stream
    Place place;                // where it stands
    std::vector<Place> others;  // and where else
  };
  // What became wanted, by key.
  struct Found {
    std::vector<std::string> below;  // by the links of the block that was accepted
    std::vector<std::string> later;  // by links that had waited for room
  };
  Result<Visits> links_again(const Visit& parent);
  Result<Visits> links_of(const Visit& visit, ByteView block);
  Status walk(size_t level, Owner owner, Found& found);
  Status meet(Visit visit, bool bulk, Owner owner, std::vector<std::string>& found);
  void hand_out(const std::vector<std::string>& names);
  void hand_back(Owner owner);
  void own(Owner owner, const std::string& name);
  std::optional<Task> take_unowned(std::vector<std::string>& from, bool streams_left);
  bool worth_a_stream(const std::vector<std::string>& links) const;
  void stream_below(const Cid& cid, const std::vector<std::string>& links);
  void want(const Visit& visit, const std::string& name, bool bulk, Owner owner,
            std::vector<std::string>& found);
  bool nothing_known(const Visits& links);

  // constant after construction
  BlockCache& cache_;
  const uint64_t max_bytes_;
  const bool shares_;
  const DagScope scope_;
  const std::optional<Instant> deadline_;
  const size_t most_wanted_;

  ScopeGuide guide_;
  LinkStack open_;       // marked: what they lead to is asked for in bulk
  FingerprintSet seen_;  // keys, and places where not all below is wanted
  std::unordered_map<std::string, Wanted> wanted_;
  // Keys, the next one last; may be wanted no longer.
  std::vector<std::string> unowned_;
  std::vector<std::string> unowned_streams_;  // those that wait for other streams to end
  std::deque<Task> below_;                    // streams that were not handed out yet
  std::unordered_map<Owner, std::vector<std::string>> owned_;
  Owner last_owner_ = 0;
  std::unordered_set<Owner> streams_;  // of what is not shared
  uint64_t bytes_ = 0;
  uint64_t blocks_ = 0;
};

}  // namespace ipnscast::sync
