#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/websocket_server.h"

namespace ipnscast::test {

struct PushServerOptions {
  uint16_t port = 0;
  bool many = true;     // the dialect of many names over WebSocket; else what it hears is an error
  bool one = true;      // the dialect of one name; else the same
  bool errors = false;  // it says so; else it says nothing
  bool many_streams = true;  // /sse/ipns?names=A,B; else 404
};

// What is pushed. Members that are empty are left out.
struct Pushed {
  std::string name;
  std::string cid;
  std::string sequence;
  std::string record;  // its bytes
};

// A push server on loopback for tests: both dialects of S0-42 over WebSocket, server-sent events
// with replay, and w3name. Thread-safe.
class PushServer {
 public:
  PushServer(nostr::net::Loop& loop, PushServerOptions options = {});
  ~PushServer();

  uint16_t port() const { return server_->port(); }
  std::string websocket_url() const { return "ws://127.0.0.1:" + std::to_string(port()); }
  std::string http_url() const { return "http://127.0.0.1:" + std::to_string(port()); }

  // To everybody who asked for the name, in the form that they asked for.
  void push(const Pushed& what);
  // A text to every stream as it is.
  void stream(const std::string& text);

  size_t subscriptions() const;  // names over WebSocket, each client's
  size_t sockets() const;
  size_t streams() const;
  std::vector<std::string> heard() const;     // frames of clients
  std::vector<std::string> requests() const;  // paths with queries
  std::vector<std::string> last_ids() const;  // of requests for streams; "" for none

 private:
  using Connection = nostr::net::ServerConnectionId;
  struct Socket {
    Connection id;
    std::set<std::string> many;
    std::set<std::string> one;
  };
  struct Stream {
    std::set<std::string> names;
    std::shared_ptr<nostr::net::HttpReply> reply;
  };

  void opened(Connection id);
  void closed(Connection id);
  void hear(Connection id, const std::string& frame);
  void answer(const nostr::net::HttpRequest& request,
              const std::shared_ptr<nostr::net::HttpReply>& reply);
  void open_stream(const nostr::net::HttpRequest& request, const std::string& names,
                   const std::shared_ptr<nostr::net::HttpReply>& reply);

  const PushServerOptions options_;
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::map<uint64_t, Socket> sockets_;
  std::vector<Stream> streams_;
  std::vector<Pushed> log_;
  std::vector<std::string> heard_;
  std::vector<std::string> requests_;
  std::vector<std::string> last_ids_;

  std::unique_ptr<nostr::net::WebSocketServer> server_;  // last: its handlers use all above
};

}  // namespace ipnscast::test
