#pragma once

#include <memory>
#include <string>

#include "ipnscast/nostr/base/clock_witness.h"
#include "ipnscast/sync/gateway/http_call.h"

namespace ipnscast::sync::gateway {

struct HttpClientOptions {
  std::string ca_file;  // PEM; empty: the system's
  size_t connections_per_host = 8;
  size_t connections = 128;
  size_t calls = 4096;          // waiting to be taken over; start() then waits for room
  std::string thread = "http";  // its name, 15 characters at most
  // Is told what the hosts of the configuration say the time is; may be null.
  std::shared_ptr<ClockWitness> witness{};
};

// The http thread, from the first call on: owns the one curl multi handle with all its transfers.
// Connections are kept and reused; HTTP/2 is spoken where TLS offers it. One per process is enough,
// and one more for streams that would keep its connections; outlives all who make calls.
class HttpClient : public Http {
 public:
  // Errc::internal when libcurl does not start.
  static Result<std::unique_ptr<HttpClient>> open(HttpClientOptions options = {});
  ~HttpClient() override;

  HttpId start(HttpCall call, HttpHandlers handlers) override;
  void cancel(HttpId id) override;
  void resume(HttpId id) override;
  // Ends what runs with done(Errc::closed), then the thread. Idempotent. A call that is started
  // later gets done(Errc::closed) at once, on the caller's thread.
  void close();

 private:
  HttpClient();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::sync::gateway
