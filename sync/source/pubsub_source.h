#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "ipnscast/sync/source/pubsub_listener.h"
#include "ipnscast/sync/source/source.h"

namespace ipnscast::sync {

// IPNS over pubsub at nodes of ours as a source of clients (S0-75). Records come along and are
// verified. A node is healthy while the topics of all names are listened to there. Its thread
// begins with the first name.
class PubsubSource final : public Source {
 public:
  // `http` and `streams` as for PubsubListener.
  PubsubSource(gateway::Http& http, gateway::Http& streams, std::vector<gateway::Endpoint> nodes,
               PubsubOptions options, std::shared_ptr<SourceSink> sink);
  ~PubsubSource() override;

  void follow(const std::vector<IpnsName>& names) override;
  void room() override;

 private:
  void say(SourceWord word);

  // constant after construction
  gateway::Http& http_;
  gateway::Http& streams_;
  const std::vector<gateway::Endpoint> nodes_;
  const PubsubOptions options_;
  const std::shared_ptr<SourceSink> sink_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool room_ = false;                         // guarded by mutex_
  bool closing_ = false;                      // guarded by mutex_
  std::unique_ptr<PubsubListener> listener_;  // null: no name was followed yet
};

}  // namespace ipnscast::sync
