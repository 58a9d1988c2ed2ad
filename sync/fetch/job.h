#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/sync/fetch/plan.h"
#include "ipnscast/sync/fetch/transfer.h"

namespace ipnscast::sync {

struct FetchProgress {
  uint64_t bytes = 0;  // received, verified and kept
  uint64_t blocks = 0;
  uint64_t waiting = 0;  // blocks that are known to be missing
};

struct FetchOptions {
  uint64_t max_bytes = uint64_t{4} << 30;  // of blocks that are not yet in the cache
  Milliseconds deadline{std::chrono::hours(24)};
  Milliseconds idle{
      600'000};               // without a new block of it: whoever sends byte by byte sends nothing
  Milliseconds stall{3'000};  // without a new byte, until another gateway goes on
  DagScope scope;             // what of the DAG; by default all
  bool shares = false;  // another version of it is in the cache: only what is new is asked for
  std::string
      keep_as;  // on success `root` is the current version of this in the cache; empty: of nothing
  size_t parallel = 8;       // blocks asked for at a time
  size_t streams = 3;        // of these, whole streams
  Milliseconds hedge{300};   // until another is asked beside it, while a gateway's p95 is not known
  std::set<size_t> have_it;  // gateways that are known to have the root: asked first
  // Told on the fetch's thread, ten times a second at most, and once at the end. Must not block.
  std::function<void(const FetchProgress&)> on_progress;
  // The block of this key (FetchPlan::key()) came and is in the cache. As above.
  std::function<void(std::string_view key)> on_block;
};

struct FetchReport {
  Cid target;          // where the scope's path ends
  uint64_t bytes = 0;  // received and kept
  uint64_t blocks = 0;
  Milliseconds took{0};
  Milliseconds first_block{0};                        // after which it came
  std::map<std::string, uint64_t> blocks_by_gateway;  // URL
};

// One fetch of one DAG into the cache, on the thread that calls run(). Several gateways take part:
// the fastest first; others beside it when it is quiet for longer than it was measured to take;
// another one after a failure, a lie, a stall, a cut or a hole, which goes on with what is missing.
class FetchJob {
 public:
  // All outlive the job. `inbox` takes FetchCancelled from other threads.
  FetchJob(gateway::Http& http, gateway::GatewayBook& book, BlockCache& cache, Cid root,
           FetchOptions options, std::shared_ptr<FetchInbox> inbox);

  // All that is wanted is in the cache. Errc::not_found when every gateway says so; unreachable,
  // timeout, busy (all are left alone), cancelled, too_large, parse and unsupported (content that
  // no gateway can mend), io.
  Result<FetchReport> run();

 private:
  // So much of a stream may come from several gateways at once: what proves a gateway good. Beyond
  // that one goes on, and from others only what is missing is asked for.
  static constexpr uint64_t kYoungStream = 512 * 1024;

  struct Candidate {
    size_t gateway;
    FetchDialect dialect;
  };
  // A block or stream that is being asked for, from one or several gateways at once.
  struct Active {
    FetchPlan::Task task;
    std::vector<Candidate> left;  // not yet asked, the best last
    std::set<uint64_t> transfers;
    bool shared = false;  // others bring it as well, as tasks of their own
    Instant company_not_before{};
    bool repeated = false;  // all were asked a second time
    Error last_error{Errc::not_found, "no gateway has it"};
  };
  struct Running {
    FetchPlan::Owner owner;
    Candidate candidate;
    Instant started;
    std::unique_ptr<FetchTransfer> transfer;
    std::map<std::string, SharedBlock> early;  // blocks that came before the link to them
    size_t early_bytes = 0;
    bool useful = false;       // brought a block
    Instant last_byte;         // or the start
    Milliseconds patience{0};  // quiet for so long, it gets company
    bool talking = false;      // some byte came
    uint64_t received = 0;
    Status type{};  // what its head called it, when that is not what was asked for
  };

  Status loop();
  void start_tasks();
  size_t busy() const;
  bool ask_next(Active& active);
  bool ask_another(Active& active);
  bool ask(Active& active, const Candidate& candidate);
  bool fall_asleep();
  std::vector<Candidate> candidates() const;
  void take(TransferHead& event);
  void take(TransferBytes& event);
  void take(TransferDone& event);
  void take(FetchCancelled&);
  Status take_file(Running& running, ByteView file);
  Status take_block(Running& running, const Cid& cid, const SharedBlock& block);
  Status accepted(Running& running, const FetchPlan::Accepted& what);
  void note_block(const Running& running, std::string_view key);
  void won(Active& active, Running& running);
  void transfer_over(uint64_t number, Status outcome, Seconds retry_after = Seconds(0));
  void task_failed(FetchPlan::Owner owner);
  void task_over(FetchPlan::Owner owner, bool raw_only);
  void drop(uint64_t transfer);
  void heard_from(Running& running, size_t bytes);
  std::optional<Instant> quiet_at(const Active& active) const;
  void check_quiet(Instant now);
  void resume_paused();
  void join(Active& active, Instant now);
  bool another_to_ask(Instant now) const;
  Instant next_wake() const;
  void tell_progress(bool at_once);
  void judge(const Candidate& candidate, const Status& outcome, Seconds retry_after);

  // constant after construction
  gateway::Http& http_;
  gateway::GatewayBook& book_;
  BlockCache& cache_;
  const Cid root_;
  const FetchOptions options_;
  const std::shared_ptr<FetchInbox> inbox_;
  const Instant started_;

  FetchPlan plan_;
  std::map<FetchPlan::Owner, Active> active_;
  std::map<uint64_t, Running> running_;
  uint64_t last_transfer_ = 0;
  std::map<size_t, int> demerits_;  // by gateway, of this job
  std::set<size_t> liars_;
  std::map<size_t, Instant> paused_;  // gateways that went quiet in the middle, and when
  FetchReport report_;
  Instant told_;                         // of the progress
  Instant last_block_;                   // or the start
  std::optional<Instant> asleep_until_;  // nobody may be asked before
  Status ended_;                         // why the fetch as a whole cannot go on
};

}  // namespace ipnscast::sync
