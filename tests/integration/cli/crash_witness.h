#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/resolve/resolver.h"
#include "ipnscast/tests/support/test_seed.h"

namespace ipnscast::test {

// What stands outside of all processes that may be killed: sees every hint that the relay gets and
// asks the node for records, verifies each record itself, and remembers them all.
class Witness {
 public:
  Witness(const std::string& relay, const std::string& gateway);
  ~Witness();

  // Asks the node for the name's record and notes it.
  void look_at(const sync::IpnsName& name);

  // Some verified record of the name had this sequence and this root.
  bool proved(const sync::IpnsName& name, uint64_t sequence, const std::string& cid) const;
  // Sequences that two different records had.
  std::vector<std::string> used_twice() const;
  // (kind, name, sequence) for which this author signed more than one event.
  std::vector<std::string> announced_twice(const nostr::PublicKey& author) const;
  size_t records() const;

  // Puts an event on the relay, whatever becomes of it.
  void publish(const nostr::Event& event);

 private:
  void take(const nostr::Event& event);
  void note(const sync::IpnsName& name, const sync::IpnsRecord& record);

  struct Announced {
    nostr::PublicKey author;
    int kind = 0;
    std::string name;
    uint64_t sequence = 0;
    auto operator<=>(const Announced&) const = default;
  };

  std::unique_ptr<nostr::net::Loop> loop_;
  std::unique_ptr<sync::gateway::HttpClient> http_;
  sync::gateway::GatewayBook book_;
  std::unique_ptr<sync::Resolver> resolver_;
  std::unique_ptr<nostr::Pool> pool_;

  mutable std::mutex mutex_;
  // guarded by mutex_; the signed data of each record and its value
  std::map<std::pair<std::string, uint64_t>, std::map<Bytes, std::string, BytesLess>> records_;
  std::map<Announced, std::set<nostr::EventId>> announced_;
};

}  // namespace ipnscast::test
