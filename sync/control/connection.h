#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "ipnscast/sync/control/call.h"
#include "ipnscast/sync/control/line_channel.h"

namespace ipnscast::sync::control {

// One connection at the side that serves, from its beginning to its end. Whoever was given a key
// that is at the other side keeps it alive, and learns that it is gone.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Serve = std::function<Result<nlohmann::json>(Call&)>;
  explicit Connection(Descriptor socket) : channel_(std::move(socket)) {}

  // Greets, takes the call, and answers it. Ends when it is answered, or the other side is gone.
  void run(const nlohmann::json& facts, const Serve& serve);
  void shut() { channel_.shut(); }
  // For a connection too many.
  void turn_away();

 private:
  Result<Bytes> ask_to_sign(ByteView message);
  void take(const nlohmann::json& line);
  void answer(const Serve& serve, Call& call);
  void end();

  LineChannel channel_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  bool ended_ = false;
  uint64_t last_number_ = 0;
  std::map<uint64_t, std::optional<Result<Bytes>>> signatures_;  // by number, those that are asked
};

}  // namespace ipnscast::sync::control
