#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "ipnscast/sync/gateway/gateway_book.h"
#include "ipnscast/sync/ipfs/ipld/block_source.h"
#include "ipnscast/sync/publish/outcome.h"

namespace ipnscast::sync {

struct SendOptions {
  Milliseconds call_deadline{60'000};       // for each question
  Milliseconds upload_deadline{3'600'000};  // of each dag/import
  size_t batch_bytes = 4 * 1024 * 1024;     // of blocks in one, at most; fewer on a slow line
  // Roots that a node perhaps keeps already, former versions say. What it has pinned of them is not
  // sent to it again. The first eight are asked for.
  std::vector<Cid> bases;
  // The node may have all of it from elsewhere: it is asked for that, and only pins it then.
  bool perhaps_there = false;
  // Asked on a content thread before the first block goes to a node that has not pinned the root:
  // the place to note that it may from now on. An error ends the sending there. May be empty.
  std::function<Status(size_t node)> before_first;
  std::shared_ptr<const void> keep;                         // lives until the last node is through
  std::function<void(const PublishProgress&)> on_progress;  // on a content thread; must not block
};

// The gateways that take content: those of tier 1 that speak Kubo's RPC. What is not yet known is
// found out by probing, which waits so long, 3 s at most; what comes later is noted in the book all
// the same. Not from the http thread. `http` ends before `book`.
std::vector<size_t> content_nodes(gateway::Http& http, gateway::GatewayBook& book,
                                  Milliseconds wait = Milliseconds(3'000),
                                  std::stop_token stop = {});

// Brings DAGs to nodes, all nodes side by side, each at its own pace (threads content-0, ...). To
// each goes only what it lacks:
//  - nothing when it has the root pinned already;
//  - nothing of what is below a base that it has pinned: pins are recursive, so all of it is there;
//  - nothing when it has the whole DAG from elsewhere, if that is asked for or we lack it
//  ourselves;
//  - what an interrupted earlier sending brought is looked for, and sending goes on behind it. So
//  it
//    does when the node goes away in the middle and comes back.
// Blocks that merely lie there prove nothing. What counts in the end is that the node pins the
// root, for which it walks the whole DAG; when it cannot, everything is sent once more. Then the
// root is read back and the pin is asked for (R23). Thread-safe. Outlived by what it is given.
class ContentSender {
 public:
  struct Sent {
    Outcome::Place place;
    size_t node = 0;          // as given
    bool was_pinned = false;  // before we came: somebody else's pin perhaps
    uint64_t blocks = 0;      // that went over the wire
    uint64_t bytes = 0;
    Errc failure{};          // when the place is not ok
    Seconds retry_after{0};  // the node asked to be left alone for so long
  };
  // Called on a content thread; must not block.
  using OnSent = std::function<void(const Sent&)>;
  using Done = std::function<void(std::vector<Sent>)>;

  // `stall`: the longest time in which no byte moves on the way to a node; also how long one that
  // went away in the middle is waited for. Who walks what it has may be silent longer, by the size.
  ContentSender(gateway::Http& http, gateway::GatewayBook& book, BlockSource& source,
                Milliseconds stall = Milliseconds(30'000), size_t threads = 8);
  ~ContentSender();

  // Each node as it is through, then `done` with all.
  void send(const Cid& root, const std::vector<size_t>& nodes, SendOptions options, OnSent on_sent,
            Done done);
  // Waits for all. Not from a content thread.
  std::vector<Sent> send_now(const Cid& root, const std::vector<size_t>& nodes,
                             SendOptions options = {});

  // Takes our pin of a former version off the node. Its blocks then go with the node's garbage
  // collection. Waits, `deadline` at most. Success when it was not pinned.
  Status unpin(size_t node, const Cid& root, Milliseconds deadline = Milliseconds(10'000));

  // Ends what runs; nodes that are not through say "closed". Idempotent.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::sync
