#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "ipnscast/bridge/node/node_answer.h"
#include "ipnscast/nostr/base/inbox.h"

namespace ipnscast::bridge {

// The threads "node-1" to "node-N": take requests from one bounded inbox and work out the answers.
// The net thread only hands requests over, and never waits or touches a file. A streamed answer is
// made as its client reads: while that takes nothing, it waits in the socket's queue and not on a
// thread.
class NodePool {
 public:
  // Works out an answer. Called on the node threads, several at a time.
  using Answer = std::function<NodeAnswer(const HttpRequest&)>;
  using Reply = std::shared_ptr<nostr::net::HttpReply>;

  explicit NodePool(size_t threads);
  // The servers whose replies it got are gone by then.
  ~NodePool();

  // Any thread, does not wait. When too many requests wait already, the client gets 503 at once,
  // with these headers.
  void submit(HttpRequest request, Reply reply, Answer answer,
              const std::map<std::string, std::string>& headers);
  // Accepts nothing more. What waits is dropped, and streams end at their next piece.
  void close();

 private:
  struct Request {
    HttpRequest request;
    Reply reply;
    Answer answer;
  };
  struct Stream {
    StreamedAnswer answer;
    Reply reply;
  };
  using Job = std::variant<Request, std::shared_ptr<Stream>>;
  void loop();
  void work(Request& job);
  void work(const std::shared_ptr<Stream>& stream);

  Inbox<Job> inbox_;
  std::vector<std::thread> threads_;
};

}  // namespace ipnscast::bridge
