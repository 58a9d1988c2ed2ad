#pragma once

#include <filesystem>

#include "ipnscast/sync/control/call.h"
#include "ipnscast/sync/control/line_channel.h"

namespace ipnscast::sync::control {

// A connection to whoever holds a state directory, for one call. One thread.
class ControlLink {
 public:
  struct Answers {
    std::function<Result<Bytes>(ByteView message)> sign{};  // none: nothing is signed
    std::function<void(const nlohmann::json&)> told{};
  };

  // Errc::not_found when nobody takes calls there; Errc::unsupported for another protocol;
  // Errc::refused, Errc::io.
  static Result<std::unique_ptr<ControlLink>> open(const std::filesystem::path& state_dir);

  // What the holder says of itself.
  const nlohmann::json& facts() const { return facts_; }
  // Waits for the answer; `answers` run on this thread. Asked to stop, it has the call end, and
  // goes two seconds later whatever comes. The errors of the call; Errc::closed when the holder
  // ended meanwhile; Errc::timeout when it has not answered five seconds after the deadline.
  Result<nlohmann::json> call(const std::string& method, const nlohmann::json& params,
                              const Answers& answers, std::stop_token stop,
                              std::optional<Instant> deadline = {}, int descriptor = -1);

 private:
  explicit ControlLink(Descriptor socket) : channel_(std::move(socket)) {}
  Status greet();
  Result<std::string> next_line(const std::stop_token& stop, std::optional<Instant> end);
  void sign(const nlohmann::json& line, const Answers& answers);

  LineChannel channel_;
  nlohmann::json facts_;
};

}  // namespace ipnscast::sync::control
