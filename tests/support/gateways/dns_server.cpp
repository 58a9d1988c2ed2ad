#include "ipnscast/tests/support/gateways/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace ipnscast::test {
namespace {

void put16(Bytes& out, size_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

void put_name(Bytes& out, const std::string& name) {
  for (size_t at = 0; at < name.size();) {
    const size_t end = std::min(name.find('.', at), name.size());
    out.push_back(static_cast<uint8_t>(end - at));
    append(out, as_bytes(std::string_view(name).substr(at, end - at)));
    at = end + 1;
  }
  out.push_back(0);
}

struct Owner {
  std::string name;
  size_t at;  // where it stands in the message
};

void put_record(Bytes& out, const Owner& owner, uint16_t type, uint32_t ttl, const Bytes& data) {
  put16(out, 0xc000 | owner.at);
  put16(out, type);
  put16(out, 1);
  put16(out, ttl >> 16);
  put16(out, ttl & 0xffff);
  put16(out, data.size());
  append(out, data);
}

// TXT data: strings of 255 bytes at most.
Bytes text_data(const std::string& text) {
  Bytes out;
  for (size_t at = 0; at < text.size() || at == 0; at += 255) {
    const std::string_view part = std::string_view(text).substr(at, 255);
    out.push_back(static_cast<uint8_t>(part.size()));
    append(out, as_bytes(part));
  }
  return out;
}

}  // namespace

Bytes DnsZone::answer(ByteView question) const {
  if (question.size() < 17) return {};
  std::string name;
  size_t at = 12;
  while (at < question.size() && question[at] != 0) {
    if (at + 1 + question[at] >= question.size()) return {};
    if (!name.empty()) name += '.';
    name += as_text(question.subspan(at + 1, question[at]));
    at += 1 + question[at];
  }
  if (at + 5 > question.size()) return {};
  Bytes records;
  size_t count = 0;
  const size_t base = at + 5;
  Owner owner{name, 12};
  for (auto alias = aliases.find(owner.name); alias != aliases.end() && count < 20;
       alias = aliases.find(owner.name)) {
    Bytes target;
    put_name(target, alias->second);
    put_record(records, owner, 5, ttl, target);
    owner = {alias->second, base + records.size() - target.size()};
    ++count;
  }
  const auto found = texts.find(owner.name);
  const bool known = count > 0 || found != texts.end();
  if (found != texts.end()) {
    for (const std::string& text : found->second) {
      put_record(records, owner, 16, ttl, text_data(text));
      ++count;
    }
  }
  Bytes out = to_bytes(question.subspan(0, 2));
  put16(out, known ? 0x8180 : 0x8183);
  put16(out, 1);
  put16(out, count);
  put16(out, 0);
  put16(out, 0);
  append(out, question.subspan(12, base - 12));
  append(out, records);
  return out;
}

DnsServer::DnsServer(DnsZone zone) : zone_(std::move(zone)) {
  socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (socket_ < 0 || ::bind(socket_, generic, size) != 0 ||
      ::getsockname(socket_, generic, &size) != 0) {
    throw std::runtime_error("no loopback port for a DNS server");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

DnsServer::~DnsServer() {
  stopping_ = true;
  ::shutdown(socket_, SHUT_RDWR);
  // A datagram socket is woken by one more datagram.
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  const int waker = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ::sendto(waker, "", 1, 0, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::close(waker);
  thread_.join();
  ::close(socket_);
}

void DnsServer::serve() {
  uint8_t buffer[4096];
  while (!stopping_) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got =
        ::recvfrom(socket_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (stopping_ || got < 0) return;
    const Bytes answer = zone_.answer(ByteView(buffer, static_cast<size_t>(got)));
    if (answer.empty()) continue;
    ++questions_;
    ::sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from),
             size);
  }
}

}  // namespace ipnscast::test
