#pragma once

#include <atomic>
#include <memory>
#include <variant>
#include <vector>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/sync/fetch/plan.h"
#include "ipnscast/sync/gateway/gateway_book.h"

namespace ipnscast::sync {

// What reaches the thread of a fetch. Transfers are numbered by the fetch.
struct TransferHead {
  uint64_t transfer;
  gateway::HttpHead head;
};
struct StreamBlock {
  Cid cid;  // as the stream says: nothing is verified yet
  SharedBlock block;
};
struct TransferBytes {
  uint64_t transfer;
  size_t received;                    // bytes
  std::vector<StreamBlock> blocks{};  // of a stream: what became whole with them
  Status status{};                    // of a stream: it cannot be read any further
};
struct TransferDone {
  uint64_t transfer;
  Status status;
  Bytes body{};  // of what is no stream
};
struct FetchCancelled {};
using FetchEvent = std::variant<TransferHead, TransferBytes, TransferDone, FetchCancelled>;
using FetchInbox = Inbox<FetchEvent>;

// Which protocol a gateway is asked with.
enum class FetchDialect { trustless, rpc, path };

// The request for a block or a DAG. `max_bytes` bounds a stream. Kubo's RPC knows no scopes, a path
// gateway gives no streams: what it gives is read by gateway::blocks_of_file().
gateway::HttpCall fetch_call(const gateway::Endpoint& endpoint, FetchDialect dialect,
                             const FetchPlan::Task& task, uint64_t max_bytes);
// Whether an answer with such a head is read. Errors of gateway::check_status().
Status check_fetch_head(FetchDialect dialect, const FetchPlan::Task& task,
                        const gateway::HttpHead& head);
// What the head calls an answer whose bytes proved to be something else: nothing when it claims to
// be what was asked for, which makes it a lie. Otherwise Errc::mismatch.
Status check_fetch_type(FetchDialect dialect, const FetchPlan::Task& task,
                        const gateway::HttpHead& head);

// One running request whose answer flows into an inbox, a stream's as its blocks: a full inbox
// pauses it. What waits there and here is the inbox's room in pieces of the HTTP client's, and one
// block. The stream is taken apart on the HTTP thread, where its bytes are at hand. Owned by the
// fetch's thread; destroying it cancels the request, after which further events of its number may
// still come.
class FetchTransfer {
 public:
  FetchTransfer(gateway::Http& http, gateway::HttpCall call, FetchPlan::Kind kind, uint64_t number,
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
