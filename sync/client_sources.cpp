#include <algorithm>

#include "ipnscast/sync/client_impl.h"
#include "ipnscast/sync/source/pubsub_source.h"
#include "ipnscast/sync/source/push/push_words.h"
#include "ipnscast/sync/source/push/sse_source.h"
#include "ipnscast/sync/source/push/w3name_source.h"
#include "ipnscast/sync/source/push/websocket_source.h"

// Where a client hears of changes.
namespace ipnscast::sync {
namespace {

constexpr Milliseconds kPing{30'000};

bool is_trusted(const Config& config, const nostr::PublicKey& key) {
  const auto& trusted = config.trusted_authors;
  return std::find(trusted.begin(), trusted.end(), key) != trusted.end();
}

std::vector<gateway::Endpoint> endpoints(const std::vector<std::string>& urls) {
  std::vector<gateway::Endpoint> out;
  for (const std::string& url : urls) {
    if (auto endpoint = gateway::parse_endpoint(url)) out.push_back(std::move(*endpoint));
  }
  return out;
}

std::vector<gateway::Endpoint> nodes_to_hear(const Config& config) {
  return config.pubsub ? pubsub_nodes(config.gateways) : std::vector<gateway::Endpoint>();
}

}  // namespace

std::vector<MakeSource> ClientImpl::sources(const std::shared_ptr<KnownHints>& known) {
  std::vector<MakeSource> out;
  if (pool_) {
    RelaySource::Options options = relay_options();
    options.hints.known = known;
    options.on_own_event = [this](const nostr::Event& event) { publisher_->learn(event); };
    out.push_back([this, options = std::move(options)](std::shared_ptr<SourceSink> sink) {
      return std::make_unique<RelaySource>(
          RelaySource::Parts{*pool_, config_.signer, private_tally_}, options, std::move(sink));
    });
  }
  if (!config_.websocket.empty()) {
    WebsocketSourceOptions options{.endpoints = config_.websocket};
    options.socket.client.access = config_.access;
    options.socket.client.max_frame_bytes = push::kMaxFrame;
    options.socket.client.ping_interval = kPing;
    options.socket.client.witness = witness_;
    out.push_back([this, options](std::shared_ptr<SourceSink> sink) {
      return websocket_source(*loop_, options, std::move(sink));
    });
  }
  if (stream_http_) add_stream_sources(out);
  return out;
}

// S0-37: whatever way of its own the application has.
Status ClientImpl::tell(const ToldNews& news) {
  const SourceId source{SourceKind::app, news.from};
  if (!news.record.empty()) {
    const auto record = verify_record(news.name, news.record, system_now().wall);
    if (!record)
      return fail(Errc::signature, "the record does not hold: " + record.error().message);
    sync_->tell(RecordArrived{news.name, known_record(*record), source});
    return {};
  }
  if (!news.cid) return fail(Errc::invalid, "news needs a CID or a record");
  News claim{.name = news.name, .cid = news.cid->as_v1(), .sequence = news.sequence};
  if (claim.sequence && claim.sequence->value == 0) claim.sequence.reset();  // S0-44
  claim.source = source;
  sync_->tell(std::move(claim));
  return {};
}

// Those that keep connections of the HTTP client.
void ClientImpl::add_stream_sources(std::vector<MakeSource>& out) {
  if (!config_.sse.empty()) {
    out.push_back([this](std::shared_ptr<SourceSink> sink) {
      return sse_source(*loop_, *stream_http_, {.endpoints = endpoints(config_.sse)},
                        std::move(sink));
    });
  }
  if (!config_.w3name.empty()) {
    W3nameSourceOptions options{.endpoints = endpoints(config_.w3name)};
    options.socket.client.access = config_.access;
    options.socket.client.max_frame_bytes = push::kMaxFrame;
    options.socket.client.ping_interval = kPing;
    out.push_back([this, options](std::shared_ptr<SourceSink> sink) {
      return w3name_source(*loop_, *stream_http_, options, std::move(sink));
    });
  }
  if (auto nodes = nodes_to_hear(config_); !nodes.empty()) {
    out.push_back([this, nodes = std::move(nodes)](std::shared_ptr<SourceSink> sink) {
      return std::make_unique<PubsubSource>(*http_, *stream_http_, nodes, PubsubOptions{},
                                            std::move(sink));
    });
  }
}

// Streams keep their connections, so they have a client of their own.
Status ClientImpl::open_stream_client() {
  const size_t nodes = nodes_to_hear(config_).size();
  const size_t servers = config_.sse.size() + config_.w3name.size();
  if (nodes == 0 && servers == 0) return {};
  const PubsubConnections pubsub = pubsub_connections(nodes);
  const size_t streams = SseSourceOptions{}.streams;
  gateway::HttpClientOptions options;
  options.ca_file = config_.access.ca_file;
  options.witness = witness_;
  options.connections_per_host = std::max(streams, pubsub.per_host);
  options.connections = servers * streams + pubsub.all;
  options.thread = "http-streams";
  auto client = gateway::HttpClient::open(options);
  if (!client) return fail(client.error());
  stream_http_ = std::move(*client);
  return {};
}

RelaySource::Options ClientImpl::relay_options() const {
  RelaySource::Options out;
  if (config_.signer) out.own_key = config_.signer->public_key();
  out.hints.authors = config_.trusted_authors;
  out.hints.kinds = config_.kinds;
  for (const int kind : config_.public_kinds) {
    if (std::find(out.hints.kinds.begin(), out.hints.kinds.end(), kind) == out.hints.kinds.end()) {
      out.hints.kinds.push_back(kind);
    }
  }
  out.hints.compat = config_.compat;
  out.hints.open = config_.open;
  if (private_names_ && is_trusted(config_, config_.signer->public_key())) {
    out.hints.own_private = NostrSource::Private{config_.signer->public_key(), private_names_,
                                                 config_.private_hints, config_.topic};
  }
  return out;
}

}  // namespace ipnscast::sync
