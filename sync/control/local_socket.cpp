#include "ipnscast/sync/control/local_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ipnscast::sync::control {
namespace {

constexpr int kWaiting = 64;

tl::unexpected<Error> socket_failure(const Folder& folder, const std::string& name) {
  return fail(Errc::io, (folder.path() / name).string() + ": " + std::strerror(errno));
}

// Addresses hold 107 bytes; this way they are short, whatever the directory is called.
Result<sockaddr_un> address_of(const Folder& folder, const std::string& name) {
  const std::string path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + name;
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (path.size() >= sizeof(out.sun_path)) return fail(Errc::invalid, name + ": a long name");
  std::memcpy(out.sun_path, path.data(), path.size());
  return out;
}

Result<Descriptor> new_socket() {
  Descriptor out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!out) return fail(Errc::io, std::string("a local socket: ") + std::strerror(errno));
  return out;
}

}  // namespace

Result<Descriptor> listen_in(const Folder& folder, const std::string& name) {
  const auto there = folder.look(name);
  if (!there) return fail(there.error());
  if (*there) {
    if (!S_ISSOCK((*there)->st_mode))
      return fail(Errc::conflict, (folder.path() / name).string() + ": is there and no socket");
    if (::unlinkat(folder.get(), name.c_str(), 0) != 0) return socket_failure(folder, name);
  }
  const auto address = address_of(folder, name);
  if (!address) return fail(address.error());
  auto out = new_socket();
  if (!out) return out;
  // Linux gives what bind() makes the mode of the socket, so that it is never open to others.
  if (::fchmod(out->get(), 0600) != 0 ||
      ::bind(out->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0 ||
      ::listen(out->get(), kWaiting) != 0) {
    return socket_failure(folder, name);
  }
  return out;
}

Result<Descriptor> connect_in(const Folder& folder, const std::string& name) {
  const auto address = address_of(folder, name);
  if (!address) return fail(address.error());
  auto out = new_socket();
  if (!out) return out;
  if (::connect(out->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED)
      return fail(Errc::not_found, (folder.path() / name).string() + ": nobody listens there");
    return socket_failure(folder, name);
  }
  if (auto ours = check_peer(out->get()); !ours) return fail(ours.error());
  return out;
}

Status check_peer(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return fail(Errc::io, std::string("the peer of a local socket: ") + std::strerror(errno));
  if (peer.uid == ::geteuid()) return {};
  return fail(Errc::refused, "process " + std::to_string(peer.pid) + " is another user's");
}

}  // namespace ipnscast::sync::control
