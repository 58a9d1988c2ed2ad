#pragma once

#include <memory>
#include <string>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/websocket_client.h"
#include "ipnscast/nostr/net/websocket_server.h"

// Peers and probes for the tests of nostr/net: a listening socket without manners, a client that
// reports what happened to it, a server that echoes.
namespace ipnscast::test {

// A listening socket that answers nothing by itself; the test plays the peer.
struct RawListener {
  int fd = -1;
  uint16_t port = 0;

  // `address` is IPv4 or IPv6; `wanted_port` 0 takes a free one.
  explicit RawListener(const std::string& address = "127.0.0.1", uint16_t wanted_port = 0,
                       int backlog = 5);
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;
  ~RawListener();

  std::string url() const { return "ws://127.0.0.1:" + std::to_string(port); }
  // Waits for a client; the caller closes the descriptor.
  int accept() const;
};

// A connection to this port of 127.0.0.1, which the caller closes; -1 when nobody listens.
int connect_to(uint16_t port);
// Somebody accepts connections on this port of 127.0.0.1.
bool listens(uint16_t port);

// The answer that turns the HTTP request `request` into a WebSocket, with further header lines.
std::string websocket_answer(const std::string& request, const std::string& more_lines = "");
// Reads from the descriptor until `end` came, or the peer closed.
std::string read_until(int fd, const std::string& end);
void write_all(int fd, const std::string& bytes);

// A client that reports into an inbox which the test reads.
struct Probe {
  struct Event {
    std::string what;
    std::string text;
    nostr::net::Closed closed;
  };
  nostr::net::Loop& loop;
  Inbox<Event> events{10000};
  std::unique_ptr<nostr::net::WebSocketClient> socket;

  Probe(nostr::net::Loop& l, const std::string& url, nostr::net::ClientOptions options = {});
  ~Probe();
  // The next event, or "nothing" after ten seconds.
  Event next();
  void send(std::string frame);
};

// What Probe reports for this reason.
std::string closed_by(nostr::net::CloseReason reason);

// Sends every frame back; "close me" closes.
std::unique_ptr<nostr::net::WebSocketServer> echo_server(
    nostr::net::Loop& loop, nostr::net::ServerOptions options,
    std::unique_ptr<nostr::net::WebSocketServer>*& self);

std::string url_of(const nostr::net::WebSocketServer& server);

}  // namespace ipnscast::test
