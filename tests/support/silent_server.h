#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "ipnscast/tests/support/catch.h"

namespace ipnscast::test {

// Connections are made by the kernel, and nobody reads them.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(name);
    auto* const address = reinterpret_cast<sockaddr*>(&name);
    REQUIRE(::bind(socket_, address, size) == 0);
    REQUIRE(::listen(socket_, 512) == 0);
    REQUIRE(::getsockname(socket_, address, &size) == 0);
    port_ = std::to_string(ntohs(name.sin_port));
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() { ::close(socket_); }
  std::string url(const std::string& scheme) const { return scheme + "://127.0.0.1:" + port_; }

 private:
  int socket_;
  std::string port_;
};

}  // namespace ipnscast::test
