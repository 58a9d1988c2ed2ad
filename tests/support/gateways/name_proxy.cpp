#include "ipnscast/tests/support/gateways/name_proxy.h"

#include <sys/socket.h>

#include <cstdint>
#include <utility>

namespace ipnscast::test {
namespace {

std::string take(int fd, size_t count) {
  std::string out(count, '\0');
  const ssize_t got = ::recv(fd, out.data(), count, MSG_WAITALL);
  out.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return out;
}

}  // namespace

std::vector<std::string> NameProxy::take_asked() {
  const std::lock_guard lock(mutex_);
  return std::exchange(asked_, {});
}

// RFC 1928: no authentication, CONNECT, names only.
void NameProxy::talk(int client) {
  const std::string greeting = take(client, 2);
  if (greeting.size() == 2) take(client, static_cast<unsigned char>(greeting[1]));
  give(client, "\x05\x00", 2);
  const std::string head = take(client, 5);
  if (head.size() == 5 && head[3] == '\x03') {
    const std::string host = take(client, static_cast<unsigned char>(head[4]));
    const std::string port_bytes = take(client, 2);
    const auto port = static_cast<uint16_t>(static_cast<unsigned char>(port_bytes[0]) * 256 +
                                            static_cast<unsigned char>(port_bytes[1]));
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(host + ":" + std::to_string(port));
    }
    const auto relay = listener_.connect(port);
    const char answer[] = {5, static_cast<char>(relay ? 0 : 5), 0, 1, 127, 0, 0, 1, 0, 0};
    give(client, answer, sizeof(answer));
    if (relay) pump(client, *relay, [this](char*, size_t count) { received_ += count; });
  }
}

}  // namespace ipnscast::test
