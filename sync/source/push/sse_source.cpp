#include "ipnscast/sync/source/push/sse_source.h"

#include <algorithm>
#include <map>

#include "ipnscast/sync/source/push/server_source.h"
#include "ipnscast/sync/source/push/voice.h"

namespace ipnscast::sync {
namespace {

constexpr std::string_view kPath = "/sse/ipns";

class SseServer final : public push::Server {
 public:
  SseServer(nostr::net::Loop& loop, gateway::Http& http, const SseSourceOptions& options,
            push::Outlet& outlet, gateway::Endpoint endpoint)
      : loop_(loop),
        http_(http),
        stream_options_(options.stream),
        names_in_stream_(options.names_in_stream),
        most_streams_(options.streams),
        endpoint_(std::move(endpoint)),
        voice_({SourceKind::sse, endpoint_.url}, outlet) {}

  void follow(const std::set<IpnsName>& names) override {
    std::set<IpnsName> fresh = names;
    for (auto at = streams_.begin(); at != streams_.end();) {
      std::set<IpnsName>& of = at->second.names;
      std::erase_if(of, [&](const IpnsName& name) { return fresh.erase(name) == 0; });
      at = of.empty() ? streams_.erase(at) : std::next(at);
    }
    names_ = names;
    if (!fresh.empty()) open(std::move(fresh));
    note_health();
  }
  void pause(bool on) override {
    for (auto& [number, stream] : streams_) stream.kept->pause(on);
  }

 private:
  struct Stream {
    std::set<IpnsName> names;
    std::unique_ptr<push::KeptStream> kept;
    bool open = false;
  };

  // Streams that have room make place for one that has these names too.
  void open(std::set<IpnsName> names) {
    const size_t most = one_by_one_ ? 1 : names_in_stream_;
    for (auto at = streams_.begin(); at != streams_.end();) {
      const bool full = at->second.names.size() >= most;
      if (!full) names.merge(at->second.names);
      at = full ? std::next(at) : streams_.erase(at);
    }
    while (!names.empty() && streams_.size() < most_streams_) {
      Stream stream;
      while (!names.empty() && stream.names.size() < most)
        stream.names.insert(names.extract(names.begin()));
      open(++last_stream_, std::move(stream));
    }
    voice_.beyond(names.size());
  }
  void open(uint64_t number, Stream stream) {
    std::string path(kPath);
    for (const IpnsName& name : stream.names) {
      const bool first = path.size() == kPath.size();
      path += (!first ? "," : one_by_one_ ? "/" : "?names=") + name.to_string();
    }
    Stream& placed = streams_.emplace(number, std::move(stream)).first->second;
    placed.kept = std::make_unique<push::KeptStream>(
        loop_, http_, endpoint_.call("GET", path), stream_options_,
        push::KeptStream::Handlers{
            .opened = [this, number] { opened(number); },
            .event = [this, number](const push::EventStream::Event& event) { take(number, event); },
            .lost = [this, number](int status,
                                   const std::string& why) { lost(number, status, why); }});
    placed.kept->pause(voice_.held_back());
  }
  void opened(uint64_t number) {
    streams_.at(number).open = true;
    note_health();
  }
  void take(uint64_t number, const push::EventStream::Event& event) {
    if (event.type != "ipns-update" && event.type != "update" && !event.type.empty()) return;
    const auto update = push::read_update(event.data);
    if (!update) return voice_.note(update.error().message);
    const std::set<IpnsName>& names = streams_.at(number).names;
    // On a stream of one name it need not be said which.
    if (update->name ? names.contains(*update->name) : names.size() == 1)
      voice_.say(*update, update->name.value_or(*names.begin()));
  }
  void lost(uint64_t number, int status, const std::string& why) {
    streams_.at(number).open = false;
    const bool not_offered = status == 400 || status == 404 || status == 405 || status == 501;
    if (!not_offered || one_by_one_) {
      voice_.lost(why);
      return note_health();
    }
    // Not in the stream's own handler.
    loop_.post([this, here = std::weak_ptr<bool>(here_)] {
      if (!here.expired()) ask_one_by_one();
    });
  }
  // The server knows no streams of many names.
  void ask_one_by_one() {
    if (std::exchange(one_by_one_, true)) return;
    streams_.clear();
    open(names_);
    note_health();
  }
  void note_health() {
    const bool all = std::all_of(streams_.begin(), streams_.end(),
                                 [](const auto& entry) { return entry.second.open; });
    voice_.set_healthy(all && !streams_.empty());
  }

  // constant after construction
  nostr::net::Loop& loop_;
  gateway::Http& http_;
  const push::KeptStream::Options stream_options_;
  const size_t names_in_stream_;
  const size_t most_streams_;
  const gateway::Endpoint endpoint_;

  push::Voice voice_;
  std::set<IpnsName> names_;
  std::map<uint64_t, Stream> streams_;
  uint64_t last_stream_ = 0;
  bool one_by_one_ = false;
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<Source> sse_source(nostr::net::Loop& loop, gateway::Http& http,
                                   SseSourceOptions options, std::shared_ptr<SourceSink> sink) {
  const auto make = [&](push::Outlet& outlet, const gateway::Endpoint& endpoint) {
    return std::make_unique<SseServer>(loop, http, options, outlet, endpoint);
  };
  return push::source_of(loop, options.endpoints, make, std::move(sink));
}

}  // namespace ipnscast::sync
