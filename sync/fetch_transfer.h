#pragma once

#include <atomic>
#include <memory>
#include <variant>

#include "nostr/base/inbox.h"
#include "sync/fetch_plan.h"
#include "sync/gateway/gateway_book.h"

namespace ipnscast::sync {

// What reaches the thread of a fetch. Transfers are numbered by the fetch.
struct TransferHead {
  uint64_t transfer;
  gateway::HttpHead head;
};
struct TransferChunk {
  uint64_t transfer;
  Bytes bytes;
};
struct TransferDone {
  uint64_t transfer;
  Status status;
};
struct FetchCancelled {};
using FetchEvent = std::variant<TransferHead, TransferChunk, TransferDone, FetchCancelled>;
using FetchInbox = Inbox<FetchEvent>;

// Which protocol a gateway is asked with.
enum class FetchDialect { trustless, rpc, path };

// The request for a block or a DAG. `max_bytes` bounds a stream. Kubo's RPC knows no scopes, a path
// gateway gives no streams: what it gives is read by gateway::blocks_of_file().
gateway::HttpCall fetch_call(const gateway::Endpoint& endpoint, FetchDialect dialect,
                             const FetchPlan::Task& task, uint64_t max_bytes);
// Whether the answer's head is that of what was asked for: errors of gateway::check_status(),
// Errc::mismatch.
Status check_fetch_head(FetchDialect dialect, const FetchPlan::Task& task,
                        const gateway::HttpHead& head);

// One running request whose answer flows into an inbox: a full inbox pauses it. Owned by the
// fetch's thread; destroying it cancels the request, after which further events of its number may
// still come.
class FetchTransfer {
 public:
  FetchTransfer(gateway::Http& http, gateway::HttpCall call, uint64_t number,
                const std::shared_ptr<FetchInbox>& inbox);
  ~FetchTransfer();
  FetchTransfer(const FetchTransfer&) = delete;
  FetchTransfer& operator=(const FetchTransfer&) = delete;

  // There is room again: to be called after each event that was taken from the inbox.
  void resume_if_paused();

 private:
  gateway::Http& http_;
  std::shared_ptr<std::atomic<bool>> paused_ = std::make_shared<std::atomic<bool>>(false);
  gateway::HttpId id_;
};

}  // namespace ipnscast::sync
