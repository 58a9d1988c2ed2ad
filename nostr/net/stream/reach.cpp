#include "ipnscast/nostr/net/stream/reach.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "ipnscast/nostr/net/stream/name_lookup.h"

namespace ipnscast::nostr::net {
namespace {

constexpr const char* kWhatToDo = "if you know and trust it, name it yourself (relays.urls)";

}  // namespace

tl::expected<UniqueFd, ConnectFailure> begin_connect(const std::string& address, uint16_t port,
                                                     NamedBy named_by) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return tl::unexpected(ConnectFailure{EADDRNOTAVAIL});
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> target(found, &::freeaddrinfo);
  if (named_by == NamedBy::others && !is_public_address(*target->ai_addr))
    return tl::unexpected(ConnectFailure{EACCES, true});
  UniqueFd socket(::socket(target->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return tl::unexpected(ConnectFailure{errno});
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (::connect(socket.get(), target->ai_addr, target->ai_addrlen) != 0 && errno != EINPROGRESS)
    return tl::unexpected(ConnectFailure{errno});
  return socket;
}

std::optional<std::string> refused_by_proxy(const RelayUrl& url) {
  if (url.named_by() == NamedBy::configuration || NameLookup::is_onion(url.host()) ||
      is_public_address(url.host())) {
    return std::nullopt;
  }
  return "relay \"" + url.text() +
         "\" is not used: somebody else named it, and behind a proxy we cannot check that it is "
         "outside of your network; " +
         kWhatToDo;
}

std::string forbidden_text(const RelayUrl& url, const std::string& address) {
  const std::string leads = url.host() == address ? "" : " (" + address + ")";
  return "relay \"" + url.text() + "\" is not used: somebody else named it, and its address" +
         leads + " is not public; " + kWhatToDo;
}

}  // namespace ipnscast::nostr::net
