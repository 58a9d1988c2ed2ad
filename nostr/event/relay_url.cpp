#include "ipnscast/nostr/event/relay_url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace ipnscast::nostr {
namespace {

constexpr size_t kMaxUrl = 2048;
constexpr size_t kMaxHost = 253;

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

auto refused(std::string_view text, const char* why) {
  return fail(Errc::invalid, "relay URL \"" + std::string(text.substr(0, 200)) + "\": " + why);
}

bool plain_host(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHost &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_';
         });
}

// The one spelling of an IPv6 address, or nothing.
std::optional<std::string> normal_ipv6(const std::string& text) {
  in6_addr address;
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1) return std::nullopt;
  inet_ntop(AF_INET6, &address, out.data(), out.size());
  return out.data();
}

std::optional<uint16_t> read_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535)
    return std::nullopt;
  return static_cast<uint16_t>(port);
}

struct HostPort {
  std::string host;
  std::string_view port;  // empty when absent
  bool ipv6 = false;
};

// host [":" port], with an IPv6 address in brackets. RFC 3986 section 3.2
std::optional<HostPort> split_authority(std::string_view authority) {
  HostPort out;
  std::string_view rest;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    auto address = normal_ipv6(std::string(authority.substr(1, close - 1)));
    if (!address) return std::nullopt;
    out.host = std::move(*address);
    out.ipv6 = true;
    rest = authority.substr(close + 1);
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    out.host = lowered(authority.substr(0, colon));
    if (!plain_host(out.host)) return std::nullopt;
    rest = authority.substr(colon);
  }
  if (!rest.empty()) {
    if (rest[0] != ':') return std::nullopt;
    out.port = rest.substr(1);
  }
  return out;
}

}  // namespace

Result<RelayUrl> RelayUrl::parse(std::string_view text) {
  if (text.size() > kMaxUrl) return refused(text, "too long");
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    return refused(text, "white space or characters outside ASCII");
  }
  RelayUrl out;
  const size_t scheme_end = text.find("://");
  const std::string scheme = lowered(text.substr(0, std::min(scheme_end, text.size())));
  if (scheme_end == std::string_view::npos || (scheme != "ws" && scheme != "wss")) {
    return refused(text, "want ws:// or wss://");
  }
  out.tls_ = scheme == "wss";
  const std::string_view rest = text.substr(scheme_end + 3);
  if (rest.find('#') != std::string_view::npos) return refused(text, "has a fragment");
  const size_t path = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, path);
  if (authority.find('@') != std::string_view::npos) return refused(text, "has a user name");

  auto parts = split_authority(authority);
  if (!parts) return refused(text, "the host makes no sense");
  const uint16_t default_port = out.tls_ ? 443 : 80;
  const auto port = parts->port.empty() ? default_port : read_port(parts->port);
  if (!port) return refused(text, "the port makes no sense");
  out.port_ = *port;
  out.host_ = std::move(parts->host);
  if (path < rest.size())
    out.path_ = (rest[path] == '?' ? "/" : "") + std::string(rest.substr(path));

  out.text_ = scheme + "://" + (parts->ipv6 ? "[" + out.host_ + "]" : out.host_);
  if (out.port_ != default_port) out.text_ += ":" + std::to_string(out.port_);
  if (out.path_ != "/") out.text_ += out.path_;
  return out;
}

Result<RelayUrl> RelayUrl::parse_foreign(std::string_view text) {
  auto out = parse(text);
  if (out) out->named_by_ = NamedBy::others;
  return out;
}

RelayUrl RelayUrl::as_ours() const {
  RelayUrl out = *this;
  out.named_by_ = NamedBy::configuration;
  return out;
}

}  // namespace ipnscast::nostr
