#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ipnscast/bridge/announce/announcement.h"
#include "ipnscast/bridge/http/telemetry.h"
#include "ipnscast/nostr/event/signer.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/stream/access.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/client.h"

namespace ipnscast::bridge {

// Start here. The bridge watches IPNS names that nobody announces and tells the world: it polls the
// gateways, listens to pubsub where a node of ours offers it (sync/source/pubsub_listener.h),
// verifies each record, and publishes a hint for every change under its own key. What it announces
// is committed first, so that after a crash at any instant no change is lost and none is announced
// twice. It announces only what it verified itself and found newer than what it announced before,
// so that two bridges never feed each other (R32). A relay that prefers an event with an older
// state under its key gets the hint again, signed above that (R3).
//
//   auto bridge = Bridge::open({.state_dir = "/var/lib/ipnscast", .relays = ..., .gateways = ...,
//                               .names = ..., .signer = nostr::make_local_signer(std::move(key))});

struct BridgeOptions {
  std::filesystem::path state_dir;  // one process at a time (lock)
  // The state directory of whoever publishes and announces under the same key; empty: state_dir.
  // Names whose announcements were retracted there (Client::retract) are left alone until they are
  // published or announced again. It is read whenever something is to be announced, and never
  // written.
  std::filesystem::path publisher_dir{};
  std::vector<nostr::RelayUrl> relays{};
  std::vector<sync::Gateway> gateways{};
  std::vector<sync::IpnsName> names{};
  std::shared_ptr<nostr::Signer> signer{};
  std::vector<int> kinds{30078, 30079};  // addressable ones
  std::string topic = "ipns-sync";
  Milliseconds poll_min{5'000};  // S0-40
  Milliseconds poll_max{600'000};
  Milliseconds resolve_timeout{5'000};  // S0-40; instead of sync::Config::listen
  Milliseconds answer_by{2'000};        // as in sync::Config, like the next six
  Milliseconds slow_listen{60'000};
  Milliseconds settle{150};
  Milliseconds record_cache{60'000};
  Milliseconds not_found_cache{30'000};
  int breaker_failures = 3;
  Milliseconds breaker{30'000};
  size_t parallel_polls = 64;
  // Listen to IPNS over pubsub at gateways of tier 1 that turn out to be nodes which offer it
  // (S0-29), beside the polls.
  bool pubsub = true;
  nostr::net::Access access{};  // to relays; gateways use its ca_file too
  bool auth = true;             // prove to relays that ask for it (NIP-42) who we are
  nostr::Quorum quorum{};       // relays that must acknowledge an announcement
  // After which relays are asked for what they acknowledged; 0: never.
  Milliseconds read_back{2'000};
  Milliseconds retry_min{1'000};  // waits between tries to reach relays
  Milliseconds retry_max{300'000};
  Milliseconds publish_timeout{10'000};  // of one try
  nostr::OutboxLimits outbox{};
  nostr::net::Loop* loop = nullptr;  // to share one; it outlives the bridge. None: one of its own

  // A hint was committed. On the bridge thread; must not block.
  std::function<void(const Announcement&)> on_announced{};
  // What the relays made of one of its events: once the quorum has it, or after the first try. On
  // the outbox thread; must not block.
  std::function<void(const sync::IpnsName&, const nostr::PublishReport&)> on_report{};
};

struct BridgeStatus {
  uint64_t polls = 0;
  uint64_t failed_polls = 0;
  uint64_t changes = 0;    // another value was found
  uint64_t refreshes = 0;  // the same value in a better record
  uint64_t announcements = 0;
  uint64_t renewals = 0;
  uint64_t repairs = 0;  // announced again above an event that hid it

  // IPNS over pubsub: topics that are listened to now, counted at each node; messages that came, of
  // these records that verify, those that are none, and those that came too fast to be looked at.
  uint64_t pubsub_topics = 0;
  uint64_t pubsub_messages = 0;
  uint64_t pubsub_records = 0;
  uint64_t pubsub_bad = 0;
  uint64_t pubsub_skipped = 0;

  // Since when no gateway has answered any poll. Nothing: one does.
  std::optional<Instant> silent_since;
};

// Thread-safe. Destroying it closes it.
class Bridge {
 public:
  // Watches from now on. Errc::conflict when another process holds the state directory;
  // Errc::invalid for options that make no sense; Errc::io and Errc::unsupported for the state
  // file.
  static Result<std::unique_ptr<Bridge>> open(BridgeOptions options);
  ~Bridge();

  BridgeStatus status() const;
  // The same beside what was counted and timed, and what was learned of the gateways. Any thread.
  Telemetry telemetry() const;

  // Stops everything, top-down. What was announced and is not at its relays yet stays in the outbox
  // for the next start. Idempotent.
  void close();

 private:
  struct Impl;
  explicit Bridge(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::bridge
