#include "ipnscast/nostr/net/socket_door.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace ipnscast::nostr::net {

Status SocketDoor::open() {
  const auto refused = [] {
    return fail(Errc::io, std::string("cannot open a Unix socket: ") + std::strerror(errno));
  };
  listener_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener_) return refused();
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  // Without a path the kernel picks a free abstract name. unix(7), "Autobind feature"
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&name), sizeof(sa_family_t)) != 0 ||
      ::listen(listener_.get(), 128) != 0) {
    return refused();
  }
  socklen_t size = sizeof(name);
  if (::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    return refused();
  }
  const size_t length = size - sizeof(sa_family_t) - 1;  // without the zero byte in front
  address_ = "+@" + std::string(name.sun_path + 1, length);
  return {};
}

bool SocketDoor::pass(UniqueFd connected, int lws_fd) {
  const bool passed = ::dup3(connected.get(), lws_fd, O_CLOEXEC) >= 0;
  sweep();
  return passed;
}

void SocketDoor::sweep() {
  for (;;) {
    const UniqueFd knock(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!knock) return;
  }
}

}  // namespace ipnscast::nostr::net
