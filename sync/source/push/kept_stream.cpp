#include "ipnscast/sync/source/push/kept_stream.h"

#include <algorithm>
#include <atomic>

namespace ipnscast::sync::push {
namespace {

using gateway::HttpHead;
using gateway::HttpTimings;

constexpr int kPieces = 64;  // on their way to the net thread; libcurl hands over 16 KiB at most
constexpr Milliseconds kLookAgain{1'000};
constexpr Milliseconds kAfterNoContent{60'000};

}  // namespace

// One call's way from the http thread to the net thread, within a bound.
class KeptStream::Pipe : public std::enable_shared_from_this<Pipe> {
 public:
  Pipe(nostr::net::Loop& loop, KeptStream& owner) : loop_(loop), owner_(&owner) {}

  // Net thread: whoever is there no longer hears nothing more.
  void close() { owner_ = nullptr; }
  // Net thread. True when the call has to be resumed.
  bool hold(bool on) {
    held_ = on;
    return !on && stopped_.exchange(false);
  }

  gateway::HttpHandlers handlers() {
    const auto self = shared_from_this();
    gateway::HttpHandlers out;
    out.head = [self](const HttpHead& head) {
      self->post([head](KeptStream& owner) { owner.head(head); });
    };
    out.chunk = [self](ByteView bytes) { return self->chunk(bytes); };
    out.done = [self](const Status& status, const HttpTimings&) {
      self->post([why = status ? "the server ended it"
                               : status.error().message](KeptStream& owner) { owner.ended(why); });
    };
    return out;
  }

 private:
  void post(std::function<void(KeptStream&)> task) {
    loop_.post([self = shared_from_this(), task = std::move(task)] {
      if (self->owner_ != nullptr) task(*self->owner_);
    });
  }
  // Says that it stopped before it looks a second time: whoever makes room looks afterwards.
  bool chunk(ByteView bytes) {
    if (full()) {
      stopped_ = true;
      if (full() || !stopped_.exchange(false)) return false;
    }
    ++on_the_way_;
    loop_.post([self = shared_from_this(), piece = std::string(as_text(bytes))] {
      const bool more = --self->on_the_way_ < kPieces / 2 && !self->held_;
      KeptStream* const owner = self->owner_;
      if (owner == nullptr) return;
      if (more && self->stopped_.exchange(false)) owner->http_.resume(owner->running_);
      owner->bytes(piece);
    });
    return true;
  }
  bool full() const { return held_ || on_the_way_ >= kPieces; }

  nostr::net::Loop& loop_;
  KeptStream* owner_;  // net thread only
  std::atomic<int> on_the_way_ = 0;
  std::atomic<bool> held_ = false;
  std::atomic<bool> stopped_ = false;
};

KeptStream::KeptStream(nostr::net::Loop& loop, gateway::Http& http, gateway::HttpCall call,
                       Options options, Handlers handlers)
    : loop_(loop),
      http_(http),
      call_(std::move(call)),
      options_(options),
      handlers_(std::move(handlers)),
      backoff_(options_.backoff),
      pace_(loop_, [this] { read_or_not(); }) {
  ask();
}

KeptStream::~KeptStream() {
  if (!pipe_) return;
  pipe_->close();
  http_.cancel(running_);
}

void KeptStream::ask() {
  events_.reset();
  open_ = false;
  status_ = 0;
  heard_ = std::chrono::steady_clock::now();
  gateway::HttpCall call = call_;
  call.endless = true;
  call.headers.emplace_back("Accept", "text/event-stream");
  call.headers.emplace_back("Cache-Control", "no-cache");
  if (!events_.last_id().empty()) call.headers.emplace_back("Last-Event-ID", events_.last_id());
  pipe_ = std::make_shared<Pipe>(loop_, *this);
  pipe_->hold(!pace_.reads());
  running_ = http_.start(std::move(call), pipe_->handlers());
  watch();
}

// A stream that says nothing, not even a comment, is dead: some proxy may hold it open.
void KeptStream::watch() {
  const Instant due = heard_ + options_.dead;
  loop_.at(std::max(due, std::chrono::steady_clock::now() + kLookAgain),
           [this, here = std::weak_ptr<bool>(here_), of = std::weak_ptr<Pipe>(pipe_)] {
             if (here.expired() || of.expired() || of.lock() != pipe_) return;
             const Instant now = std::chrono::steady_clock::now();
             if (pace_.paused()) heard_ = now;
             if (now < heard_ + options_.dead) return watch();
             http_.cancel(running_);
             ended("nothing was heard for " +
                   std::to_string(std::chrono::duration_cast<Seconds>(options_.dead).count()) +
                   " s");
           });
}

void KeptStream::head(const HttpHead& head) {
  heard_ = std::chrono::steady_clock::now();
  const bool events =
      head.status == 200 && head.header("content-type").starts_with("text/event-stream");
  if (events) {
    open_ = true;
    backoff_.succeeded(heard_);
    return handlers_.opened();
  }
  status_ = head.status;
  http_.cancel(running_);
  ended("HTTP " + std::to_string(head.status) + " instead of an event stream");
}

void KeptStream::bytes(const std::string& piece) {
  heard_ = std::chrono::steady_clock::now();
  if (!open_) return;
  events_.add(piece, [this](const EventStream::Event& event) { take(event); });
}

void KeptStream::take(const EventStream::Event& event) {
  pace_.took(heard_);
  handlers_.event(event);
}

void KeptStream::ended(const std::string& why) {
  pipe_->close();
  pipe_.reset();
  const Instant now = std::chrono::steady_clock::now();
  // 204 is how a server says that it has nothing more (WHATWG); it is asked all the same, but
  // later.
  const Milliseconds least =
      status_ == 204 ? kAfterNoContent
                     : std::min(events_.retry().value_or(Milliseconds(0)), options_.backoff.last);
  loop_.at(now + backoff_.failed(now, rng_, least), [this, here = std::weak_ptr<bool>(here_)] {
    if (!here.expired()) ask();
  });
  handlers_.lost(status_, why);
}

void KeptStream::read_or_not() {
  if (pipe_ && pipe_->hold(!pace_.reads())) http_.resume(running_);
}

}  // namespace ipnscast::sync::push
