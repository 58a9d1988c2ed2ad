#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ipnscast/nostr/event/message.h"
#include "ipnscast/nostr/event/relay_url.h"

namespace ipnscast::test {

// A relay in memory with a fault for each switch; without any it is a good one. Knows no socket and
// no clock: it takes frames and gives frames.
class FaultyRelay {
 public:
  enum class Ties { lowest, highest, first, last };
  struct Faults {
    std::set<int> refuses_kinds;
    std::set<int> auth_to_write;  // kinds that want NIP-42 before an EVENT
    std::set<int> owner_only;     // kinds that want NIP-42 as their author, to write and to read
    std::set<int> hides_from_strangers;  // kinds that are served to their author, silently
    bool refuses_auth = false;           // whatever is proved
    bool no_ok = false;                  // stores and says nothing
    bool lies = false;                   // OK true, and drops it
    bool no_eose = false;
    bool keeps_versions = false;
    bool older_replaces = false;  // whatever comes last stays
    Ties ties = Ties::lowest;
    bool ignores_d = false;  // in stored events
    bool ignores_d_live = false;
    bool deaf = false;    // no live events
    bool alters = false;  // changes the content that it serves
    bool ignores_deletion = false;
    bool forgets_deletion = false;    // an older copy may come again
    bool serves_late = false;         // the first REQ after an EVENT shows what was before
    bool loses_after_reads = false;   // everything is gone after the twentieth REQ
    bool drops_after_writes = false;  // closes the connection at the sixth EVENT
    bool floods = false;              // endless notices
    bool negentropy = false;
    std::optional<Bytes> negentropy_answer{};  // instead of the right one
    size_t rate_limit_every = 0;               // refuses each n-th EVENT
    size_t max_subscriptions = 100;
    size_t max_content = 100'000;
  };
  struct Said {
    uint64_t to = 0;
    std::string frame;  // empty: the connection is closed
  };
  using Saying = std::vector<Said>;

  FaultyRelay(Faults faults, nostr::RelayUrl url)
      : faults_(std::move(faults)), url_(std::move(url)) {}

  Saying opened(uint64_t who);
  void closed(uint64_t who) { clients_.erase(who); }
  Saying hears(uint64_t who, const std::string& frame);

  const std::vector<nostr::Event>& stored() const { return stored_; }
  size_t writes() const { return writes_; }
  size_t auths() const { return auths_; }
  size_t connections() const { return connections_; }

 private:
  struct Client {
    std::string challenge;
    std::set<nostr::PublicKey> authed;
    std::map<std::string, std::vector<nostr::Filter>> subscriptions;
  };

  void on(uint64_t who, const nostr::PublishRequest& request, Saying& out);
  void on(uint64_t who, const nostr::ReqRequest& request, Saying& out);
  void on(uint64_t who, const nostr::CloseRequest& request, Saying& out);
  void on(uint64_t who, const nostr::AuthRequest& request, Saying& out);
  void on(uint64_t who, const nostr::NegOpenRequest& request, Saying& out);

  std::optional<std::string> refusal(const Client& client, const nostr::Event& event) const;
  bool store(const nostr::Event& event);
  bool stays(const nostr::Event& old, const nostr::Event& event) const;
  void remove(const nostr::Event& request);
  bool visible(const Client& client, const nostr::Event& event) const;
  bool fits(std::vector<nostr::Filter> filters, const nostr::Event& event, bool ignore_d) const;

  const Faults faults_;
  const nostr::RelayUrl url_;
  std::map<uint64_t, Client> clients_;
  std::vector<nostr::Event> stored_;
  std::vector<nostr::Event> before_;  // the last EVENT
  bool behind_ = false;
  std::set<nostr::EventId> deleted_;
  size_t writes_ = 0;
  size_t auths_ = 0;
  size_t connections_ = 0;
  size_t reads_ = 0;
};

}  // namespace ipnscast::test
