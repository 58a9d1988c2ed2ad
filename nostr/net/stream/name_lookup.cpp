#include "ipnscast/nostr/net/stream/name_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "ipnscast/nostr/net/stream/address_order.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kMaxLookups = 1024;
constexpr size_t kMaxAddresses = 8;

tl::unexpected<NameLookup::Failure> lookup_failure(const std::string& host, int error) {
  switch (error) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
      return tl::unexpected(
          NameLookup::Failure{host + ": there is no such host: check the name", true});
    case EAI_AGAIN:
      return tl::unexpected(NameLookup::Failure{
          host + ": the name server did not answer: is the network up?", false});
    default:
      return tl::unexpected(
          NameLookup::Failure{host + ": name look-up: " + gai_strerror(error), false});
  }
}

// `end` in small letters. A dot behind the host says nothing.
bool ends_in(std::string_view host, std::string_view end) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() < end.size()) return false;
  host.remove_prefix(host.size() - end.size());
  return std::equal(host.begin(), host.end(), end.begin(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

NameLookup::Found resolve(const std::string& host) {
  if (NameLookup::is_localhost(host)) return std::vector<std::string>{"::1", "127.0.0.1"};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error == EAI_NONAME || error == EAI_ADDRFAMILY) {
    // AI_ADDRCONFIG hides loopback names on a machine without any other address.
    hints.ai_flags = 0;
    error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  }
  if (error != 0) return lookup_failure(host, error);
  std::vector<std::string> out;
  for (const addrinfo* a = found; a != nullptr && out.size() < kMaxAddresses; a = a->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(a->ai_addr, a->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    if (std::find(out.begin(), out.end(), text.data()) == out.end()) out.emplace_back(text.data());
  }
  freeaddrinfo(found);
  if (out.empty()) return lookup_failure(host, EAI_NODATA);
  return families_taking_turns(out);
}

}  // namespace

NameLookup::NameLookup()
    : workers_({.name = "dns", .threads = 1, .queued = kMaxLookups}, [](Question& question) {
        if (!question.asker.expired()) question.done(resolve(question.host));
      }) {}

NameLookup::~NameLookup() { workers_.drop(); }

bool NameLookup::is_onion(std::string_view host) { return ends_in(host, ".onion"); }

bool NameLookup::is_localhost(std::string_view host) {
  return ends_in("." + std::string(host), ".localhost");
}

bool NameLookup::is_loopback(const std::string& host) {
  if (is_localhost(host)) return true;
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
  in6_addr six{};
  return inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool NameLookup::is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> out;
  return inet_pton(AF_INET, host.c_str(), out.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), out.data()) == 1;
}

void NameLookup::look_up(std::string host, std::weak_ptr<void> asker, Done done) {
  if (is_onion(host)) {
    return done(tl::unexpected(Failure{
        host + " is reached through Tor only: set a proxy, e.g. socks5://127.0.0.1:9050", true}));
  }
  Question question{std::move(host), std::move(asker), std::move(done)};
  if (!workers_.try_push(question)) {
    question.done(tl::unexpected(
        Failure{question.host + ": too many names are being looked up: is the network up?"}));
  }
}

}  // namespace ipnscast::nostr::net
