// The HTTP half of the server: one request at a time per connection, answered from any thread.
#include <charconv>

#include "nostr/base/hex.h"
#include "nostr/net/server_socket.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kMaxHeaderBytes = 4096;
constexpr size_t kWritePartBytes = 32 * 1024;
constexpr size_t kMaxUnsentBytes = 1024 * 1024;

struct Method {
  lws_token_indexes token;
  const char* name;
};
constexpr Method kMethods[] = {
    {WSI_TOKEN_GET_URI, "GET"},       {WSI_TOKEN_POST_URI, "POST"},
    {WSI_TOKEN_PUT_URI, "PUT"},       {WSI_TOKEN_HEAD_URI, "HEAD"},
    {WSI_TOKEN_DELETE_URI, "DELETE"}, {WSI_TOKEN_OPTIONS_URI, "OPTIONS"}};

struct Header {
  lws_token_indexes token;
  const char* name;
};
constexpr Header kHeaders[] = {{WSI_TOKEN_HTTP_ACCEPT, "accept"},
                               {WSI_TOKEN_HTTP_CONTENT_TYPE, "content-type"},
                               {WSI_TOKEN_HTTP_CONTENT_LENGTH, "content-length"},
                               {WSI_TOKEN_HTTP_TRANSFER_ENCODING, "transfer-encoding"},
                               {WSI_TOKEN_HTTP_IF_NONE_MATCH, "if-none-match"},
                               {WSI_TOKEN_HTTP_CACHE_CONTROL, "cache-control"},
                               {WSI_TOKEN_HTTP_AUTHORIZATION, "authorization"},
                               {WSI_TOKEN_ORIGIN, "origin"},
                               {WSI_TOKEN_HOST, "host"},
                               {WSI_TOKEN_HTTP_RANGE, "range"},
                               {WSI_TOKEN_HTTP_IF_RANGE, "if-range"}};

std::string header_value(lws* wsi, lws_token_indexes token) {
  const int size = lws_hdr_total_length(wsi, token);
  if (size <= 0 || static_cast<size_t>(size) > kMaxHeaderBytes) return {};
  std::string out(static_cast<size_t>(size) + 1, '\0');
  const int got = lws_hdr_copy(wsi, out.data(), size + 1, token);
  out.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return out;
}

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

// lws splits the query at '&' into fragments and decodes them: what could be taken for a part of
// the query's syntax is encoded again. An encoded '+' cannot be told from a plain one any more.
std::string query_of(lws* wsi) {
  std::string out;
  std::string part(kMaxHeaderBytes, '\0');
  for (int i = 0;; ++i) {
    const int got = lws_hdr_copy_fragment(wsi, part.data(), static_cast<int>(part.size()),
                                          WSI_TOKEN_HTTP_URI_ARGS, i);
    if (got < 0) return out;
    if (!out.empty()) out += '&';
    for (const char c : std::string_view(part.data(), static_cast<size_t>(got))) {
      if (c == '%' || c == '&') {
        out += c == '%' ? "%25" : "%26";
      } else {
        out += c;
      }
    }
  }
}

// The thread-safe handle that an answering thread holds.
class ReplyImpl final : public HttpReply {
 public:
  ReplyImpl(std::shared_ptr<HttpOutput> output, std::function<void()> wake)
      : output_(std::move(output)), wake_(std::move(wake)) {}

  ~ReplyImpl() override {
    bool unanswered = false;
    {
      std::lock_guard lock(output_->mutex);
      unanswered = !output_->head && !output_->aborted;
    }
    if (unanswered) {
      send({500, {{"content-type", "text/plain"}}, to_bytes(std::string_view("no answer\n"))});
    } else {
      finish();
    }
  }

  void send(HttpResponse response) override {
    {
      std::lock_guard lock(output_->mutex);
      if (output_->head) return;
      output_->head = {response.status, std::move(response.headers), response.body.size()};
      output_->unsent_bytes = response.body.size();
      if (!response.body.empty()) output_->chunks.push_back(std::move(response.body));
      output_->finished = true;
    }
    wake_();
  }

  void begin(int status, std::map<std::string, std::string> headers) override {
    {
      std::lock_guard lock(output_->mutex);
      if (output_->head) return;
      output_->head = {status, std::move(headers), std::nullopt};
    }
    wake_();
  }

  bool write(Bytes chunk) override {
    if (chunk.empty()) return !client_gone();
    {
      std::unique_lock lock(output_->mutex);
      output_->room.wait(lock,
                         [&] { return output_->gone || output_->unsent_bytes < kMaxUnsentBytes; });
      if (output_->gone || output_->finished || output_->aborted) return false;
      output_->unsent_bytes += chunk.size();
      output_->chunks.push_back(std::move(chunk));
    }
    wake_();
    return true;
  }

  void finish() override {
    {
      std::lock_guard lock(output_->mutex);
      if (output_->finished || output_->aborted) return;
      output_->finished = true;
    }
    wake_();
  }

  void abort() override {
    {
      std::lock_guard lock(output_->mutex);
      output_->aborted = true;
    }
    wake_();
  }

  bool client_gone() const override {
    std::lock_guard lock(output_->mutex);
    return output_->gone;
  }

 private:
  const std::shared_ptr<HttpOutput> output_;
  const std::function<void()> wake_;
};

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

void ServerImpl::release_output(ServerConnection& c) {
  if (!c.output) return;
  {
    std::lock_guard lock(c.output->mutex);
    c.output->gone = true;
  }
  c.output->room.notify_all();
  c.output.reset();
}

int ServerImpl::http_request(ServerConnection& c, std::string_view path) {
  lws* const wsi = c.wsi;
  release_output(c);
  c.request = {};
  c.body_too_large = c.dispatched = c.head_written = c.head_only = c.chunked = c.until_close =
      false;
  HttpRequest& request = c.request;
  for (const Method& method : kMethods) {
    if (lws_hdr_total_length(wsi, method.token) > 0) request.method = method.name;
  }
  request.path = std::string(path);  // lws has decoded it
  request.query = query_of(wsi);
  request.peer = c.peer;
  for (const Header& header : kHeaders) {
    std::string value = header_value(wsi, header.token);
    if (!value.empty()) request.headers[header.name] = std::move(value);
  }
  c.head_only = request.method == "HEAD";
  c.knows_chunks = header_value(wsi, WSI_TOKEN_HTTP) != "HTTP/1.0";

  size_t length = 0;
  if (const auto found = request.headers.find("content-length"); found != request.headers.end()) {
    const std::string& text = found->second;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), length);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return -1;
  }
  if (request.headers.count("transfer-encoding") != 0)
    return -1;  // lws cannot read chunked requests
  if (length > options_.max_body_bytes) c.body_too_large = true;
  if (length == 0 || c.body_too_large) return dispatch(c);
  return 0;
}

int ServerImpl::http_body(ServerConnection& c, std::string_view part) {
  if (c.dispatched) return 0;
  if (c.request.body.size() + part.size() > options_.max_body_bytes) {
    c.body_too_large = true;
    return dispatch(c);
  }
  append(c.request.body, as_bytes(part));
  return 0;
}

int ServerImpl::dispatch(ServerConnection& c) {
  if (c.dispatched) return 0;
  c.dispatched = true;
  c.output = std::make_shared<HttpOutput>();
  auto wake = [self = self_, loop = &loop_, id = c.id] {
    loop->post([self, id] {
      if (*self == nullptr) return;
      if (ServerConnection* woken = (*self)->find(id)) lws_callback_on_writable(woken->wsi);
    });
  };
  auto reply = std::make_shared<ReplyImpl>(c.output, std::move(wake));
  if (c.body_too_large) {
    reply->send(
        {413, {{"content-type", "text/plain"}}, to_bytes(std::string_view("body too large\n"))});
  } else if (handlers_.http) {
    handlers_.http(std::move(c.request), std::move(reply));
  } else {
    reply->send({404, {{"content-type", "text/plain"}}, to_bytes(std::string_view("not found\n"))});
  }
  return 0;
}

int ServerImpl::write_head(ServerConnection& c, HttpOutput::Head head) {
  std::array<unsigned char, LWS_PRE + 8192> buffer;
  unsigned char* start = buffer.data() + LWS_PRE;
  unsigned char* p = start;
  unsigned char* end = buffer.data() + buffer.size() - 1;
  if (lws_add_http_header_status(c.wsi, static_cast<unsigned>(head.status), &p, end) != 0)
    return -1;
  // HTTP forbids a body, and its length, in these.
  const bool bodiless = head.status == 204 || head.status == 304;
  c.head_only = c.head_only || bodiless;
  c.chunked = !head.content_length && !c.head_only && c.knows_chunks;
  c.until_close = !head.content_length && !c.head_only && !c.knows_chunks;
  if (c.until_close) head.headers["connection"] = "close";
  if (c.chunked) {
    head.headers["transfer-encoding"] = "chunked";
  } else if (head.content_length && !bodiless &&
             lws_add_http_header_content_length(c.wsi, *head.content_length, &p, end) != 0) {
    return -1;
  }
  for (const auto& [name, value] : head.headers) {
    const std::string with_colon = name + ":";
    if (lws_add_http_header_by_name(c.wsi, as_bytes(with_colon).data(), as_bytes(value).data(),
                                    static_cast<int>(value.size()), &p, end) != 0) {
      return -1;
    }
  }
  c.head_written = true;
  return lws_finalize_write_http_header(c.wsi, start, &p, end) != 0 ? -1 : 0;
}

int ServerImpl::write_body(ServerConnection& c, Bytes chunk, bool last) {
  std::string framed(LWS_PRE, '\0');
  if (c.chunked && !chunk.empty()) {
    std::array<char, 16> size{};
    const auto end = std::to_chars(size.data(), size.data() + size.size(), chunk.size(), 16);
    framed.append(size.data(), end.ptr);
    framed += "\r\n";
  }
  framed += as_text(chunk);
  if (c.chunked && !chunk.empty()) framed += "\r\n";
  if (c.chunked && last) framed += "0\r\n\r\n";
  const size_t size = framed.size() - LWS_PRE;
  auto* data = reinterpret_cast<unsigned char*>(framed.data()) + LWS_PRE;
  const auto mode = last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP;
  return lws_write(c.wsi, data, size, mode) < static_cast<int>(size) ? -1 : 0;
}

int ServerImpl::transaction_over(ServerConnection& c) {
  const bool over = c.body_too_large || c.until_close;  // a body is unread, or an end is to be seen
  release_output(c);
  if (over) return -1;
  return lws_http_transaction_completed(c.wsi) != 0 ? -1 : 0;
}

int ServerImpl::http_writable(ServerConnection& c) {
  if (!c.output) return 0;
  std::optional<HttpOutput::Head> head;
  Bytes part;
  bool last = false;
  {
    std::lock_guard lock(c.output->mutex);
    // The head goes out before the cut, so that the client sees a stream that is not whole.
    if (c.output->aborted && (c.head_written || !c.output->head)) return -1;
    if (!c.output->head) return 0;
    if (c.head_only && c.head_written) {  // what a HEAD or 304 answer carries is dropped
      c.output->chunks.clear();
      c.output->front_sent = 0;
      c.output->unsent_bytes = 0;
    }
    if (!c.head_written) {
      head = c.output->head;
    } else if (!c.output->chunks.empty()) {
      const Bytes& front = c.output->chunks.front();
      const ByteView rest = ByteView(front).subspan(c.output->front_sent);
      const size_t size = std::min(rest.size(), kWritePartBytes);
      part = to_bytes(rest.first(size));
      c.output->front_sent += size;
      if (size == rest.size()) {
        c.output->chunks.pop_front();
        c.output->front_sent = 0;
      }
      c.output->unsent_bytes -= size;
    }
    last = c.output->finished && c.output->chunks.empty();
  }
  c.output->room.notify_all();

  if (head) {
    if (write_head(c, std::move(*head)) != 0) return -1;
    if (last && (c.head_only || !c.chunked)) return transaction_over(c);
    lws_callback_on_writable(c.wsi);
    return 0;
  }
  if (c.head_only) return last ? transaction_over(c) : 0;
  if (part.empty() && !last) return 0;  // woken again by the next write
  if (write_body(c, std::move(part), last) != 0) return -1;
  if (last) return transaction_over(c);
  lws_callback_on_writable(c.wsi);
  return 0;
}

}  // namespace ipnscast::nostr::net
