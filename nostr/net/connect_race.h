#pragma once

// Private to nostr/net.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "ipnscast/nostr/net/lws_loop.h"
#include "ipnscast/nostr/net/stream/closed.h"
#include "ipnscast/nostr/net/stream/reach.h"
#include "ipnscast/nostr/net/stream/unique_fd.h"

namespace ipnscast::nostr::net {

// A TCP connection to the first of several addresses that answers. The next one is tried when one
// fails, or 250 ms after the last was begun; those under way go on, and the losers are closed. RFC
// 8305 section 5. Net thread only; destroying it ends all attempts. Has no time limit of its own.
class ConnectRace {
 public:
  // A connected, non-blocking socket, or why every address failed; the text of
  // CloseReason::forbidden is the first of them. Called once, never from within the constructor;
  // may destroy the race.
  using Done = std::function<void(tl::expected<UniqueFd, Closed>)>;

  // `addresses` are numeric and not empty. Those that are not public fail at once when others named
  // them.
  ConnectRace(Loop::Impl& loop, std::vector<std::string> addresses, uint16_t port, NamedBy named_by,
              Done done);
  ~ConnectRace();

  // What the open attempts wait for, for the text of a time-out: "1.2.3.4 and ::1".
  std::string waiting_for() const;

 private:
  struct Attempt {
    UniqueFd socket;
    std::string address;
  };

  void start_next();
  // Why it failed at once; nothing when it is under way.
  std::optional<ConnectFailure> begin(const std::string& address);
  void answered(int fd);
  void later(Milliseconds wait);
  void finish(tl::expected<UniqueFd, Closed> result);
  Closed verdict() const;

  Loop::Impl& loop_;
  const std::vector<std::string> addresses_;
  const uint16_t port_;
  const NamedBy named_by_;
  const Done done_;
  size_t next_ = 0;
  std::map<int, Attempt> under_way_;  // by descriptor
  std::vector<std::pair<std::string, ConnectFailure>> failures_;
  const std::shared_ptr<ConnectRace*> self_ = std::make_shared<ConnectRace*>(this);
};

}  // namespace ipnscast::nostr::net
