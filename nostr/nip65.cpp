#include "nostr/nip65.h"

#include <arpa/inet.h>

#include <algorithm>

namespace ipnscast::nostr {
namespace {

void add(std::vector<RelayUrl>& list, const RelayUrl& url) {
  if (std::find(list.begin(), list.end(), url) == list.end()) list.push_back(url);
}

struct Range {
  uint32_t first;
  int bits;
};
// IPv4 of RFC 6890 and multicast.
constexpr Range kSpecial[] = {
    {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
    {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
    {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 4},  {0xf0000000, 4}};

bool is_public_ipv4(uint32_t address) {
  return std::none_of(std::begin(kSpecial), std::end(kSpecial), [&](const Range& range) {
    return (address ^ range.first) >> (32 - range.bits) == 0;
  });
}

// Of IPv6 only global unicast (2000::/3) is public, without documentation, Teredo and 6to4, which
// carry an IPv4 address that says more.
bool is_public_ipv6(const in6_addr& address) {
  const uint8_t* const bytes = address.s6_addr;
  if ((bytes[0] & 0xe0) != 0x20) return false;
  const uint32_t head =
      uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
  return head != 0x20010db8 && head != 0x20010000 && head >> 16 != 0x2002;
}

}  // namespace

Result<RelayList> parse_relay_list(const Event& event) {
  if (event.kind != kRelayListKind) return fail(Errc::mismatch, "relay list: want kind 10002");
  RelayList out;
  size_t seen = 0;
  for (const Tag& tag : event.tags) {
    if (tag.size() < 2 || tag[0] != "r") continue;
    if (++seen > kMaxListedRelays) break;
    const auto url = RelayUrl::parse(tag[1]);
    if (!url) continue;
    const std::string marker = tag.size() > 2 ? tag[2] : "";
    if (marker.empty() || marker == "write") add(out.write, *url);
    if (marker.empty() || marker == "read") add(out.read, *url);
  }
  return out;
}

UnsignedEvent make_relay_list(const RelayList& list, UnixSeconds now) {
  UnsignedEvent out{.created_at = now, .kind = kRelayListKind, .tags = {}, .content = ""};
  const auto in = [](const std::vector<RelayUrl>& urls, const RelayUrl& url) {
    return std::find(urls.begin(), urls.end(), url) != urls.end();
  };
  for (const RelayUrl& url : list.write) {
    out.tags.push_back({"r", url.text()});
    if (!in(list.read, url)) out.tags.back().push_back("write");
  }
  for (const RelayUrl& url : list.read) {
    if (!in(list.write, url)) out.tags.push_back({"r", url.text(), "read"});
  }
  return out;
}

std::optional<RelayList> newest_relay_list(std::span<const Event> events, const PublicKey& author) {
  const Event* newest = nullptr;
  for (const Event& event : events) {
    if (event.kind != kRelayListKind || event.pubkey != author) continue;
    if (newest == nullptr || supersedes(event, *newest)) newest = &event;
  }
  if (newest == nullptr) return std::nullopt;
  auto list = parse_relay_list(*newest);
  if (!list || (list->write.empty() && list->read.empty())) return std::nullopt;
  return std::move(*list);
}

bool is_public_host(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return is_public_ipv4(ntohl(v4.s_addr));
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return is_public_ipv6(v6);
  const std::string_view name =
      host.ends_with('.') ? std::string_view(host).substr(0, host.size() - 1) : host;
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view top = name.substr(dot + 1);
  // A number at the end is an address in a spelling that resolvers take ("127.1", "0x7f.1").
  if (top.empty() || (top[0] >= '0' && top[0] <= '9')) return false;
  for (const std::string_view local : {"local", "localhost", "internal", "lan", "home", "intranet",
                                       "private", "corp", "test", "invalid", "onion", "arpa"}) {
    if (top == local) return false;
  }
  return true;
}

std::vector<RelayUrl> usable_relays(const std::vector<RelayUrl>& listed,
                                    const std::vector<RelayUrl>& own) {
  std::vector<RelayUrl> out;
  for (const RelayUrl& url : listed) {
    if (out.size() == kMaxAuthorRelays) break;
    const bool ours = std::any_of(
        own.begin(), own.end(), [&](const RelayUrl& known) { return known.host() == url.host(); });
    if (ours || (url.tls() && is_public_host(url.host()))) add(out, url);
  }
  return out;
}

}  // namespace ipnscast::nostr
