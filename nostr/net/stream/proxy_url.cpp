#include "ipnscast/nostr/net/stream/proxy_url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "ipnscast/nostr/base/hex.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kMaxUrl = 2048;
constexpr size_t kMaxHost = 253;
constexpr size_t kMaxCredential = 255;  // RFC 1929

// Never quotes the URL: it may hold a password.
auto bad_proxy(const char* why) {
  return fail(Errc::invalid,
              std::string("proxy: ") + why +
                  "; want socks5://HOST:PORT or http://HOST:PORT, with USER:PASSWORD@ if needed");
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto byte = from_hex(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    out += static_cast<char>(byte->front());
    i += 2;
  }
  if (out.size() > kMaxCredential) return std::nullopt;
  return out;
}

bool plain_host(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHost &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

bool is_ipv6(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool read_credentials(std::string_view info, ProxyUrl& out) {
  const size_t colon = std::min(info.find(':'), info.size());
  auto user = percent_decoded(info.substr(0, colon));
  auto password =
      percent_decoded(colon < info.size() ? info.substr(colon + 1) : std::string_view());
  if (!user || !password || user->empty() || info.find('@') != info.npos) return false;
  // Basic (RFC 7617 section 2) ends the user at the first colon, and a header ends at a line end.
  const auto plain = [](char c) { return c > '\x1f' && c != '\x7f'; };
  if (user->find(':') != std::string::npos) return false;
  if (!std::all_of(user->begin(), user->end(), plain)) return false;
  if (!std::all_of(password->begin(), password->end(), plain)) return false;
  out.user = std::move(*user);
  out.password = std::move(*password);
  return true;
}

}  // namespace

Result<ProxyUrl> ProxyUrl::parse(std::string_view text) {
  if (text.size() > kMaxUrl) return bad_proxy("too long");
  ProxyUrl out;
  const size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return bad_proxy("unknown kind");
  const std::string_view scheme = text.substr(0, scheme_end);
  if (scheme == "socks5" || scheme == "socks5h") {
    out.kind = ProxyKind::socks5;
  } else if (scheme == "http") {
    out.kind = ProxyKind::http_connect;
  } else {
    return bad_proxy("unknown kind");
  }
  std::string_view rest = text.substr(scheme_end + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    if (!read_credentials(rest.substr(0, at), out)) return bad_proxy("bad user or password");
    rest.remove_prefix(at + 1);
  }
  const size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return bad_proxy("the port is missing");
  std::string_view host = rest.substr(0, colon);
  const std::string_view port = rest.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
    out.host = std::string(host.substr(1, host.size() - 2));
    if (!is_ipv6(out.host)) return bad_proxy("the address makes no sense");
  } else if (plain_host(host)) {
    out.host = std::string(host);
  } else {
    return bad_proxy("the host makes no sense");
  }
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (failed != std::errc() || end != port.data() + port.size() || out.port == 0) {
    return bad_proxy("the port makes no sense");
  }
  return out;
}

std::string ProxyUrl::shown() const {
  const bool brackets = host.find(':') != std::string::npos;
  return std::string(kind == ProxyKind::socks5 ? "socks5" : "http") + "://" +
         (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace ipnscast::nostr::net
