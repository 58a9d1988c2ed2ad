#include "ipnscast/bridge/http/metrics_server.h"

#include "ipnscast/nostr/net/websocket_server.h"

namespace ipnscast::bridge {
namespace {

using nostr::net::HttpReply;
using nostr::net::HttpRequest;
using nostr::net::HttpResponse;

constexpr size_t kMaxConnections = 64;
constexpr size_t kMaxConnectionsPerAddress = 48;
constexpr size_t kMaxBody = 1024;

HttpResponse answer(int status, const char* type, const std::string& body) {
  HttpResponse out;
  out.status = status;
  out.headers = {{"content-type", type},
                 {"cache-control", "no-store"},
                 {"x-content-type-options", "nosniff"},
                 {"content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"}};
  out.body = to_bytes(as_bytes(body));
  return out;
}

class Server final : public MetricsServer {
 public:
  Server(Options options, std::function<Telemetry()> look)
      : options_(std::move(options)), look_(std::move(look)) {}

  Status open(nostr::net::Loop& loop) {
    nostr::net::ServerOptions server;
    server.address = options_.address;
    server.port = options_.port;
    server.max_body_bytes = kMaxBody;
    server.max_connections = server.max_http_connections = kMaxConnections;
    server.max_http_connections_per_address = kMaxConnectionsPerAddress;
    nostr::net::ServerHandlers handlers;
    handlers.http = [this](const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
      reply->send(respond(request));
    };
    auto opened = nostr::net::listen(loop, server, std::move(handlers));
    if (!opened) return fail(opened.error());
    server_ = std::move(*opened);
    return {};
  }

  std::string url() const override {
    const bool six = options_.address.find(':') != std::string::npos;
    return "http://" + (six ? "[" + options_.address + "]" : options_.address) + ":" +
           std::to_string(server_->port());
  }

 private:
  HttpResponse respond(const HttpRequest& request) const {
    if (request.method != "GET" && request.method != "HEAD") {
      HttpResponse refused = answer(405, "text/plain; charset=utf-8", "want GET\n");
      refused.headers["allow"] = "GET, HEAD";
      return refused;
    }
    if (request.path == "/health") {
      const Telemetry now = look_();
      return answer(now.troubles.empty() ? 200 : 503, "text/plain; charset=utf-8",
                    health_text(now));
    }
    if (request.path == "/metrics")
      return answer(200, "text/plain; version=0.0.4; charset=utf-8", telemetry_text(look_()));
    if (request.path == "/")
      return answer(200, "text/html; charset=utf-8", telemetry_page(options_.title, look_()));
    return answer(404, "text/plain; charset=utf-8", "there are /, /metrics and /health\n");
  }

  // constant after construction
  const Options options_;
  const std::function<Telemetry()> look_;

  std::unique_ptr<nostr::net::WebSocketServer> server_;  // last: its handler uses the rest
};

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(nostr::net::Loop& loop, Options options,
                                                            std::function<Telemetry()> look) {
  auto server = std::make_unique<Server>(std::move(options), std::move(look));
  if (Status opened = server->open(loop); !opened) return fail(opened.error());
  return std::unique_ptr<MetricsServer>(std::move(server));
}

}  // namespace ipnscast::bridge
