#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "ipnscast/nostr/base/bytes.h"

namespace ipnscast::test {

// What a zone knows: TXT records (each a list of strings), and aliases.
struct DnsZone {
  std::map<std::string, std::vector<std::string>> texts;
  std::map<std::string, std::string> aliases;
  uint32_t ttl = 300;

  // The answer in wire format: the question, the aliases on the way and the texts, with owner names
  // compressed. A name that is not here does not exist. Nothing for what is no question.
  Bytes answer(ByteView question) const;
};

// A DNS server over UDP on a free loopback port.
class DnsServer {
 public:
  explicit DnsServer(DnsZone zone);
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  uint16_t port() const { return port_; }
  size_t questions() const { return questions_; }

 private:
  void serve();

  const DnsZone zone_;
  int socket_ = -1;
  uint16_t port_ = 0;
  std::atomic<size_t> questions_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace ipnscast::test
