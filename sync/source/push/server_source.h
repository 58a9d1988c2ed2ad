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

// A server of this kind for each endpoint: `make` gives one of (outlet, endpoint).
template <typename Endpoint, typename Make>
std::unique_ptr<Source> source_of(nostr::net::Loop& loop, const std::vector<Endpoint>& endpoints,
                                  const Make& make, std::shared_ptr<SourceSink> sink) {
  const auto all = [&](Outlet& outlet) {
    std::vector<std::unique_ptr<Server>> out;
    for (const Endpoint& endpoint : endpoints) out.push_back(make(outlet, endpoint));
    return out;
  };
  return std::make_unique<ServerSource>(loop, all, std::move(sink));
}

}  // namespace ipnscast::sync::push
