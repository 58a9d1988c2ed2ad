#include "ipnscast/tools/watch/places.h"

namespace ipnscast::tools {

namespace gateway = sync::gateway;

Result<std::unique_ptr<Places>> Places::open(const sync::Config& config,
                                             sync::BlockSource& blocks) {
  std::unique_ptr<Places> out(new Places());
  auto entries = gateway::book_entries(config.gateways);
  if (!entries) return fail(entries.error());
  for (const auto& one : *entries) {
    if (one.tier == 1 && one.uses.publish) out->node_urls_.push_back(one.endpoint.url);
  }
  out->book_ = std::make_unique<gateway::GatewayBook>(
      std::move(*entries), gateway::BreakerOptions{config.breaker_failures, config.breaker});
  auto http = gateway::HttpClient::open({.ca_file = config.access.ca_file, .thread = "places"});
  if (!http) return fail(http.error());
  out->http_ = std::move(*http);
  out->contents_ =
      std::make_unique<sync::ContentSender>(*out->http_, *out->book_, blocks, config.publish_stall);
  out->records_ = std::make_unique<sync::RecordSender>(*out->http_, *out->book_);
  return out;
}

void Places::close() {
  contents_->close();
  records_->close();
  http_->close();
}

}  // namespace ipnscast::tools
