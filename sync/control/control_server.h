#pragma once

#include <filesystem>
#include <memory>
#include <thread>

#include "ipnscast/sync/control/call.h"

namespace ipnscast::sync::control {

// Takes calls from other processes of this user at "control.sock" in a state directory: one call a
// connection, 64 connections at most. The lines are JSON objects. Both sides say
// {"ipnscast", "protocol"} first, this one with "facts". Then comes {"call", "params"}, back go
// {"told"}, {"sign", "number"} (answered by {"signature", "number"}, or without a signature when
// that is refused), and in the end {"result"} or {"error"}. {"cancel"} or the end of the connection
// stops the call.
class ControlServer {
 public:
  // On a thread of its own for each call.
  using Serve = std::function<Result<nlohmann::json>(Call&)>;

  // By whoever holds the directory's lock. Errors as listen_in().
  static Result<std::unique_ptr<ControlServer>> start(const std::filesystem::path& state_dir,
                                                      nlohmann::json facts, Serve serve);
  ~ControlServer() { close(); }

  // Ends all connections, which stops their calls, and waits for those; but for the one that this
  // is called in. Idempotent.
  void close();

 private:
  struct Shared;
  ControlServer(std::shared_ptr<Shared> shared, std::thread accepting)
      : shared_(std::move(shared)), accepting_(std::move(accepting)) {}

  const std::shared_ptr<Shared> shared_;
  std::thread accepting_;
};

}  // namespace ipnscast::sync::control
