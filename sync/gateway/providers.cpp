#include "ipnscast/sync/gateway/providers.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/public_address.h"

namespace ipnscast::sync::gateway {
namespace {

using nlohmann::json;

constexpr size_t kMaxAnswer = 512 * 1024;
constexpr size_t kMaxSeen = 500;  // providers in an answer that are looked at
constexpr size_t kMaxAddrs = 32;  // of a provider
constexpr size_t kMaxDepth = 16;
constexpr std::string_view kProtocol = "transport-ipfs-gateway-http";

std::vector<std::string_view> parts_of(std::string_view multiaddr) {
  std::vector<std::string_view> out;
  while (!multiaddr.empty() && out.size() < 16) {
    multiaddr.remove_prefix(1);  // the slash
    const size_t end = std::min(multiaddr.find('/'), multiaddr.size());
    out.push_back(multiaddr.substr(0, end));
    multiaddr.remove_prefix(end);
  }
  return out;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-';
  });
}

bool is_ip6(std::string_view text) {
  return !text.empty() && text.size() <= 45 &&
         text.find_first_not_of("0123456789abcdefABCDEF:.") == text.npos;
}

std::string host_of(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  if (url.front() == '[') return std::string(url.substr(1, url.find(']') - 1));
  return std::string(url.substr(0, url.find(':')));
}

bool allowed(const std::string& url, ProviderHosts hosts) {
  if (hosts == ProviderHosts::any) return true;
  return hosts == ProviderHosts::public_only && url.starts_with("https://") &&
         is_public_host(host_of(url));
}

void take(const json& provider, ProviderHosts hosts, std::vector<std::string>& out) {
  if (!provider.is_object() || out.size() >= kMaxProviders) return;
  const auto protocols = provider.find("Protocols");
  const auto addrs = provider.find("Addrs");
  if (protocols == provider.end() || !protocols->is_array() || addrs == provider.end() ||
      !addrs->is_array() || std::none_of(protocols->begin(), protocols->end(), [](const json& one) {
        return one.is_string() && one == kProtocol;
      })) {
    return;
  }
  size_t seen = 0;
  for (const json& addr : *addrs) {
    if (++seen > kMaxAddrs) return;
    if (!addr.is_string()) continue;
    const auto url = http_url_of(addr.get_ref<const std::string&>());
    if (!url || !allowed(*url, hosts) || std::find(out.begin(), out.end(), *url) != out.end())
      continue;
    out.push_back(*url);
    return;  // one address of each
  }
}

// Nothing that is nested deeper than such answers are: parsing recurses.
json parsed(std::string_view text) {
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return json(json::value_t::discarded);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return json::parse(text, nullptr, false);
}

}  // namespace

HttpCall providers_call(const Endpoint& endpoint, const Cid& cid) {
  HttpCall call = endpoint.call("GET", "/routing/v1/providers/" + cid.as_v1().to_string());
  call.headers.emplace_back("Accept", "application/json");
  call.max_bytes = kMaxAnswer;
  return call;
}

Result<std::vector<std::string>> read_providers(const HttpAnswer& answer, ProviderHosts hosts) {
  if (Status status = check_status(answer); !status) return fail(status.error());
  std::vector<std::string> out;
  size_t seen = 0;
  if (media_type(answer.head) == "application/x-ndjson") {
    std::string_view rest = as_text(answer.body);
    while (!rest.empty() && ++seen <= kMaxSeen) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      take(parsed(line), hosts, out);
    }
  } else {
    const json object = parsed(as_text(answer.body));
    const auto list = object.is_object() ? object.find("Providers") : object.end();
    if (!object.is_object() || (list != object.end() && !list->is_array() && !list->is_null()))
      return fail(Errc::parse, "not a list of providers");
    if (list != object.end() && list->is_array()) {
      for (const json& provider : *list) {
        if (++seen > kMaxSeen) break;
        take(provider, hosts, out);
      }
    }
  }
  if (out.empty()) return fail(Errc::not_found, "no provider that is a gateway over HTTP");
  return out;
}

std::optional<std::string> http_url_of(std::string_view multiaddr) {
  if (multiaddr.size() > 512 || multiaddr.empty() || multiaddr.front() != '/') return std::nullopt;
  const auto parts = parts_of(multiaddr);
  if (parts.size() < 5 || parts[2] != "tcp") return std::nullopt;
  const std::string_view family = parts[0];
  std::string host(parts[1]);
  if (family == "ip6") {
    if (!is_ip6(host)) return std::nullopt;
    host = '[' + host + ']';
  } else if ((family != "ip4" && family != "dns" && family != "dns4" && family != "dns6") ||
             !is_host_name(host)) {
    return std::nullopt;
  }
  uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(parts[3].data(), parts[3].data() + parts[3].size(), port);
  if (error != std::errc() || end != parts[3].data() + parts[3].size() || port == 0)
    return std::nullopt;

  size_t at = 4;
  bool tls = false;
  if (parts[at] == "https") {
    tls = true;
    ++at;
  } else if (parts[at] == "http") {
    ++at;
  } else if (parts[at] == "tls") {
    tls = true;
    ++at;
    if (at + 1 < parts.size() && parts[at] == "sni") {
      if (parts[at + 1] != parts[1]) return std::nullopt;
      at += 2;
    }
    if (at >= parts.size() || parts[at] != "http") return std::nullopt;
    ++at;
  } else {
    return std::nullopt;
  }
  const bool ends = at == parts.size() || (at + 2 == parts.size() && parts[at] == "p2p");
  if (!ends) return std::nullopt;
  std::string url = (tls ? "https://" : "http://") + host;
  if (port != (tls ? 443 : 80)) url += ':' + std::to_string(port);
  return url;
}

}  // namespace ipnscast::sync::gateway
