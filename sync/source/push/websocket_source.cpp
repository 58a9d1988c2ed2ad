#include "ipnscast/sync/source/push/websocket_source.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/source/push/server_source.h"
#include "ipnscast/sync/source/push/voice.h"

namespace ipnscast::sync {
namespace {

using push::Dialect;

std::vector<IpnsName> without(const std::set<IpnsName>& all, const std::set<IpnsName>& some) {
  std::vector<IpnsName> out;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(out));
  return out;
}

nostr::RelayUrl with_path(const nostr::RelayUrl& url) {
  if (url.path() != "/") return url;
  auto full = nostr::RelayUrl::parse(url.text() + "/ws/ipns");
  return full ? *full : url;
}

class WebsocketServer final : public push::Server {
 public:
  WebsocketServer(nostr::net::Loop& loop, const WebsocketSourceOptions& options,
                  push::Outlet& outlet, const nostr::RelayUrl& url)
      : loop_(loop),
        socket_options_(options.socket),
        answer_by_(options.answer_by),
        url_(with_path(url)),
        voice_({SourceKind::websocket, url_.text()}, outlet) {}

  void follow(const std::set<IpnsName>& names) override {
    const auto more = without(names, names_);
    const auto fewer = without(names_, names);
    names_ = names;
    if (names_.empty()) {
      socket_.reset();
      connection_.reset();
      return voice_.set_healthy(false);
    }
    if (!socket_) return connect();
    if (!connection_) return;
    send(push::subscribe_frames(dialect_, more));
    send(push::unsubscribe_frames(dialect_, fewer));
  }
  void pause(bool on) override {
    if (socket_) socket_->pause(on);
  }

 private:
  void connect() {
    socket_ = std::make_unique<push::KeptSocket>(
        loop_, url_, socket_options_,
        push::KeptSocket::Handlers{
            .opened = [this] { opened(); },
            .frame = [this](const std::string& frame) { take(frame); },
            .lost = [this](const nostr::net::Closed& closed) { lost(closed); }});
    socket_->pause(voice_.held_back());
  }
  void opened() {
    connection_ = std::make_shared<bool>(false);
    told_fault_ = false;
    ask();
    if (dialect_ == Dialect::one) return voice_.set_healthy(true);
    loop_.at(std::chrono::steady_clock::now() + answer_by_,
             [this, here = std::weak_ptr<bool>(connection_)] {
               const auto answered = here.lock();
               if (answered && !*answered) ask_as_one();
             });
  }
  void ask() { send(push::subscribe_frames(dialect_, {names_.begin(), names_.end()})); }
  // No answer, or an error: a server of the other dialect gives none.
  void ask_as_one() {
    dialect_ = Dialect::one;
    ask();
    voice_.set_healthy(true);
  }
  void take(const std::string& frame) {
    const auto word = push::read_word(frame);
    if (!word) return voice_.note(word.error().message);
    std::visit([this](const auto& said) { hear(said); }, *word);
  }
  void hear(const push::Update& update) {
    if (update.name && names_.contains(*update.name)) voice_.say(update, *update.name);
  }
  void hear(const push::Subscribed&) {
    if (connection_) *connection_ = true;
    dialect_ = Dialect::many;
    voice_.set_healthy(true);
  }
  void hear(const push::Fault& fault) {
    if (!std::exchange(told_fault_, true)) log_info("push", url_.text() + " says: " + fault.text);
    if (connection_ && !*connection_ && dialect_ == Dialect::many) ask_as_one();
  }
  void hear(const push::Other&) {}
  void lost(const nostr::net::Closed& closed) {
    // Who hangs up at the one dialect may speak the other.
    if (connection_ && !*connection_)
      dialect_ = dialect_ == Dialect::many ? Dialect::one : Dialect::many;
    connection_.reset();
    voice_.lost(closed.text);
    voice_.set_healthy(false);
  }
  void send(const std::vector<std::string>& frames) {
    for (const std::string& frame : frames) socket_->send(frame);
  }

  // constant after construction
  nostr::net::Loop& loop_;
  const push::KeptSocket::Options socket_options_;
  const Milliseconds answer_by_;
  const nostr::RelayUrl url_;

  push::Voice voice_;
  std::set<IpnsName> names_;
  std::unique_ptr<push::KeptSocket> socket_;  // null: there are no names
  Dialect dialect_ = Dialect::many;
  std::shared_ptr<bool> connection_;  // null: none; whether it answered in the dialect of many
  bool told_fault_ = false;
};

}  // namespace

std::unique_ptr<Source> websocket_source(nostr::net::Loop& loop, WebsocketSourceOptions options,
                                         std::shared_ptr<SourceSink> sink) {
  const auto make = [&](push::Outlet& outlet, const nostr::RelayUrl& endpoint) {
    return std::make_unique<WebsocketServer>(loop, options, outlet, endpoint);
  };
  return push::source_of(loop, options.endpoints, make, std::move(sink));
}

}  // namespace ipnscast::sync
