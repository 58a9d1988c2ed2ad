#pragma once

// Private to nostr/net.
#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/net/http/chunked_body.h"
#include "ipnscast/nostr/net/http/held_bytes.h"
#include "ipnscast/nostr/net/http/http_head.h"
#include "ipnscast/nostr/net/http/http_message.h"
#include "ipnscast/nostr/net/http/http_output.h"
#include "ipnscast/nostr/net/stream/peer_address.h"
#include "ipnscast/nostr/net/stream/unique_fd.h"

namespace ipnscast::nostr::net {

class ServerImpl;

// One accepted connection while it speaks HTTP/1: reads a request, hands it over, writes the
// answer, reads the next. Requests that are sent without waiting for answers are answered in order;
// while one is being answered, at most a buffer of the next is read: libwebsockets 4.1.6 never
// returns from such a second request. Net thread only; the server owns it, and looks after each
// call whether it is over.
class HttpConnection {
 public:
  enum class State {
    head,       // waits for a request, or for the rest of its head
    body,       // waits for the rest of its body
    answering,  // waits for the answer, or for the client to take it
    lingering,  // all is said; the client's last bytes are dropped, as they would reset our answer
    upgrading,  // to be handed over as a WebSocket
    over,       // to be closed
  };
  // Who gives way when there is no room: the lowest rank, then whoever has done nothing for
  // longest.
  struct Idle {
    int rank = 0;
    Instant since;
    bool operator<(const Idle& other) const {
      return rank != other.rank ? rank < other.rank : since < other.since;
    }
  };

  HttpConnection(ServerImpl& server, uint64_t id, UniqueFd fd, PeerAddress peer);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // False when the system refuses.
  bool watch();
  // The socket's events.
  void ready(uint32_t events);
  // The answer has more to take.
  void woken();
  // Ends what has taken too long.
  void check(Instant now);

  State state() const { return state_; }
  const PeerAddress& peer() const { return peer_; }
  const std::string& group() const { return peer_.group; }
  // None while it is being served.
  std::optional<Idle> idle(Instant now) const;
  // Bytes of the answer that the client has not taken, and since when it takes none.
  size_t unsent_bytes() const;
  Instant last_progress() const { return progress_; }

  // In State::upgrading: the socket, what it asks for, and what came behind the request.
  UniqueFd take_socket();
  const WebSocketWish& wish() const { return *wish_; }
  std::string_view rest() const { return in_; }

 private:
  void run();
  void receive();
  void read_requests();
  bool take_head();
  bool take_body();
  bool take_sized_body();
  bool take_chunked_body();
  void expect_body(const RequestHead& head);
  void dispatch();
  void refuse(int status, const std::string& why);
  void no_room();
  void write_answer();
  bool flush();
  void compose_head(HttpOutput::Head head);
  void compose_part(const Bytes& part, bool last);
  void answer_over();
  void release_output();
  void watch_what_is_wanted();
  Instant deadline() const;

  // constant after construction
  ServerImpl& server_;
  const uint64_t id_;
  const PeerAddress peer_;

  UniqueFd fd_;
  uint32_t watched_ = 0;  // epoll events
  State state_ = State::head;
  Instant since_;     // it entered this state
  Instant progress_;  // a byte came or went
  bool peer_ended_ = false;
  bool answered_one_ = false;
  bool head_begun_ = false;  // the first byte of the request has come

  std::string in_;  // what came and is not part of a request yet
  size_t searched_ = 0;
  std::optional<WebSocketWish> wish_;

  // the request that is being read or answered
  HttpRequest request_;
  uint64_t content_length_ = 0;
  std::optional<ChunkedBody> chunked_body_;
  std::shared_ptr<HeldBytes::Share> share_;
  bool keep_alive_ = false;
  bool http_1_1_ = true;
  bool head_only_ = false;
  bool chunked_ = false;               // the answer
  bool ends_with_connection_ = false;  // what is being written: only the close tells its end
  std::shared_ptr<HttpOutput> output_;
  std::string out_;  // of the answer, as it goes over the wire
  size_t out_sent_ = 0;
  bool last_part_ = false;  // out_ ends the answer
};

}  // namespace ipnscast::nostr::net
