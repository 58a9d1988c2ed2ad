#pragma once

// Private to nostr/net.
#include <memory>
#include <optional>

#include "ipnscast/nostr/net/connect_race.h"
#include "ipnscast/nostr/net/stream/proxy_handshake.h"

namespace ipnscast::nostr::net {

// A connected socket to a host: name look-up, addresses raced, and the talk with the proxy if there
// is one. lws 4.1.6 knows neither SOCKS5 nor a second address at the same time, so it gets the
// socket when all that is done. Net thread only; destroying it ends the attempt.
class Dialer {
 public:
  // Called once, never from within the constructor; may destroy the dialer.
  using Done = std::function<void(tl::expected<UniqueFd, Closed>)>;

  // With a proxy, the relay's host is never looked up here. An .onion name without one is an error.
  // A relay that others named is connected to at a public address only (reach.h).
  Dialer(Loop::Impl& loop, RelayUrl url, std::optional<ProxyUrl> proxy, Done done);
  ~Dialer();

  // What it waits for right now, for the text of a time-out.
  Closed timed_out() const;

 private:
  void look_up();
  void addresses_found(NameLookup::Found found);
  void connected(tl::expected<UniqueFd, Closed> socket);
  void proxy_ready(uint32_t events);
  bool write_to_proxy();
  bool read_from_proxy();
  void proxy_failed(const std::string& why);
  void finish(tl::expected<UniqueFd, Closed> result);

  // constant after construction
  Loop::Impl& loop_;
  const RelayUrl url_;
  const std::optional<ProxyUrl> proxy_;
  const Done done_;

  std::unique_ptr<ConnectRace> race_;
  std::unique_ptr<ProxyHandshake> handshake_;
  UniqueFd socket_;     // to the proxy, during the handshake
  std::string unsent_;  // of the handshake
  const std::shared_ptr<Dialer*> self_ = std::make_shared<Dialer*>(this);
};

}  // namespace ipnscast::nostr::net
