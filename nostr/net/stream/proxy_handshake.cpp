#include "ipnscast/nostr/net/stream/proxy_handshake.h"

#include <arpa/inet.h>

#include <algorithm>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/file/secret_file.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kMaxHeadBytes = 8192;
constexpr size_t kMaxName = 255;  // RFC 1928 section 5

constexpr char kSocksVersion = 5;
constexpr char kNoCredentials = 0;
constexpr char kUserPassword = 2;
constexpr char kConnect = 1;
constexpr char kIpv4 = 1;
constexpr char kName = 3;
constexpr char kIpv6 = 4;

// RFC 1928 section 6; from 0xF0 on Tor's own (its proposal 304).
const char* socks_reply_text(uint8_t reply) {
  switch (reply) {
    case 1:
      return "general failure";
    case 2:
      return "its rules do not allow this relay";
    case 3:
      return "it has no network";
    case 4:
      return "it cannot reach or find the relay's host";
    case 5:
      return "the relay refused the connection";
    case 6:
      return "the relay did not answer in time";
    case 7:
      return "it does not know CONNECT";
    case 8:
      return "it does not know this kind of address";
    case 0xf0:
      return "the onion service was not found: check the address";
    case 0xf1:
      return "the onion service's descriptor is invalid";
    case 0xf2:
    case 0xf3:
      return "the onion service could not be reached";
    case 0xf4:
    case 0xf5:
      return "the onion service wants client authorisation";
    case 0xf6:
      return "the onion address is invalid";
    case 0xf7:
      return "the onion service did not answer in time";
    default:
      return "unknown failure";
  }
}

const char* http_status_text(int status) {
  switch (status) {
    case 401:
    case 407:
      return " (it wants a user and a password, or others: http://USER:PASSWORD@HOST:PORT)";
    case 403:
      return " (its rules do not allow this relay)";
    case 404:
    case 502:
    case 503:
    case 504:
      return " (it could not reach the relay)";
    default:
      return "";
  }
}

// type, address and port as SOCKS5 writes them. RFC 1928 section 4
std::string socks_address(const std::string& host, uint16_t port) {
  std::string out;
  in_addr v4;
  in6_addr v6;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    out += kIpv4;
    out.append(reinterpret_cast<const char*>(&v4), sizeof(v4));
  } else if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    out += kIpv6;
    out.append(reinterpret_cast<const char*>(&v6), sizeof(v6));
  } else {
    out += kName;
    out += static_cast<char>(host.size());
    out += host;
  }
  out += static_cast<char>(port >> 8);
  out += static_cast<char>(port & 0xff);
  return out;
}

// The status of "HTTP/1.1 200 ...", or 0. RFC 9112 section 4
int status_of(std::string_view head) {
  if (!head.starts_with("HTTP/1.") || head.size() < 12 || head[8] != ' ') return 0;
  int status = 0;
  for (const char c : head.substr(9, 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return status;
}

}  // namespace

ProxyHandshake::ProxyHandshake(const ProxyUrl& proxy, std::string host, uint16_t port)
    : proxy_(proxy), host_(std::move(host)), port_(port) {
  if (host_.empty() || host_.size() > kMaxName) {
    fail("the relay's name is too long for it");
  } else if (proxy_.kind == ProxyKind::socks5) {
    begin_socks();
  } else {
    begin_http();
  }
}

ProxyHandshake::~ProxyHandshake() {
  wipe_text(output_);
  wipe_text(proxy_.password);
}

std::string ProxyHandshake::take_output() { return std::exchange(output_, {}); }

void ProxyHandshake::fail(std::string problem) {
  state_ = State::failed;
  problem_ = std::move(problem);
  wipe_text(output_);
}

size_t ProxyHandshake::feed(std::string_view bytes) {
  if (state_ != State::running) return 0;
  return proxy_.kind == ProxyKind::socks5 ? feed_socks(bytes) : feed_http(bytes);
}

void ProxyHandshake::begin_socks() {
  output_ += kSocksVersion;
  output_ += static_cast<char>(proxy_.user.empty() ? 1 : 2);
  output_ += kNoCredentials;
  if (!proxy_.user.empty()) output_ += kUserPassword;
  wanted_ = 2;
}

size_t ProxyHandshake::feed_socks(std::string_view bytes) {
  size_t used = 0;
  while (state_ == State::running && used < bytes.size()) {
    const size_t part = std::min(wanted_ - received_.size(), bytes.size() - used);
    received_.append(bytes.substr(used, part));
    used += part;
    if (received_.size() == wanted_) step_done();
  }
  return used;
}

void ProxyHandshake::step_done() {
  switch (step_) {
    case Step::method:
      return method_chosen();
    case Step::credentials:
      if (received_[1] != 0) return fail("it refused the user or the password");
      return request_socks();
    case Step::reply:
      return socks_replied();
    case Step::reply_address:
      state_ = State::open;
      return;
    case Step::http:
      return;
  }
}

void ProxyHandshake::method_chosen() {
  if (received_[0] != kSocksVersion)
    return fail("it does not speak SOCKS5: check its kind and port");
  if (received_[1] == kNoCredentials) return request_socks();
  if (received_[1] != kUserPassword || proxy_.user.empty()) {
    return fail(proxy_.user.empty()
                    ? "it wants a user and a password: socks5://USER:PASSWORD@HOST:PORT"
                    : "it takes no way of authentication that we know");
  }
  output_ += '\x01';
  output_ += static_cast<char>(proxy_.user.size());
  output_ += proxy_.user;
  output_ += static_cast<char>(proxy_.password.size());
  output_ += proxy_.password;
  received_.clear();
  step_ = Step::credentials;
}

void ProxyHandshake::request_socks() {
  output_ += kSocksVersion;
  output_ += kConnect;
  output_ += '\0';
  output_ += socks_address(host_, port_);
  received_.clear();
  step_ = Step::reply;
  wanted_ = 5;  // to the first byte of the bound address, which may be its length
}

void ProxyHandshake::socks_replied() {
  if (received_[0] != kSocksVersion) return fail("its answer is not SOCKS5");
  const auto reply = static_cast<uint8_t>(received_[1]);
  if (reply != 0) {
    return fail(std::string(socks_reply_text(reply)) + " (SOCKS5 reply " + std::to_string(reply) +
                ")");
  }
  const size_t first = static_cast<uint8_t>(received_[4]);
  switch (received_[3]) {
    case kIpv4:
      wanted_ = 4 + 4 + 2;
      break;
    case kIpv6:
      wanted_ = 4 + 16 + 2;
      break;
    case kName:
      wanted_ = 4 + 1 + first + 2;
      break;
    default:
      return fail("its answer is not SOCKS5");
  }
  step_ = Step::reply_address;
}

void ProxyHandshake::begin_http() {
  step_ = Step::http;
  const std::string place = (host_.find(':') == std::string::npos ? host_ : "[" + host_ + "]") +
                            ":" + std::to_string(port_);
  output_ = "CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\n";
  if (!proxy_.user.empty()) {
    std::string pair = proxy_.user + ":" + proxy_.password;
    output_ += "Proxy-Authorization: Basic " + to_base64(as_bytes(pair)) + "\r\n";
    wipe_text(pair);
  }
  output_ += "\r\n";
}

size_t ProxyHandshake::feed_http(std::string_view bytes) {
  size_t used = 0;
  while (state_ == State::running && used < bytes.size()) {
    received_ += bytes[used++];
    if (++http_bytes_ > kMaxHeadBytes) {
      fail("its answer is longer than 8 KiB");
    } else if (received_.back() == '\n' &&
               (received_.ends_with("\n\r\n") || received_.ends_with("\n\n"))) {
      http_replied();
    }
  }
  return used;
}

void ProxyHandshake::http_replied() {
  const int status = status_of(received_);
  if (status == 0) return fail("it does not speak HTTP: check its kind and port");
  received_.clear();
  if (status < 200) return;  // an interim answer
  if (status >= 300) return fail("HTTP " + std::to_string(status) + http_status_text(status));
  state_ = State::open;
}

}  // namespace ipnscast::nostr::net
