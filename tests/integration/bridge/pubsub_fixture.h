#pragma once

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/ipfs/ipld/multibase.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"

// A scripted Kubo node with pubsub, and what travels over it.
namespace ipnscast::pubsub_test {

inline constexpr Seconds kPatience{200};
inline constexpr const char* kOne = "/ipfs/bafkqaaa";
inline constexpr const char* kTwo = "/ipfs/bafkqabdbmjrwi";

inline sync::IpnsKey key(uint8_t seed = 7) {
  return std::move(*sync::IpnsKey::from_bytes(sync::KeyType::ed25519, Bytes(32, seed)));
}

inline std::string record(uint64_t sequence, const char* value = kOne, uint8_t seed = 7) {
  const auto made = sync::create_record(
      key(seed), {.value = value,
                  .sequence = {sequence},
                  .eol = sync::Eol::after(system_now().wall, std::chrono::hours(1))});
  return std::string(as_text(made->bytes()));
}

inline std::string line(const std::string& data) {
  return R"({"from":"12D3KooW","data":")" +
         sync::multibase_encode(sync::Base::base64_url, as_bytes(data)) +
         R"(","seqno":"uGA","topicIDs":[]})" + "\n";
}

inline void wait_until(const std::function<bool()>& done) {
  const Instant deadline = system_now().steady + kPatience;
  while (!done()) {
    REQUIRE(system_now().steady < deadline);
    std::this_thread::sleep_for(Milliseconds(2));
  }
}

// What is logged of one area meanwhile.
class Logged {
 public:
  explicit Logged(std::string wanted) : wanted_(std::move(wanted)) {
    set_log_sink([this](LogLevel level, std::string_view area, std::string_view text) {
      const std::lock_guard lock(mutex_);
      if (area == wanted_ && level >= LogLevel::info) lines_.emplace_back(text);
    });
  }
  ~Logged() { set_log_sink(nullptr); }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  bool has(std::string_view text) const {
    const auto all = lines();
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& line) { return line.find(text) != std::string::npos; });
  }

 private:
  // constant after construction
  const std::string wanted_;

  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// A Kubo node with pubsub on, or without.
class Node {
 public:
  // To all that are subscribed now.
  void say(const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    for (auto& waiting : streams_) waiting->push_back(bytes);
  }
  // Ends all subscriptions.
  void hang_up() {
    const std::lock_guard lock(mutex_);
    for (auto& waiting : streams_) waiting->push_back(std::nullopt);
    streams_.clear();
  }
  void hold(const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    record_ = bytes;
  }
  // So much junk to everybody that subscribes, as fast as they take it.
  void flood(const std::string& junk, size_t bytes) {
    const std::lock_guard lock(mutex_);
    junk_ = junk;
    junk_bytes_ = bytes;
  }
  size_t subscriptions() const { return server.count("/pubsub/sub"); }

  std::atomic<bool> offers = true;
  std::atomic<bool> hangs = false;  // whoever asks for a record
  std::atomic<bool> fails = false;
  std::atomic<size_t> flooded = 0;
  std::string needs_authorization;

 private:
  using Waiting = std::deque<std::optional<std::string>>;

  test::ScriptedAnswer error(const std::string& text) {
    return {.status = 500,
            .headers = {{"Content-Type", "application/json"}},
            .body = R"({"Message":")" + text + R"(","Code":0,"Type":"error"})"};
  }
  test::ScriptedAnswer answer(const test::ScriptedRequest& request) {
    const auto asks = [&](const char* command) {
      return request.method == "POST" && request.target.starts_with(command);
    };
    const auto authorization = request.headers.find("authorization");
    if (!needs_authorization.empty() &&
        (authorization == request.headers.end() || authorization->second != needs_authorization))
      return {.status = 403, .body = "403 - Forbidden"};
    const std::lock_guard lock(mutex_);
    if (asks("/api/v0/pubsub/") && !offers) return error("experimental pubsub feature not enabled");
    if (asks("/api/v0/version")) return {.body = R"({"Version":"0.43.0"})"};
    if (asks("/api/v0/pubsub/ls")) return {.body = "{\"Strings\":null}\n"};
    if (asks("/api/v0/pubsub/sub")) return {.more = subscribe()};
    if (asks("/api/v0/name/resolve")) return error("could not resolve name");
    if (asks("/api/v0/name/get")) {
      if (hangs) return {.delay = std::chrono::hours(1)};
      if (fails) return error("context deadline exceeded");
      if (record_.empty()) return error("routing: not found");
      return {.headers = {{"Content-Type", "application/vnd.ipfs.ipns-record"}}, .body = record_};
    }
    if (request.target == "/silent") return {.delay = std::chrono::hours(1)};
    return {
        .status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "404 page not found\n"};
  }
  std::function<std::optional<std::string>()> subscribe() {
    auto waiting = std::make_shared<Waiting>();
    streams_.push_back(waiting);
    return
        [this, waiting, left = junk_bytes_, junk = junk_]() mutable -> std::optional<std::string> {
          if (left > 0) {
            left -= std::min(left, junk.size());
            flooded += junk.size();
            return junk;
          }
          const std::lock_guard guard(mutex_);
          if (waiting->empty()) return "";
          auto out = std::move(waiting->front());
          waiting->pop_front();
          return out;
        };
  }

  std::mutex mutex_;
  std::vector<std::shared_ptr<Waiting>> streams_;
  std::string record_;
  std::string junk_;
  size_t junk_bytes_ = 0;

 public:
  test::ScriptedHttpServer server{[this](const test::ScriptedRequest& r) { return answer(r); }};
};

}  // namespace ipnscast::pubsub_test
