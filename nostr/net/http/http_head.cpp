#include "ipnscast/nostr/net/http/http_head.h"

#include <algorithm>
#include <charconv>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/text/blanks.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kMaxHeaders = 100;
constexpr size_t kMaxMethod = 32;

tl::unexpected<BadRequest> bad(std::string why, int status = 400) {
  return tl::unexpected<BadRequest>({status, std::move(why)});
}

char lower_letter(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_token_char(char c) {
  if ((c >= '0' && c <= '9') || (lower_letter(c) >= 'a' && lower_letter(c) <= 'z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b,
                            [](char x, char y) { return lower_letter(x) == lower_letter(y); });
}

// The next line, without its end, which "\n" alone may be. RFC 9112 section 2.2.
std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// False for a '%' without two digits, and for a zero byte.
bool percent_decode(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto byte = from_hex(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1 || byte->front() == 0) return false;
    out += static_cast<char>(byte->front());
    i += 2;
  }
  return true;
}

// The path and query of a request target: origin-form, absolute-form or "*". RFC 9112 section 3.2.
bool read_target(std::string_view target, RequestHead& head) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_word(target.substr(0, scheme.size()), scheme)) continue;
    const size_t path = target.find_first_of("/?", scheme.size());
    target.remove_prefix(std::min(path, target.size()));
    if (!target.starts_with('/')) head.path = "/";
    break;
  }
  if (target == "*" && head.method == "OPTIONS") {
    head.path = "*";
    return true;
  }
  if (!target.starts_with('/') && head.path.empty()) return false;
  target = target.substr(0, target.find('#'));
  const size_t question = target.find('?');
  if (question != target.npos) head.query = std::string(target.substr(question + 1));
  const std::string_view path = target.substr(0, question);
  if (path.empty()) return true;
  head.path.clear();
  return percent_decode(path, head.path);
}

tl::expected<int, BadRequest> read_request_line(std::string_view line, RequestHead& head) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == line.npos || first == last) return bad("want METHOD TARGET HTTP/1.1");
  const std::string_view version = line.substr(last + 1);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  head.method = std::string(line.substr(0, first));
  if (!is_token(head.method) || head.method.size() > kMaxMethod) return bad("no such method");
  if (std::ranges::any_of(target, [](char c) { return is_control(c) || c == ' '; }))
    return bad("a request target has no spaces");
  const bool http = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.';
  if (!http) return bad("want HTTP/1.1");
  if (version[5] != '1' || version[7] < '0' || version[7] > '9') return bad("want HTTP/1.1", 505);
  if (!read_target(target, head)) return bad("cannot read the request target");
  return version[7] - '0';
}

// False for a header that may come once only and has come before.
bool add_header(RequestHead& head, std::string name, std::string_view value) {
  const bool once = name == "host" || name == "content-length" || name == "transfer-encoding" ||
                    name == "sec-websocket-key" || name == "sec-websocket-version";
  const auto [at, added] = head.headers.try_emplace(std::move(name), value);
  if (added) return true;
  if (once) return false;
  at->second += ", ";
  at->second += value;
  return true;
}

tl::expected<void, BadRequest> read_headers(std::string_view text, RequestHead& head) {
  for (size_t count = 0;; ++count) {
    const std::string_view line = take_line(text);
    if (line.empty()) return {};
    if (count == kMaxHeaders) return bad("too many headers", 431);
    const size_t colon = line.find(':');
    // No space before the colon, and no continued lines: proxies disagree on what they mean.
    if (colon == line.npos || !is_token(line.substr(0, colon))) return bad("cannot read a header");
    const std::string_view value = without_blanks(line.substr(colon + 1));
    if (std::ranges::any_of(value, [](char c) { return is_control(c) && c != '\t'; }))
      return bad("a header has control characters");
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), lower_letter);
    if (!add_header(head, std::move(name), value)) return bad("a header came twice");
  }
}

std::string_view header(const RequestHead& head, const std::string& name) {
  const auto found = head.headers.find(name);
  return found == head.headers.end() ? std::string_view() : std::string_view(found->second);
}

tl::expected<void, BadRequest> read_length(RequestHead& head, int minor_version) {
  const bool has_length = head.headers.count("content-length") != 0;
  if (head.headers.count("transfer-encoding") != 0) {
    if (has_length) return bad("want Content-Length or Transfer-Encoding, not both");
    if (minor_version == 0) return bad("HTTP/1.0 has no Transfer-Encoding");
    if (!same_word(header(head, "transfer-encoding"), "chunked"))
      return bad("the only known Transfer-Encoding is chunked", 501);
    head.chunked = true;
  }
  if (!has_length) return {};
  const std::string_view text = header(head, "content-length");
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), head.content_length);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return bad("want a number as Content-Length");
  return {};
}

}  // namespace

std::optional<size_t> request_head_end(std::string_view bytes, size_t searched) {
  // Some bytes back: the blank line may be split.
  for (size_t at = bytes.find('\n', searched < 3 ? 0 : searched - 3); at != bytes.npos;
       at = bytes.find('\n', at + 1)) {
    const std::string_view rest = bytes.substr(at + 1, 2);
    if (rest.starts_with('\n')) return at + 2;
    if (rest == "\r\n") return at + 3;
  }
  return std::nullopt;
}

tl::expected<RequestHead, BadRequest> parse_request_head(std::string_view text) {
  RequestHead head;
  const auto minor_version = read_request_line(take_line(text), head);
  if (!minor_version) return tl::unexpected(minor_version.error());
  if (auto read = read_headers(text, head); !read) return tl::unexpected(read.error());
  if (*minor_version > 0 && head.headers.count("host") == 0) return bad("no Host header");
  if (auto read = read_length(head, *minor_version); !read) return tl::unexpected(read.error());
  const std::string_view connection = header(head, "connection");
  head.http_1_1 = *minor_version > 0;
  head.keep_alive =
      *minor_version > 0 ? !has_token(connection, "close") : has_token(connection, "keep-alive");
  if (const auto expect = header(head, "expect"); !expect.empty() && *minor_version > 0) {
    if (!same_word(expect, "100-continue")) return bad("cannot do what Expect asks for", 417);
    head.expects_continue = true;
  }
  return head;
}

bool has_token(std::string_view header, std::string_view token) {
  while (!header.empty()) {
    const size_t comma = header.find(',');
    if (same_word(without_blanks(header.substr(0, comma)), token)) return true;
    if (comma == header.npos) return false;
    header.remove_prefix(comma + 1);
  }
  return false;
}

tl::expected<std::optional<WebSocketWish>, BadRequest> websocket_wish(const RequestHead& head) {
  if (!has_token(header(head, "upgrade"), "websocket") ||
      !has_token(header(head, "connection"), "upgrade"))
    return std::nullopt;
  if (head.method != "GET" || head.chunked || head.content_length != 0)
    return bad("a WebSocket begins with a GET without a body");
  if (header(head, "sec-websocket-version") != "13") return bad("want WebSocket version 13", 426);
  const std::string_view key = header(head, "sec-websocket-key");
  const auto decoded = from_base64(key, 16);
  if (key.size() != 24 || !decoded || decoded->size() != 16) return bad("want a Sec-WebSocket-Key");
  return WebSocketWish{std::string(key), std::string(header(head, "sec-websocket-extensions"))};
}

}  // namespace ipnscast::nostr::net
