#include "ipnscast/sync/source/push/w3name_source.h"

#include <algorithm>
#include <map>

#include "ipnscast/sync/source/push/server_source.h"
#include "ipnscast/sync/source/push/voice.h"

namespace ipnscast::sync {
namespace {

// Where the watch of a name is: http becomes ws, https wss.
Result<nostr::RelayUrl> watch_url(const gateway::Endpoint& endpoint, const IpnsName& name) {
  std::string url = endpoint.call("GET", "/name/" + name.to_string() + "/watch").url;
  return nostr::RelayUrl::parse(url.replace(0, 4, "ws"));
}

class NameService final : public push::Server {
 public:
  NameService(nostr::net::Loop& loop, gateway::Http& http, const W3nameSourceOptions& options,
              push::Outlet& outlet, gateway::Endpoint endpoint)
      : loop_(loop),
        http_(http),
        socket_options_(options.socket),
        most_names_(options.names),
        endpoint_(std::move(endpoint)),
        voice_({SourceKind::w3name, endpoint_.url}, outlet) {}

  void follow(const std::set<IpnsName>& names) override {
    std::erase_if(watches_, [&](const auto& entry) { return !names.contains(entry.first); });
    for (const IpnsName& name : names) {
      if (watches_.size() >= most_names_) break;
      if (!watches_.contains(name)) watch(name);
    }
    voice_.beyond(names.size() - watches_.size());
    note_health();
  }
  void pause(bool on) override {
    for (auto& [name, watch] : watches_) watch.socket->pause(on);
  }

 private:
  struct Watch {
    std::unique_ptr<push::KeptSocket> socket;
    bool open = false;
  };

  void watch(const IpnsName& name) {
    auto url = watch_url(endpoint_, name);
    if (!url) return voice_.lost(url.error().message);
    auto& socket = watches_[name].socket;
    socket = std::make_unique<push::KeptSocket>(
        loop_, std::move(*url), socket_options_,
        push::KeptSocket::Handlers{
            .opened = [this, name] { opened(name); },
            .frame = [this, name](const std::string& frame) { take(name, frame); },
            .lost = [this, name](const nostr::net::Closed& closed) { lost(name, closed.text); }});
    socket->pause(voice_.held_back());
  }
  void opened(const IpnsName& name) {
    watches_.at(name).open = true;
    ask(name);
    note_health();
  }
  // What was said while nobody listened. A service that knows nothing of the name says so.
  void ask(const IpnsName& name) {
    gateway::HttpCall call = endpoint_.call("GET", "/name/" + name.to_string());
    call.max_bytes = push::kMaxFrame;
    http_.start_whole(std::move(call), [this, &loop = loop_, here = std::weak_ptr<bool>(here_),
                                        name](const Result<gateway::HttpAnswer>& answer) {
      if (!answer || answer->head.status != 200) return;
      loop.post([this, here, name, text = std::string(as_text(answer->body))] {
        if (!here.expired() && watches_.contains(name)) take(name, text);
      });
    });
  }
  void take(const IpnsName& name, const std::string& text) {
    const auto update = push::read_update(text);
    if (!update) return voice_.note(update.error().message);
    if (!update->name || *update->name == name) voice_.say(*update, name);
  }
  void lost(const IpnsName& name, const std::string& why) {
    watches_.at(name).open = false;
    voice_.lost(why);
    note_health();
  }
  void note_health() {
    const bool all = std::all_of(watches_.begin(), watches_.end(),
                                 [](const auto& entry) { return entry.second.open; });
    voice_.set_healthy(all && !watches_.empty());
  }

  // constant after construction
  nostr::net::Loop& loop_;
  gateway::Http& http_;
  const push::KeptSocket::Options socket_options_;
  const size_t most_names_;
  const gateway::Endpoint endpoint_;

  push::Voice voice_;
  std::map<IpnsName, Watch> watches_;
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<Source> w3name_source(nostr::net::Loop& loop, gateway::Http& http,
                                      W3nameSourceOptions options,
                                      std::shared_ptr<SourceSink> sink) {
  const auto make = [&](push::Outlet& outlet, const gateway::Endpoint& endpoint) {
    return std::make_unique<NameService>(loop, http, options, outlet, endpoint);
  };
  return push::source_of(loop, options.endpoints, make, std::move(sink));
}

}  // namespace ipnscast::sync
