#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace ipnscast::test {

// A TCP client on loopback without manners: it sends what it is told, when it is told. Does not
// block longer than a test can wait.
class RawClient {
 public:
  // Throws std::runtime_error when nobody listens. `from` is the loopback address it comes from.
  explicit RawClient(uint16_t port, const char* from = "127.0.0.1");
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // As much as the other side takes within a moment; how much that was.
  size_t send(std::string_view bytes);
  // As much as it takes at once.
  size_t send_now(std::string_view bytes);
  // Says that nothing more comes.
  void end_sending();
  // All that comes until the other side closes, or `text` has come, or the time is over.
  std::string read(std::string_view text = {},
                   std::chrono::milliseconds time = std::chrono::seconds(30));
  // Whether the other side had closed when read() returned.
  bool ended() const { return ended_; }
  // And whether it did so with a reset.
  bool was_reset() const { return was_reset_; }
  // Closes with a reset.
  void reset();

 private:
  int fd_ = -1;
  bool ended_ = false;
  bool was_reset_ = false;
};

// How many HTTP answers the text holds.
size_t count_answers(std::string_view text);

}  // namespace ipnscast::test
