#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ipnscast/nostr/net/stream/proxy_url.h"

namespace ipnscast::nostr::net {

// The talk with a proxy before the connection is the relay's: SOCKS5 (RFC 1928, with user and
// password of RFC 1929) or HTTP CONNECT (RFC 9110 section 9.3.6). Pure: bytes in, bytes out. Takes
// no byte beyond its own last one, and at most 8 KiB in all.
class ProxyHandshake {
 public:
  enum class State { running, open, failed };

  // `host` is a name of at most 255 bytes or a numeric address; the proxy looks names up.
  ProxyHandshake(const ProxyUrl& proxy, std::string host, uint16_t port);
  ~ProxyHandshake();
  ProxyHandshake(const ProxyHandshake&) = delete;
  ProxyHandshake& operator=(const ProxyHandshake&) = delete;

  // What to send now; empty when the proxy's answer is due.
  std::string take_output();
  // Takes what belongs to the handshake from the front of `bytes` and returns how much that was.
  size_t feed(std::string_view bytes);

  State state() const { return state_; }
  // What went wrong, for the person who has to act; set when failed.
  const std::string& problem() const { return problem_; }

 private:
  enum class Step { method, credentials, reply, reply_address, http };

  void fail(std::string problem);
  void begin_socks();
  void begin_http();
  void step_done();
  void method_chosen();
  void request_socks();
  void socks_replied();
  void http_replied();
  size_t feed_socks(std::string_view bytes);
  size_t feed_http(std::string_view bytes);

  // constant after construction
  ProxyUrl proxy_;
  const std::string host_;
  const uint16_t port_;

  State state_ = State::running;
  Step step_ = Step::method;
  size_t wanted_ = 0;     // SOCKS5: the size of the answer that is due
  std::string received_;  // of the answer that is due
  size_t http_bytes_ = 0;
  std::string output_;
  std::string problem_;
};

}  // namespace ipnscast::nostr::net
