#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "ipnscast/sync/publish/content_plan.h"
#include "ipnscast/sync/publish/content_sender.h"
#include "ipnscast/sync/resolve/waiting_calls.h"

namespace ipnscast::sync {

// Private to the content sender.

// What is to be sent of one DAG, for each set of bases that a node may have. Nodes with the same
// ones share a plan. Thread-safe.
class ContentPlans {
 public:
  // `source` outlives this. `most_bytes`: of blocks in one dag/import.
  ContentPlans(BlockSource& source, Cid root, size_t most_bytes);

  // Errors as plan_content().
  Result<std::shared_ptr<const ContentPlan>> get(const std::vector<Cid>& pinned_bases);

 private:
  BlockSource& source_;
  const Cid root_;
  const size_t batch_bytes_;  // a part of an import, see ImportSize

  std::mutex mutex_;
  std::map<std::vector<Cid>, std::shared_ptr<const ContentPlan>> plans_;  // guarded by mutex_
};

// How many bytes one dag/import takes: more while the line is quick, fewer when it is slow. What
// was written to a socket moves without being seen for a while, and each import has to end before
// that would look like a stall.
class ImportSize {
 public:
  explicit ImportSize(size_t most) : most_(most), now_(std::min(most, kFirst)) {}
  size_t bytes() const { return now_; }
  void took(Milliseconds time);

 private:
  static constexpr size_t kFirst = 512 * 1024;
  static constexpr size_t kLeast = 256 * 1024;

  size_t most_;
  size_t now_;
};

// One node that is brought one DAG. Used by one thread.
class ContentPlace {
 public:
  // All of them outlive this.
  ContentPlace(WaitingCalls& calls, gateway::GatewayBook& book, BlockSource& source, size_t node,
               Milliseconds stall)
      : calls_(calls), book_(book), source_(source), node_(node), stall_(stall) {}

  ContentSender::Sent bring(const Cid& root, ContentPlans& plans, const SendOptions& options);

 private:
  Result<gateway::HttpAnswer> ask(gateway::HttpCall call);
  Result<gateway::HttpAnswer> walk(gateway::HttpCall call, uint64_t bytes);
  Result<gateway::HttpAnswer> upload(gateway::HttpCall call, Milliseconds stall);
  Result<gateway::HttpAnswer> reported(Result<gateway::HttpAnswer> answer);
  Result<bool> pinned(const Cid& root);
  Result<bool> holds(const Cid& cid);
  Result<size_t> first_missing(const ContentPlan& plan);
  Status send(const Cid& root, const ContentPlan& plan, size_t from);
  Result<Bytes> car_of(const Cid& root, const ContentPlan& plan, size_t begin, size_t end) const;
  Status import(ByteView car, bool pin, uint64_t pinned_bytes);
  Status pin_if_whole(const Cid& root, uint64_t bytes);
  Status pin_what_is_there(const Cid& root);
  Status bring_once(const Cid& root, ContentPlans& plans);
  Status send_what_lacks(const Cid& root, ContentPlans& plans);
  Status read_back(const Cid& root);
  bool try_again(const Error& error);
  void tell(bool interrupted = false) const;

  WaitingCalls& calls_;
  gateway::GatewayBook& book_;
  BlockSource& source_;
  const size_t node_;
  const Milliseconds stall_;
  const SendOptions* options_ = nullptr;  // during bring()
  ContentSender::Sent out_;
  bool was_there_ = false;  // the node had all of it from elsewhere
  bool pinning_ = false;    // what was asked for last is the pin
  uint64_t passed_ = 0;     // bytes of the plan that the node has
  uint64_t total_ = 0;
  // The interruption that goes on, and how many bytes had passed when it began.
  std::optional<Instant> interrupted_;
  uint64_t reached_ = 0;
  Milliseconds pause_{0};
};

}  // namespace ipnscast::sync
