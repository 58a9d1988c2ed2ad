#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ipnscast/nostr/base/clock.h"

namespace ipnscast::test {

struct ScriptedRequest {
  std::string method;
  std::string target;                          // path and query as sent
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// What the server does with a request; it can lie, wait, stall, cut and refuse.
struct ScriptedAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::microseconds delay{0};  // before the first byte
  std::optional<size_t>
      stall_after;  // sends so many bytes of the body, then nothing until the server stops
  std::optional<size_t> cut_after;  // sends so many bytes of the body, then resets the connection
  size_t slice = 0;  // sends the body in slices of this size, `pause` apart; 0: at once
  Milliseconds pause{0};
  std::string trailer;  // sent chunked, with this trailer line behind the body
  // Sent chunked behind the body, as it is asked for every few milliseconds: empty when there is
  // nothing just now, nothing at the end. Of such a stream the head, too, comes with the first
  // byte, as Kubo does it.
  std::function<std::optional<std::string>()> more;
};

// A real HTTP/1.1 server on a free loopback port, for tests: every request is answered by the
// script, each connection on a thread of its own.
class ScriptedHttpServer {
 public:
  using Script = std::function<ScriptedAnswer(const ScriptedRequest&)>;  // any connection's thread

  explicit ScriptedHttpServer(Script script);
  ~ScriptedHttpServer();
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<ScriptedRequest> requests() const;
  size_t count(const std::string& in_target) const;  // requests whose target contains it
  size_t connections() const;
  // Stops listening and resets all connections; the port then refuses.
  void stop();

 private:
  void accept_loop();
  void serve(int socket);
  void hang_up(int socket);
  void answer(int socket, const ScriptedAnswer& what, bool head_only, bool& keep);
  bool stream(int socket, std::string head, const ScriptedAnswer& what);
  bool wait(std::chrono::microseconds time);  // false when stopping

  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::thread acceptor_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable stopping_changed_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
  std::vector<int> sockets_;
  std::vector<ScriptedRequest> requests_;
};

}  // namespace ipnscast::test
