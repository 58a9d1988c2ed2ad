// The HTTP half of the server: what becomes of its connections' requests.
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/net/server_socket.h"

namespace ipnscast::nostr::net {
namespace {

// An answer with less waiting is not worth adding up what all the others have.
constexpr size_t kMuchBytes = 128 * 1024;

// A name or value of a query: %XX, and '+' for a space. A '%' that starts no such pair stands for
// itself.
std::string query_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto escaped = text[i] == '%' ? text.substr(i + 1, 2) : std::string_view();
    const auto byte = from_hex(escaped);
    if (byte && byte->size() == 1) {
      out += static_cast<char>(byte->front());
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> query_value(const HttpRequest& request, std::string_view name) {
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const size_t equals = pair.find('=');
    if (query_decoded(pair.substr(0, equals)) == name) {
      return equals == std::string_view::npos ? "" : query_decoded(pair.substr(equals + 1));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::shared_ptr<HeldBytes::Share> ServerImpl::body_share(const std::string& group) const {
  return std::make_shared<HeldBytes::Share>(held_bodies_, group);
}

void ServerImpl::answer(uint64_t id, HttpRequest request,
                        const std::shared_ptr<HttpOutput>& output) {
  auto reply = make_reply(output, [self = self_, loop = &loop_, id] {
    loop->post([self, id] {
      if (*self != nullptr) (*self)->http_woken(id);
    });
  });
  if (handlers_.http) return handlers_.http(std::move(request), std::move(reply));
  reply->send({404, {{"content-type", "text/plain"}}, to_bytes(std::string_view("not found\n"))});
}

void ServerImpl::wake(uint64_t id) {
  post([id](ServerImpl& self) { self.http_woken(id); });
}

void ServerImpl::http_ready(uint64_t id, uint32_t events) {
  const auto found = http_.find(id);
  if (found == http_.end()) return;
  found->second->ready(events);
  settle(id);
}

void ServerImpl::http_woken(uint64_t id) {
  const auto found = http_.find(id);
  if (found == http_.end()) return;
  found->second->woken();
  const bool holds_much = found->second->unsent_bytes() >= kMuchBytes;
  settle(id);
  if (holds_much) cut_slow_readers();
}

void ServerImpl::settle(uint64_t id) {
  HttpConnection& http = *http_.at(id);
  if (http.state() == HttpConnection::State::upgrading) return become_websocket(id, http);
  if (http.state() == HttpConnection::State::over) http_over(id);
}

void ServerImpl::http_over(uint64_t id) {
  const auto found = http_.find(id);
  const std::string group = found->second->group();
  http_.erase(found);
  --per_address_.at(group).http;
  forget_address(group);
}

}  // namespace ipnscast::nostr::net
