#include "sync/fetch_transfer.h"

#include "sync/gateway/kubo_rpc.h"
#include "sync/gateway/path_gateway.h"
#include "sync/gateway/trustless.h"

namespace ipnscast::sync {

gateway::HttpCall fetch_call(const gateway::Endpoint& endpoint, FetchDialect dialect,
                             const FetchPlan::Task& task, uint64_t max_bytes) {
  const bool car = task.kind == FetchPlan::Kind::car;
  if (dialect == FetchDialect::rpc) {
    return car ? gateway::kubo_dag_export_call(endpoint, task.cid, max_bytes)
               : gateway::kubo_block_get_call(endpoint, task.cid, false);
  }
  if (dialect == FetchDialect::path) return gateway::path_call(endpoint, task.cid);
  if (!car) return gateway::raw_block_call(endpoint, task.cid);
  return gateway::car_call(endpoint, task.cid, task.scope != nullptr ? *task.scope : DagScope{},
                           max_bytes);
}

Status check_fetch_head(FetchDialect dialect, const FetchPlan::Task& task,
                        const gateway::HttpHead& head) {
  if (dialect == FetchDialect::rpc) return gateway::check_status({head, {}, {}});
  if (dialect == FetchDialect::path) return gateway::check_path_head(task.cid, head);
  return task.kind == FetchPlan::Kind::car ? gateway::check_car_head(head)
                                           : gateway::check_raw_head(head);
}

FetchTransfer::FetchTransfer(gateway::Http& http, gateway::HttpCall call, uint64_t number,
                             const std::shared_ptr<FetchInbox>& inbox)
    : http_(http) {
  gateway::HttpHandlers handlers;
  handlers.head = [inbox, number](const gateway::HttpHead& head) {
    inbox->push_reserved(TransferHead{number, head});
  };
  // Paused is said before the second try: whoever makes room after that try sees it and resumes.
  handlers.chunk = [inbox, number, paused = paused_](ByteView bytes) {
    FetchEvent event = TransferChunk{number, to_bytes(bytes)};
    if (inbox->try_push(event) || inbox->closed()) return true;
    *paused = true;
    if (!inbox->try_push(event) && !inbox->closed()) return false;
    *paused = false;
    return true;
  };
  handlers.done = [inbox, number](Status status, const gateway::HttpTimings&) {
    inbox->push_reserved(TransferDone{number, std::move(status)});
  };
  id_ = http_.start(std::move(call), std::move(handlers));
}

FetchTransfer::~FetchTransfer() { http_.cancel(id_); }

void FetchTransfer::resume_if_paused() {
  if (paused_->exchange(false)) http_.resume(id_);
}

}  // namespace ipnscast::sync
