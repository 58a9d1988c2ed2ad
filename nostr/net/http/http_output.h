#pragma once

// Private to nostr/net.
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "ipnscast/nostr/net/http/http_message.h"

namespace ipnscast::nostr::net {

// What is on its way to one HTTP client. Shared between the net thread, which writes it out, and
// the threads that answer, which fill it.
class HttpOutput {
 public:
  struct Head {
    int status = 200;
    std::map<std::string, std::string> headers;
    std::optional<uint64_t> content_length;  // none: chunked
  };
  // What the net thread writes next.
  struct Next {
    std::optional<Head> head;
    Bytes part;
    bool last = false;  // nothing follows
    bool cut = false;   // the connection is to end here
  };

  // ---- for those who answer; any thread ----
  // False when there was an answer already.
  bool begin(Head head);
  // The same with a body, whole.
  bool send(Head head, Bytes body);
  // False once the client has gone or the answer is over.
  bool write(Bytes chunk);
  void finish();
  void abort();
  // Nobody holds the reply any more: a stream that is not finished is cut, unless its client wants
  // no body. False when it was over.
  bool abandon();
  bool begun() const;
  bool client_gone() const;
  bool full() const;
  void when_room(std::function<void()> call);

  // ---- for the net thread ----
  Next take(size_t most);
  // A HEAD request, or a status without a body: what is written is dropped.
  void drop_body();
  // The client has left.
  void release();
  size_t unsent_bytes() const;

 private:
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::optional<Head> head_;
  bool head_taken_ = false;
  std::deque<Bytes> chunks_;
  size_t front_taken_ = 0;  // bytes of the first chunk
  size_t unsent_bytes_ = 0;
  bool bodiless_ = false;
  bool finished_ = false;
  bool aborted_ = false;
  bool gone_ = false;
  std::function<void()> on_room_;
};

// The handle on it that handlers get. `wake` tells the net thread that there is something to take.
std::shared_ptr<HttpReply> make_reply(std::shared_ptr<HttpOutput> output,
                                      std::function<void()> wake);

}  // namespace ipnscast::nostr::net
