#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ipnscast/sync/config.h"
#include "ipnscast/sync/gateway/gateway_book.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/publish/content_sender.h"
#include "ipnscast/sync/publish/record_sender.h"

namespace ipnscast::tools {

// The gateways of a configuration, for what `watch` brings there: content of others to own nodes,
// records of others to whoever takes them. Thread-safe. Outlived by `blocks`.
class Places {
 public:
  // Errc::invalid for a gateway's URL that is none.
  static Result<std::unique_ptr<Places>> open(const sync::Config& config,
                                              sync::BlockSource& blocks);
  // Ends what runs. Idempotent.
  void close();

  // Those of the own nodes that take content, by their number here; see sync::content_nodes().
  std::vector<size_t> nodes() { return sync::content_nodes(*http_, *book_); }
  // All own nodes that may be given content, whether they answer now or not.
  const std::vector<std::string>& node_urls() const { return node_urls_; }
  std::string url(size_t gateway) const { return book_->endpoint(gateway).url; }
  sync::ContentSender& contents() { return *contents_; }
  sync::RecordSender& records() { return *records_; }

 private:
  Places() = default;

  // In the order in which they are built; each outlives those below it.
  std::unique_ptr<sync::gateway::GatewayBook> book_;
  std::unique_ptr<sync::gateway::HttpClient> http_;
  std::unique_ptr<sync::ContentSender> contents_;
  std::unique_ptr<sync::RecordSender> records_;
  std::vector<std::string> node_urls_;
};

}  // namespace ipnscast::tools
