#include "ipnscast/sync/source/push/server_source.h"

namespace ipnscast::sync::push {

// Net thread only.
struct ServerSource::Servers {
  Servers(const MakeServers& make, std::shared_ptr<SourceSink> sink)
      : outlet(std::move(sink),
               [this](bool on) {
                 for (const auto& server : all) server->pause(on);
               }),
        all(make(outlet)) {}

  Outlet outlet;
  std::vector<std::unique_ptr<Server>> all;
};

ServerSource::ServerSource(nostr::net::Loop& loop, const MakeServers& make,
                           std::shared_ptr<SourceSink> sink)
    : loop_(loop), servers_(std::make_shared<Servers>(make, std::move(sink))) {}

ServerSource::~ServerSource() {
  loop_.run([this] { servers_->all.clear(); });
}

void ServerSource::follow(const std::vector<IpnsName>& names) {
  loop_.post([servers = servers_, now = std::set<IpnsName>(names.begin(), names.end())] {
    for (const auto& server : servers->all) server->follow(now);
  });
}

void ServerSource::room() {
  loop_.post([servers = servers_] { servers->outlet.room(); });
}

}  // namespace ipnscast::sync::push
