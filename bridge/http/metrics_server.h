#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ipnscast/bridge/http/telemetry.h"
#include "ipnscast/nostr/net/loop.h"

namespace ipnscast::bridge {

// One address for whoever watches over a process (S1-29): GET /metrics for Prometheus (text format
// 0.0.4), /health, and / for people: a page that needs no script and reloads itself. Read-only;
// holds no secret. Its sockets live on the loop's net thread. Thread-safe.
class MetricsServer {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    uint16_t port = 9464;  // 0 takes a free one
    std::string title = "ipnscast";
  };
  // `look` is called on the net thread for each request; it must not block. It and the loop outlive
  // the server. Errc::io when the address is taken or unknown.
  static Result<std::unique_ptr<MetricsServer>> start(nostr::net::Loop& loop, Options options,
                                                      std::function<Telemetry()> look);
  virtual ~MetricsServer() = default;
  virtual std::string url() const = 0;
};

}  // namespace ipnscast::bridge
