#include "ipnscast/nostr/net/http/http_get.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "ipnscast/nostr/base/letter_case.h"
#include "ipnscast/nostr/base/text/blanks.h"
#include "ipnscast/nostr/net/http/chunked_body.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kMaxHead = 16 * 1024;
constexpr std::string_view kEndOfHead = "\r\n\r\n";

// The host as it stands in a Host header.
std::string authority(const RelayUrl& url) {
  const bool v6 = url.host().find(':') != std::string::npos;
  const std::string host = v6 ? "[" + url.host() + "]" : url.host();
  const bool usual = url.port() == (url.tls() ? 443 : 80);
  return usual ? host : host + ":" + std::to_string(url.port());
}

std::optional<size_t> content_length(const HttpAnswer& answer) {
  const auto found = answer.headers.find("content-length");
  if (found == answer.headers.end()) return std::nullopt;
  size_t out = 0;
  const std::string& text = found->second;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  return parsed.ec == std::errc() ? std::optional(out) : std::nullopt;
}

bool is_chunked(const HttpAnswer& answer) {
  const auto found = answer.headers.find("transfer-encoding");
  return found != answer.headers.end() &&
         lower_case(found->second).find("chunked") != std::string::npos;
}

// The body of which `came` has come; as much of it as there is when the stream ends early.
Result<std::string> read_chunked(RawStream& stream, std::string came, size_t max_body,
                                 const Patience& patience) {
  ChunkedBody reader;
  Bytes out;
  for (;;) {
    std::string_view rest = came;
    const auto state = reader.feed(rest, out, max_body);
    if (state == ChunkedBody::State::malformed) return fail(Errc::parse, "not a chunked body");
    if (state == ChunkedBody::State::done) break;
    if (!rest.empty()) return fail(Errc::too_large, "the document is too large");
    auto part = stream.read(patience);
    if (!part) return fail(part.error());
    if (part->empty()) break;
    came = std::move(*part);
  }
  return std::string(as_text(out));
}

}  // namespace

Result<HttpAnswer> parse_http_head(std::string_view head) {
  HttpAnswer out;
  const size_t end = head.find("\r\n");
  const std::string_view first = head.substr(0, end);
  // "HTTP/1.1 200 OK"
  if (first.size() < 12 || first.rfind("HTTP/1.", 0) != 0 || first[8] != ' ')
    return fail(Errc::parse, "no HTTP answer");
  const auto parsed = std::from_chars(first.data() + 9, first.data() + 12, out.status);
  if (parsed.ec != std::errc() || parsed.ptr != first.data() + 12)
    return fail(Errc::parse, "no HTTP status");
  for (size_t at = end; at != std::string_view::npos;) {
    const size_t next = head.find("\r\n", at + 2);
    const std::string_view line =
        head.substr(at + 2, next == std::string_view::npos ? next : next - at - 2);
    at = next;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    out.headers[lower_case(without_blanks(line.substr(0, colon)))] =
        without_blanks(line.substr(colon + 1));
  }
  return out;
}

Result<HttpAnswer> http_get(RawStream& stream, const RelayUrl& url, std::string_view header_lines,
                            bool head_only, size_t max_body, const Patience& patience) {
  const std::string request = "GET " + url.path() + " HTTP/1.1\r\nHost: " + authority(url) +
                              "\r\nUser-Agent: ipnscast\r\n" + std::string(header_lines) + "\r\n";
  if (const Status sent = stream.write(request, patience); !sent) return fail(sent.error());
  std::string in;
  size_t end = std::string::npos;
  while ((end = in.find(kEndOfHead)) == std::string::npos) {
    if (in.size() > kMaxHead) return fail(Errc::too_large, "an endless HTTP head");
    const auto part = stream.read(patience);
    if (!part) return fail(part.error());
    if (part->empty()) return fail(Errc::unreachable, "the connection was closed");
    in += *part;
  }
  auto answer = parse_http_head(std::string_view(in).substr(0, end));
  if (!answer || head_only) return answer;

  std::string body = in.substr(end + kEndOfHead.size());
  if (is_chunked(*answer)) {
    auto joined = read_chunked(stream, std::move(body), max_body, patience);
    if (!joined) return fail(joined.error());
    answer->body = std::move(*joined);
    return answer;
  }
  const auto length = content_length(*answer);
  while (!length || body.size() < *length) {
    if (body.size() > max_body) return fail(Errc::too_large, "the document is too large");
    const auto part = stream.read(patience);
    if (!part) return fail(part.error());
    if (part->empty()) break;
    body += *part;
  }
  if (length) body.resize(std::min(body.size(), *length));
  answer->body = std::move(body);
  return answer;
}

}  // namespace ipnscast::nostr::net
