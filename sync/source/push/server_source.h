#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/sync/source/push/outlet.h"

namespace ipnscast::sync::push {

// One server that news comes from. Net thread only.
class Server {
 public:
  virtual ~Server() = default;
  virtual void follow(const std::set<IpnsName>& names) = 0;
  // Stops (true) and resumes reading.
  virtual void pause(bool on) = 0;
};
using MakeServers = std::function<std::vector<std::unique_ptr<Server>>(Outlet&)>;

// Servers on the net thread as one source.
class ServerSource final : public Source {
 public:
  // `make` is called once, here. `loop` outlives this.
  ServerSource(nostr::net::Loop& loop, const MakeServers& make, std::shared_ptr<SourceSink> sink);
  ~ServerSource() override;

  void follow(const std::vector<IpnsName>& names) override;
  void room() override;

 private:
  struct Servers;
  nostr::net::Loop& loop_;
  const std::shared_ptr<Servers> servers_;
};

}  // namespace ipnscast::sync::push
