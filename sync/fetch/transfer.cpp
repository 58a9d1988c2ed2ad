#include "ipnscast/sync/fetch/transfer.h"

#include <utility>

#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/gateway/path_gateway.h"
#include "ipnscast/sync/gateway/trustless.h"
#include "ipnscast/sync/ipfs/ipld/car.h"

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
  if (dialect == FetchDialect::path) return gateway::check_path_head(task.cid, head);
  return gateway::check_status({head, {}, {}});
}

Status check_fetch_type(FetchDialect dialect, const FetchPlan::Task& task,
                        const gateway::HttpHead& head) {
  if (dialect != FetchDialect::trustless) return {};
  return task.kind == FetchPlan::Kind::car ? gateway::check_car_head(head)
                                           : gateway::check_raw_head(head);
}

namespace {

// A section has a length and a CID with a hash: what is shorter on average is there to fill memory.
constexpr size_t kSectionBytes = 32;

// What came of one answer. Lives on the HTTP thread.
class Answer {
 public:
  explicit Answer(FetchPlan::Kind kind) : is_stream_(kind == FetchPlan::Kind::car) {}

  TransferBytes take(uint64_t number, ByteView bytes) {
    TransferBytes event{number, bytes.size()};
    most_blocks_ = bytes.size() / kSectionBytes + 1;
    if (is_stream_)
      event.status = reader_.feed(bytes);
    else
      append(body_, bytes);  // bounded by the call
    event.blocks = std::exchange(blocks_, {});
    return event;
  }
  TransferDone finish(uint64_t number, Status status) {
    if (status && is_stream_) status = reader_.finish();
    return {number, std::move(status), std::move(body_)};
  }

 private:
  Status take_section(const CarSection& section) {
    if (section.cid.is_identity()) return {};  // nobody needs to send these
    if (blocks_.size() >= most_blocks_) return fail(Errc::parse, "car: nothing but tiny sections");
    blocks_.push_back({section.cid, std::make_shared<const Bytes>(std::move(section.block))});
    return {};
  }

  const bool is_stream_;
  Bytes body_;
  std::vector<StreamBlock> blocks_;
  size_t most_blocks_ = 0;
  CarReader reader_{[this](const CarSection& section) { return take_section(section); },
                    CarReader::Check::trust};
};

}  // namespace

FetchTransfer::FetchTransfer(gateway::Http& http, gateway::HttpCall call, FetchPlan::Kind kind,
                             uint64_t number, const std::shared_ptr<FetchInbox>& inbox)
    : http_(http) {
  gateway::HttpHandlers handlers;
  handlers.head = [inbox, number](const gateway::HttpHead& head) {
    inbox->push_reserved(TransferHead{number, head});
  };
  const auto answer = std::make_shared<Answer>(kind);
  // Only the HTTP thread fills the inbox: room that was seen stays. Paused is said before the
  // second look: whoever makes room after that look sees it and resumes.
  handlers.chunk = [inbox, number, answer, paused = paused_](ByteView bytes) {
    if (!inbox->has_room()) {
      *paused = true;
      if (!inbox->has_room()) return false;
      *paused = false;
    }
    inbox->push_reserved(answer->take(number, bytes));
    return true;
  };
  handlers.done = [inbox, number, answer](Status status, const gateway::HttpTimings&) {
    inbox->push_reserved(answer->finish(number, std::move(status)));
  };
  id_ = http_.start(std::move(call), std::move(handlers));
}

FetchTransfer::~FetchTransfer() { http_.cancel(id_); }

void FetchTransfer::resume_if_paused() {
  if (paused_->exchange(false)) http_.resume(id_);
}

}  // namespace ipnscast::sync
