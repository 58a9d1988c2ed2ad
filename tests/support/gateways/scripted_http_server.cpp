#include "ipnscast/tests/support/gateways/scripted_http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <stdexcept>

namespace ipnscast::test {
namespace {

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

// One request from `buffer` and the socket. False at the end of the connection.
bool read_request(int socket, std::string& buffer, ScriptedRequest& out) {
  const auto more = [&] {
    char chunk[65536];
    const ssize_t got = ::recv(socket, chunk, sizeof chunk, 0);
    if (got > 0) buffer.append(chunk, static_cast<size_t>(got));
    return got > 0;
  };
  size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return false;
  }
  std::string head = buffer.substr(0, end + 2);
  buffer.erase(0, end + 4);
  const size_t space = head.find(' ');
  out.method = head.substr(0, space);
  out.target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
  for (size_t at = head.find("\r\n") + 2; at < head.size();) {
    const size_t line_end = head.find("\r\n", at);
    const size_t colon = head.find(": ", at);
    if (colon < line_end) {
      std::string name = head.substr(at, colon - at);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      out.headers[name] = head.substr(colon + 2, line_end - colon - 2);
    }
    at = line_end + 2;
  }
  const auto length = out.headers.find("content-length");
  const size_t size = length == out.headers.end() ? 0 : std::stoul(length->second);
  while (buffer.size() < size) {
    if (!more()) return false;
  }
  out.body = buffer.substr(0, size);
  buffer.erase(0, size);
  return true;
}

void reset_on_close(int socket) {
  const linger now{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace

ScriptedHttpServer::ScriptedHttpServer(Script script) : script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("no loopback port to listen on");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

ScriptedHttpServer::~ScriptedHttpServer() { stop(); }

void ScriptedHttpServer::accept_loop() {
  while (true) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    std::lock_guard lock(mutex_);
    if (stopping_ || socket < 0) {
      if (socket >= 0) ::close(socket);
      return;
    }
    const int one = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void ScriptedHttpServer::serve(int socket) {
  std::string buffer;
  ScriptedRequest request;
  for (bool keep = true; keep && read_request(socket, buffer, request); request = {}) {
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const ScriptedAnswer what = script_(request);
    if (!wait(what.delay)) break;
    answer(socket, what, request.method == "HEAD", keep);
  }
  ::shutdown(socket,
             SHUT_RDWR);  // closed by stop(), so that its number is not taken again meanwhile
}

void ScriptedHttpServer::answer(int socket, const ScriptedAnswer& what, bool head_only,
                                bool& keep) {
  const bool chunked = !what.trailer.empty() || what.more;
  std::string head = "HTTP/1.1 " + std::to_string(what.status) + " Scripted\r\n";
  for (const auto& [name, value] : what.headers)
    head.append(name).append(": ").append(value).append("\r\n");
  head += chunked ? "Transfer-Encoding: chunked\r\n\r\n"
                  : "Content-Length: " + std::to_string(what.body.size()) + "\r\n\r\n";
  if (what.more) {
    keep = stream(socket, std::move(head), what);
    return;
  }
  keep = send_all(socket, head);
  if (head_only) return;
  std::string_view body = what.body;
  const size_t limit = std::min(
      {body.size(), what.stall_after.value_or(body.size()), what.cut_after.value_or(body.size())});
  body = body.substr(0, limit);
  const size_t slice = what.slice == 0 ? std::max<size_t>(body.size(), 1) : what.slice;
  for (size_t at = 0; keep && at < body.size(); at += slice) {
    const std::string_view part = body.substr(at, slice);
    if (chunked) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", part.size());
      keep = send_all(socket, size) && send_all(socket, part) && send_all(socket, "\r\n");
    } else {
      keep = send_all(socket, part);
    }
    if (what.pause.count() > 0 && !wait(what.pause)) keep = false;
  }
  if (what.stall_after) wait(Milliseconds(600'000));
  if (what.stall_after || what.cut_after) {
    keep = false;
    wait(Milliseconds(20));  // let the other side read what was sent: a reset throws it away
    reset_on_close(socket);
    return;
  }
  if (chunked) keep = keep && send_all(socket, "0\r\n" + what.trailer + "\r\n\r\n");
}

bool ScriptedHttpServer::stream(int socket, std::string head, const ScriptedAnswer& what) {
  std::string waiting = std::move(head);  // until there is a first byte
  for (std::optional<std::string> part = what.body; part; part = what.more()) {
    if (!part->empty()) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", part->size());
      if (!send_all(socket, waiting + size + *part + "\r\n")) return false;
      waiting.clear();
    } else {
      char gone = 0;
      if (::recv(socket, &gone, 1, MSG_PEEK | MSG_DONTWAIT) == 0 || !wait(Milliseconds(2)))
        return false;
    }
  }
  return send_all(socket, waiting + "0\r\n\r\n");
}

bool ScriptedHttpServer::wait(std::chrono::microseconds time) {
  std::unique_lock lock(mutex_);
  return !stopping_changed_.wait_for(lock, time, [&] { return stopping_; });
}

std::vector<ScriptedRequest> ScriptedHttpServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

size_t ScriptedHttpServer::count(const std::string& in_target) const {
  std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(
      requests_.begin(), requests_.end(),
      [&](const auto& request) { return request.target.find(in_target) != std::string::npos; }));
}

size_t ScriptedHttpServer::connections() const {
  std::lock_guard lock(mutex_);
  return threads_.size();
}

void ScriptedHttpServer::stop() {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  stopping_changed_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  for (std::thread& thread : threads_) thread.join();
  for (const int socket : sockets_) ::close(socket);
}

}  // namespace ipnscast::test
