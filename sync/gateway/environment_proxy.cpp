#include "ipnscast/sync/gateway/environment_proxy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "ipnscast/nostr/base/public_address.h"

namespace ipnscast::sync::gateway {
namespace {

// The first of the variables that is set and not empty.
std::string first_of(const ReadVariable& read, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* const value = read(name);
    if (value != nullptr && *value != 0) return value;
  }
  return {};
}

struct Numeric {
  std::array<uint8_t, 16> bytes{};
  unsigned bits = 0;  // 32 or 128
};

std::optional<Numeric> numeric(std::string_view text) {
  const std::string host(text);
  Numeric out;
  if (inet_pton(AF_INET, host.c_str(), out.bytes.data()) == 1) {
    out.bits = 32;
  } else if (inet_pton(AF_INET6, host.c_str(), out.bytes.data()) == 1) {
    out.bits = 128;
  } else {
    return std::nullopt;
  }
  return out;
}

// "10.0.0.0/8", or an address by itself.
bool within(const Numeric& address, std::string_view network) {
  const size_t slash = network.find('/');
  const auto start = numeric(network.substr(0, slash));
  if (!start || start->bits != address.bits) return false;
  unsigned bits = address.bits;
  if (slash != std::string_view::npos) {
    const std::string_view text = network.substr(slash + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
    if (error != std::errc() || end != text.data() + text.size() || bits > address.bits)
      return false;
    if (bits == 0) bits = address.bits;  // as libcurl has it
  }
  for (unsigned bit = 0; bit < bits; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if (((address.bytes[bit / 8] ^ start->bytes[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

bool below(std::string_view host, std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (domain.starts_with('.')) domain.remove_prefix(1);
  if (domain.empty() || domain.size() > host.size()) return false;
  const size_t start = host.size() - domain.size();
  const bool same = std::equal(
      domain.begin(), domain.end(), host.substr(start).begin(),
      [](unsigned char theirs, unsigned char ours) { return std::tolower(theirs) == ours; });
  return same && (start == 0 || host[start - 1] == '.');
}

bool listed(const std::string& host, std::string_view list) {
  if (list == "*") return true;
  const auto address = numeric(host);
  while (!list.empty()) {
    const size_t end = std::min(list.find_first_of(", \t"), list.size());
    const std::string_view one = list.substr(0, end);
    if (address ? within(*address, one) : below(host, one)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

bool is_localhost(const std::string& host) {
  return host == "localhost" || host.ends_with(".localhost");
}

// A subdomain of `own` at the same port, or at the one of https.
bool is_subdomain(const Origin& there, const Origin& own) {
  if (own.host.empty() || !there.host.ends_with('.' + own.host)) return false;
  const bool same_port = there.scheme == own.scheme && there.port == own.port;
  return same_port || (there.scheme == "https" && there.port == "443");
}

}  // namespace

std::string environment_proxy(const Origin& origin, const ReadVariable& read) {
  std::string proxy = origin.scheme == "https" ? first_of(read, {"https_proxy", "HTTPS_PROXY"})
                                               : first_of(read, {"http_proxy"});
  if (proxy.empty()) proxy = first_of(read, {"all_proxy", "ALL_PROXY"});
  if (proxy.empty() || listed(origin.host, first_of(read, {"no_proxy", "NO_PROXY"}))) return {};
  return proxy;
}

Result<std::string> proxy_for_guarded(const Origin& there, const Origin& own, std::string proxy) {
  if (proxy.empty() || is_localhost(there.host)) return std::string();
  if (numeric(there.host)) return is_public_address(there.host) ? std::move(proxy) : std::string();
  if (is_subdomain(there, own)) return proxy;
  return fail(Errc::refused,
              "behind the proxy of the environment we cannot check that " + in_quotes(there.host) +
                  " is outside of your network; name it yourself, or list it in NO_PROXY, if it is "
                  "the right one");
}

}  // namespace ipnscast::sync::gateway
