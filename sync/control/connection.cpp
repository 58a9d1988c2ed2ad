#include "ipnscast/sync/control/connection.h"

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"

namespace ipnscast::sync::control {
namespace {

using Json = nlohmann::json;

constexpr Milliseconds kGreeting{10'000};
constexpr Milliseconds kSigning{45'000};
constexpr size_t kMaxSignature = 512;
constexpr size_t kMaxAsked = 64;

Error gone() { return {Errc::unreachable, "the program that has the key is gone"}; }

}  // namespace

void Connection::turn_away() {
  const Error busy{Errc::busy, "too many programs ask for something at once"};
  (void)channel_.write(line_of({{"error", error_json(busy)}}));
}

void Connection::run(const Json& facts, const Serve& serve) {
  const Instant until = std::chrono::steady_clock::now() + kGreeting;
  if (!channel_.write(
          line_of({{"ipnscast", IPNSCAST_VERSION}, {"protocol", kProtocol}, {"facts", facts}})))
    return;
  const auto greeting = channel_.read(until);
  if (!greeting || !parse_line(*greeting).is_object()) return;
  auto asked = channel_.read(until);
  if (!asked) return;
  const Json line = parse_line(*asked);
  Call call;
  call.method = text_in(line, "call");
  if (line.is_object() && line.contains("params")) call.params = line["params"];
  call.descriptor = channel_.take_descriptor();
  call.stop = stop_.get_token();
  call.tell = [self = weak_from_this()](const Json& what) {
    if (const auto here = self.lock()) (void)here->channel_.write(line_of({{"told", what}}));
  };
  call.sign = [self = weak_from_this()](ByteView message) {
    const auto here = self.lock();
    return here ? here->ask_to_sign(message) : fail(gone());
  };
  std::thread thread([&] {
    set_thread_name("control-call");
    answer(serve, call);
    channel_.shut_reading();
  });
  for (;;) {
    const auto next = channel_.read();
    if (!next) break;
    take(parse_line(*next));
  }
  end();
  thread.join();
  channel_.shut();
}

void Connection::answer(const Serve& serve, Call& call) {
  const auto result = [&]() -> Result<Json> {
    try {
      return serve(call);
    } catch (const Json::exception& broken) {
      return fail(Errc::parse, "a call that cannot be read: " + std::string(broken.what()));
    }
  }();
  if (!result) log_info("control", call.method + ": " + result.error().message);
  (void)channel_.write(
      line_of(result ? Json{{"result", *result}} : Json{{"error", error_json(result.error())}}));
}

void Connection::take(const Json& line) {
  if (!line.is_object() || line.contains("cancel")) {
    stop_.request_stop();
    return;
  }
  const auto number = line.find("number");
  if (number == line.end() || !number->is_number_unsigned()) return;
  const std::lock_guard lock(mutex_);
  const auto asked = signatures_.find(number->get<uint64_t>());
  if (asked == signatures_.end()) return;
  const auto text = line.find("signature");
  if (text != line.end() && text->is_string())
    asked->second = from_base64(text->get_ref<const std::string&>(), kMaxSignature);
  else
    asked->second = fail(Errc::refused, "the program that has the key does not sign this");
  changed_.notify_all();
}

Result<Bytes> Connection::ask_to_sign(ByteView message) {
  std::unique_lock lock(mutex_);
  if (ended_) return fail(gone());
  if (signatures_.size() >= kMaxAsked) return fail(Errc::busy, "too much to sign at once");
  const uint64_t number = ++last_number_;
  const auto asked = signatures_.emplace(number, std::nullopt).first;
  lock.unlock();
  const Status sent = channel_.write(line_of({{"sign", to_base64(message)}, {"number", number}}));
  lock.lock();
  if (sent) changed_.wait_for(lock, kSigning, [&] { return ended_ || asked->second.has_value(); });
  auto out = asked->second ? std::move(*asked->second)
             : ended_ || !sent
                 ? Result<Bytes>(fail(gone()))
                 : fail(Errc::timeout, "the program that has the key does not answer");
  signatures_.erase(asked);
  return out;
}

void Connection::end() {
  stop_.request_stop();
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

}  // namespace ipnscast::sync::control
