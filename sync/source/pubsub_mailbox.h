#pragma once

#include <atomic>
#include <string>
#include <variant>
#include <vector>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/sync/gateway/http_call.h"
#include "ipnscast/sync/gateway/record_source.h"
#include "ipnscast/sync/source/node_topics.h"

// What comes to the pubsub thread. Private to PubsubListener.
namespace ipnscast::sync::pubsub {

// Pieces that wait for the thread; libcurl hands over 16 KiB at most.
inline constexpr size_t kPieces = 256;

struct AnswerIn {
  size_t node = 0;
  NodeTopics::Step step;
  gateway::RecordDialect dialect = gateway::RecordDialect::rpc_name;  // of catch_up
  uint64_t stream = 0;                                                // the same
  Result<gateway::HttpAnswer> answer;
};
struct Piece {
  uint64_t stream = 0;
  Bytes bytes;
};
struct Ended {
  uint64_t stream = 0;
  std::string why;
};
struct Follow {
  std::vector<IpnsName> names;
};
using Message = std::variant<AnswerIn, Piece, Ended, Follow>;

// Shared with callbacks on the http thread, which may come after the listener is gone.
struct Mailbox {
  Inbox<Message> inbox{kPieces};
  std::atomic<bool> held_up = false;  // some stream waits for room

  // False: no room, the stream pauses until it is resumed.
  bool offer(uint64_t stream, ByteView bytes) {
    Message piece = Piece{stream, to_bytes(bytes)};
    if (inbox.try_push(piece)) return true;
    held_up = true;
    // The thread may have made room, and looked, before that was set.
    return inbox.try_push(piece);
  }
};

}  // namespace ipnscast::sync::pubsub
