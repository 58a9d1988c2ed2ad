#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ipnscast/sync/gateway/gateway_book.h"
#include "ipnscast/sync/publish/outcome.h"

namespace ipnscast::sync {

struct RecordSenderOptions {
  size_t threads = 8;     // places at a time
  size_t queued = 4'096;  // places that wait; more come back at once, as "busy"
  Milliseconds deadline{10'000};
  std::vector<Milliseconds> retries{Milliseconds(250),
                                    Milliseconds(1'000)};  // waits before a put is repeated
};

// Gives signed records to everything that takes them: delegated routers (PUT) and nodes (Kubo's
// name/put, routing/put on older ones), each on its own, and reads them back: a place counts only
// when the record, or a better one, can be read there (R23). The threads send-0, send-1, ...
// Thread-safe. Outlived by what it is given.
class RecordSender {
 public:
  using Place = Outcome::Place;
  // Called on a send thread; must not block: push into an inbox.
  using OnPlace = std::function<void(const Place&)>;
  using Done = std::function<void(std::vector<Place>)>;

  RecordSender(gateway::Http& http, gateway::GatewayBook& book, RecordSenderOptions options = {});
  ~RecordSender();

  // Each place as it is through (a slow router does not hold up the others), own nodes first; then
  // `done` with all. Gateways that take no records are no places. `only`: to these gateways of the
  // book.
  void send(const IpnsName& name, const IpnsRecord& record, OnPlace on_place, Done done,
            const std::optional<std::vector<size_t>>& only = {});
  // Waits for all. Not from a send thread.
  std::vector<Place> send_now(const IpnsName& name, const IpnsRecord& record);

  // Ends what runs; places that are not through say "closed". Idempotent.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::sync
