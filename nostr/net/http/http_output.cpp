#include "ipnscast/nostr/net/http/http_output.h"

#include <utility>

namespace ipnscast::nostr::net {
namespace {

// Above this a stream should wait; below the other it goes on.
constexpr size_t kFullBytes = 256 * 1024;
constexpr size_t kRoomBytes = 64 * 1024;

class ReplyImpl final : public HttpReply {
 public:
  ReplyImpl(std::shared_ptr<HttpOutput> output, std::function<void()> wake)
      : output_(std::move(output)), wake_(std::move(wake)) {}

  ~ReplyImpl() override {
    if (!output_->begun())
      send({500, {{"content-type", "text/plain"}}, to_bytes(std::string_view("no answer\n"))});
    if (output_->abandon()) wake_();
  }

  void send(HttpResponse response) override {
    const size_t size = response.body.size();
    HttpOutput::Head head{response.status, std::move(response.headers), size};
    if (output_->send(std::move(head), std::move(response.body))) wake_();
  }
  void begin(int status, std::map<std::string, std::string> headers) override {
    if (output_->begin({status, std::move(headers), std::nullopt})) wake_();
  }
  bool write(Bytes chunk) override {
    if (!output_->write(std::move(chunk))) return false;
    wake_();
    return true;
  }
  void finish() override {
    output_->finish();
    wake_();
  }
  void abort() override {
    output_->abort();
    wake_();
  }
  bool full() const override { return output_->full(); }
  void when_room(std::function<void()> call) override { output_->when_room(std::move(call)); }
  bool client_gone() const override { return output_->client_gone(); }

 private:
  const std::shared_ptr<HttpOutput> output_;
  const std::function<void()> wake_;
};

}  // namespace

bool HttpOutput::begin(Head head) {
  const std::lock_guard lock(mutex_);
  if (head_ || aborted_) return false;
  head_ = std::move(head);
  return true;
}

bool HttpOutput::send(Head head, Bytes body) {
  const std::lock_guard lock(mutex_);
  if (head_ || aborted_) return false;
  head_ = std::move(head);
  finished_ = true;
  if (body.empty() || gone_) return true;
  unsent_bytes_ = body.size();
  chunks_.push_back(std::move(body));
  return true;
}

bool HttpOutput::write(Bytes chunk) {
  const std::lock_guard lock(mutex_);
  if (gone_ || finished_ || aborted_ || bodiless_) return false;
  if (chunk.empty()) return true;
  unsent_bytes_ += chunk.size();
  chunks_.push_back(std::move(chunk));
  return true;
}

void HttpOutput::finish() {
  const std::lock_guard lock(mutex_);
  if (!aborted_) finished_ = true;
}

void HttpOutput::abort() {
  const std::lock_guard lock(mutex_);
  aborted_ = true;
}

bool HttpOutput::abandon() {
  const std::lock_guard lock(mutex_);
  if (finished_ || aborted_) return false;
  (bodiless_ ? finished_ : aborted_) = true;
  return true;
}

bool HttpOutput::begun() const {
  const std::lock_guard lock(mutex_);
  return head_ || aborted_;
}

bool HttpOutput::client_gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

bool HttpOutput::full() const {
  const std::lock_guard lock(mutex_);
  return !gone_ && unsent_bytes_ >= kFullBytes;
}

void HttpOutput::when_room(std::function<void()> call) {
  {
    const std::lock_guard lock(mutex_);
    if (!gone_ && unsent_bytes_ > kRoomBytes) {
      on_room_ = std::move(call);
      return;
    }
  }
  call();
}

HttpOutput::Next HttpOutput::take(size_t most) {
  Next out;
  std::function<void()> on_room;
  {
    const std::lock_guard lock(mutex_);
    // The head goes out before the cut, so that the client sees a stream that is not whole.
    if (aborted_ && (head_taken_ || !head_)) {
      out.cut = true;
      return out;
    }
    if (!head_) return out;
    if (!std::exchange(head_taken_, true)) {
      out.head = std::move(*head_);
    } else if (!chunks_.empty()) {
      const ByteView rest = ByteView(chunks_.front()).subspan(front_taken_);
      const size_t size = std::min(rest.size(), most);
      out.part = to_bytes(rest.first(size));
      front_taken_ += size;
      unsent_bytes_ -= size;
      if (size == rest.size()) {
        chunks_.pop_front();
        front_taken_ = 0;
      }
    }
    out.last = finished_ && chunks_.empty();
    if (unsent_bytes_ <= kRoomBytes) on_room = std::exchange(on_room_, nullptr);
  }
  if (on_room) on_room();
  return out;
}

void HttpOutput::drop_body() {
  std::function<void()> on_room;
  {
    const std::lock_guard lock(mutex_);
    bodiless_ = true;
    chunks_.clear();
    unsent_bytes_ = front_taken_ = 0;
    on_room = std::exchange(on_room_, nullptr);
  }
  if (on_room) on_room();
}

void HttpOutput::release() {
  std::function<void()> on_room;
  {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    chunks_.clear();
    unsent_bytes_ = front_taken_ = 0;
    on_room = std::exchange(on_room_, nullptr);
  }
  if (on_room) on_room();
}

size_t HttpOutput::unsent_bytes() const {
  const std::lock_guard lock(mutex_);
  return unsent_bytes_;
}

std::shared_ptr<HttpReply> make_reply(std::shared_ptr<HttpOutput> output,
                                      std::function<void()> wake) {
  return std::make_shared<ReplyImpl>(std::move(output), std::move(wake));
}

}  // namespace ipnscast::nostr::net
