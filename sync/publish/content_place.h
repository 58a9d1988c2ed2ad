#pragma once

#include <map>
#include <mutex>

#include "ipnscast/sync/publish/content_plan.h"
#include "ipnscast/sync/publish/content_sender.h"
#include "ipnscast/sync/resolve/waiting_calls.h"

namespace ipnscast::sync {

// Private to the content sender.

// What is to be sent of one DAG, for each set of bases that a node may have. Nodes with the same
// ones share a plan. Thread-safe.
class ContentPlans {
 public:
  // `source` outlives this.
  ContentPlans(BlockSource& source, Cid root, size_t batch_bytes)
      : source_(source), root_(std::move(root)), batch_bytes_(batch_bytes) {}

  // Errors as plan_content().
  Result<std::shared_ptr<const ContentPlan>> get(const std::vector<Cid>& pinned_bases);

 private:
  BlockSource& source_;
  const Cid root_;
  const size_t batch_bytes_;

  std::mutex mutex_;
  std::map<std::vector<Cid>, std::shared_ptr<const ContentPlan>> plans_;  // guarded by mutex_
};

// One node that is brought one DAG. Used by one thread.
class ContentPlace {
 public:
  // All of them outlive this.
  ContentPlace(WaitingCalls& calls, gateway::GatewayBook& book, BlockSource& source, size_t node)
      : calls_(calls), book_(book), source_(source), node_(node) {}

  ContentSender::Sent bring(const Cid& root, ContentPlans& plans, const SendOptions& options);

 private:
  Result<gateway::HttpAnswer> ask(gateway::HttpCall call);
  Result<gateway::HttpAnswer> upload(gateway::HttpCall call);
  Result<gateway::HttpAnswer> reported(Result<gateway::HttpAnswer> answer);
  Result<bool> pinned(const Cid& root);
  Result<bool> holds(const Cid& cid);
  Result<size_t> first_missing(const ContentPlan& plan);
  Status send(const Cid& root, const ContentPlan& plan, size_t from);
  Status import(ByteView car, bool pin);
  Status pin_if_whole(const Cid& root);
  Status pin_what_is_there(const Cid& root);
  Status send_what_lacks(const Cid& root, ContentPlans& plans);
  Status read_back(const Cid& root);
  void tell(uint64_t bytes, uint64_t total) const;

  WaitingCalls& calls_;
  gateway::GatewayBook& book_;
  BlockSource& source_;
  const size_t node_;
  const SendOptions* options_ = nullptr;  // during bring()
  ContentSender::Sent out_;
};

}  // namespace ipnscast::sync
