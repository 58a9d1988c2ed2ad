#include "ipnscast/sync/source/pubsub_source.h"

namespace ipnscast::sync {

PubsubSource::PubsubSource(gateway::Http& http, gateway::Http& streams,
                           std::vector<gateway::Endpoint> nodes, PubsubOptions options,
                           std::shared_ptr<SourceSink> sink)
    : http_(http),
      streams_(streams),
      nodes_(std::move(nodes)),
      options_(options),
      sink_(std::move(sink)) {}

PubsubSource::~PubsubSource() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (listener_) listener_->close();
}

void PubsubSource::follow(const std::vector<IpnsName>& names) {
  if (!listener_) {
    if (names.empty()) return;
    listener_ = std::make_unique<PubsubListener>(
        http_, streams_, nodes_,
        PubsubListener::Handlers{
            .record =
                [this](const IpnsName& name, KnownRecord record, const std::string& node, bool) {
                  say(RecordArrived{name, std::move(record), {SourceKind::pubsub, node}});
                },
            .health =
                [this](const std::string& node, bool healthy) {
                  say(SourceHealth{{SourceKind::pubsub, node}, healthy});
                }},
        options_);
  }
  listener_->follow(names);
}

// On the pubsub thread: waits for room, and the node's streams wait for it.
void PubsubSource::say(SourceWord word) {
  SourceMessage message(std::move(word));
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      room_ = false;
    }
    if (sink_->offer(message)) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return room_ || closing_; });
    if (closing_) return;
  }
}

void PubsubSource::room() {
  {
    const std::lock_guard lock(mutex_);
    room_ = true;
  }
  changed_.notify_all();
}

}  // namespace ipnscast::sync
