#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/relay/backoff.h"
#include "ipnscast/sync/gateway/http_call.h"
#include "ipnscast/sync/source/push/event_stream.h"
#include "ipnscast/sync/source/push/pace.h"

namespace ipnscast::sync::push {

// A stream of server-sent events that is asked for again whenever it ends, from where it ended
// (Last-Event-ID, S0-48). Net thread only, although the bytes come on the http thread. Destroying
// it ends it; no handler runs afterwards.
class KeptStream {
 public:
  struct Options {
    nostr::Backoff::Options backoff{Milliseconds(5'000), Milliseconds(60'000),
                                    Milliseconds(60'000)};
    Milliseconds dead{45'000};  // without a byte for so long
  };
  struct Handlers {
    std::function<void()> opened;
    std::function<void(const EventStream::Event&)> event;
    // It ended, or could not be opened; it is tried again by itself. `status`: of an answer that is
    // no event stream, 0 otherwise.
    std::function<void(int status, const std::string& why)> lost;
  };

  // Begins to ask. `call` has URL and authorization. `loop` and `http` outlive this.
  KeptStream(nostr::net::Loop& loop, gateway::Http& http, gateway::HttpCall call, Options options,
             Handlers handlers);
  ~KeptStream();
  KeptStream(const KeptStream&) = delete;
  KeptStream& operator=(const KeptStream&) = delete;

  void pause(bool on) { pace_.pause(on); }

 private:
  class Pipe;
  friend class Pipe;

  void ask();
  void head(const gateway::HttpHead& head);
  void bytes(const std::string& piece);
  void ended(const std::string& why);
  void watch();
  void take(const EventStream::Event& event);
  void read_or_not();

  // constant after construction
  nostr::net::Loop& loop_;
  gateway::Http& http_;
  const gateway::HttpCall call_;
  const Options options_;
  const Handlers handlers_;

  Rng rng_ = make_rng();
  nostr::Backoff backoff_;
  EventStream events_;
  std::shared_ptr<Pipe> pipe_;  // of the call that runs; null: none does
  gateway::HttpId running_;
  bool open_ = false;
  Pace pace_;
  int status_ = 0;
  Instant heard_{};
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);  // for timers
};

}  // namespace ipnscast::sync::push
