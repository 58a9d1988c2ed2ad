#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "bridge/node/node_answer.h"
#include "nostr/base/inbox.h"

namespace ipnscast::bridge {

// The threads "node-1" to "node-N": take requests from one bounded inbox, work out the answers, and
// write them. The net thread only hands requests over, and never waits or touches a file.
class NodePool {
 public:
  // Works out an answer. Called on the node threads, several at a time.
  using Answer = std::function<NodeAnswer(const HttpRequest&)>;
  using Reply = std::shared_ptr<nostr::net::HttpReply>;

  explicit NodePool(size_t threads);
  // Answers what was accepted; streams are cut.
  ~NodePool();

  // Any thread, does not wait. When too many requests wait already, the client gets 503 at once.
  void submit(HttpRequest request, Reply reply, Answer answer);
  // Accepts nothing more, and makes streams end at their next piece.
  void close();

 private:
  struct Job {
    HttpRequest request;
    Reply reply;
    Answer answer;
  };
  void loop();
  void stream(StreamedAnswer answer, nostr::net::HttpReply& reply);

  Inbox<Job> inbox_;
  std::vector<std::thread> threads_;
};

}  // namespace ipnscast::bridge
