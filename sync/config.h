#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/event/signer.h"
#include "ipnscast/nostr/net/stream/access.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/change/change.h"
#include "ipnscast/sync/gateway/gateway.h"
#include "ipnscast/sync/gateway/providers.h"
#include "ipnscast/sync/ipfs/unixfs/file_packer.h"

namespace ipnscast::sync {

// What a publish may replace: the version that this device has taken in, or whatever is there.
enum class PublishOver { base, any };

struct Config {
  std::filesystem::path state_dir;  // one process at a time (lock)
  std::filesystem::path cache_dir;  // blocks; empty: <state_dir>/cache
  // Further files and directories of the program's own, such as its configuration, that publish()
  // refuses as it refuses state_dir and cache_dir.
  std::vector<std::filesystem::path> private_paths;
  // A state directory that another process may hold, of which resolve() reads what is known of
  // names; nothing is written there. Empty: none.
  std::filesystem::path known_dir;
  std::vector<nostr::RelayUrl> relays;
  std::vector<Gateway> gateways;
  std::vector<nostr::PublicKey> trusted_authors;
  std::shared_ptr<nostr::Signer> signer;  // for publishing and AUTH; may be null
  std::string device_id;                  // empty: made and kept in the state directory
  std::string topic = "ipns-sync";
  std::vector<int> kinds = {30078};  // hints among own devices; these and the next: 30000 to 39999
  std::vector<int> public_kinds = {30078, 30079};
  bool publish_public = false;  // announce under public_kinds too
  // Hints of ours are encrypted to our own key, under a `d` that hides the name: only devices with
  // this signer's key can follow them. Not with publish_public. Errc::refused from publishing for
  // the one name that anyone can compute from the key (IpnsName::from_nostr_key). Reading takes
  // plain and private hints of ours either way; with it, relays are not told which names we watch
  // (as long as our own key is the only trusted author, and `open` is off).
  bool private_hints = false;
  bool compat = true;  // ask for other spellings of the name in `d` too
  bool open = false;   // listen to any author, within a budget
  Confirm confirm = Confirm::always;
  ExpiredPolicy expired = ExpiredPolicy::last_good;
  nostr::net::Access access;  // to relays; gateways use its ca_file too

  // Push servers, beside the relays; each is told which names are followed.
  std::vector<nostr::RelayUrl> websocket;  // without a path: asked at /ws/ipns
  std::vector<std::string> sse;            // http(s) URLs, asked at /sse/ipns below them
  std::vector<std::string> w3name;         // http(s) URLs, asked at /name/NAME/watch below them
  bool pubsub = true;  // listen to IPNS over pubsub at own nodes (gateways of tier 1) that offer it

  Milliseconds poll_min{30'000};
  Milliseconds poll_max{60'000};
  Milliseconds poll_healthy{120'000};
  Milliseconds debounce{500};

  Milliseconds answer_by{2'000};
  Milliseconds listen{5'000};
  Milliseconds slow_listen{60'000};
  Milliseconds settle{150};              // RaceOptions::settle
  Milliseconds record_cache{60'000};     // a record is not asked for again for min(its TTL, this)
  Milliseconds not_found_cache{30'000};  // how long a gateway's "not found" is believed
  int breaker_failures = 3;              // in a row, until a gateway is left alone
  Milliseconds breaker{30'000};          // for so long; then one caller may try

  uint64_t fetch_max_bytes = uint64_t{4} << 30;
  uint64_t cache_bytes = uint64_t{1} << 30;
  // Of each name besides the current one: kept in the cache, and pinned at the nodes for names of
  // ours.
  size_t versions = 5;
  // Contents on disk are encrypted (AES-256-GCM) with a key that only this signer can give: the
  // cache of blocks, which holds the versions that are kept. What state_dir says of names and
  // records, which is public, is not. Needs a signer.
  bool encrypt_at_rest = false;
  Milliseconds fetch_stall{3'000};
  size_t parallel = 8;  // fetches at a time, 1 to 64; others wait
  // Handlers side by side, 1 to 64; for one name they run one after the other all the same. A
  // handler that takes longer while other names wait goes on beside the others (16 at most), unless
  // this is 1.
  size_t handler_lanes = 4;
  Milliseconds handler_timeout{
      600'000};  // then a change counts as not handed over, and comes again
  // Of each name, 1 to 100,000: versions that Client::history() and replay() know, and that wait
  // with WatchOptions::every_version. The oldest are dropped.
  size_t history_versions = 1'000;
  // Bytes of own publishes that stay in the cache besides cache_bytes: of those that were displaced
  // and not acknowledged (Client::lost), and of those that no node has yet. When displaced ones
  // have so many, nothing is published (Errc::refused) until some are acknowledged; when all have,
  // nothing more is queued. One of any size is queued when nothing else is kept.
  uint64_t kept_bytes = uint64_t{1} << 30;
  // Who is asked, beside the gateways, for content that none of them has: hosts that delegated
  // routers among them name as trustless gateways.
  gateway::ProviderHosts providers = gateway::ProviderHosts::public_only;

  PackProfile profile = kKubo256k;  // how published content is cut into blocks
  std::chrono::nanoseconds record_lifetime = std::chrono::hours(48);
  std::chrono::nanoseconds record_ttl = std::chrono::minutes(5);
  bool record_v1 = true;
  // Put the signer's key and the relays into the signed data of our records, so that whoever
  // resolves a name finds its announcements. Not with private_hints.
  bool record_announcer = false;
  bool record_previous = false;  // link each record to the value before
  // Which of the own nodes (gateways of tier 1) decides between the devices that write one name:
  // its URL, or "none". Empty: the first that can and that is not at a loopback address, see
  // choose_decider(). The same on all devices.
  std::string publish_decider;
  PublishOver publish_over = PublishOver::base;  // any: as PublishOptions::replace
  nostr::Quorum quorum;  // relays that must acknowledge a publish; not used without relays
  bool auth = true;      // prove to relays that ask for it (NIP-42) that the key is ours
  Milliseconds read_back{
      2'000};  // after which relays are asked for what they acknowledged; 0: never
  Milliseconds retry_min{1'000};  // waits between tries to publish
  Milliseconds retry_max{300'000};
  nostr::OutboxLimits outbox;
  // For the record and its announcement, once a node has the content. That takes as long as it
  // takes while bytes move: publish_stall is the longest time in which none does.
  Milliseconds publish_timeout{10'000};
  Milliseconds publish_stall{30'000};
  // How long it may take until all places and relays show what was published.
  Milliseconds publish_settle{2'000};
  // Records say which publishes of which devices they contain, so that a device learns for certain
  // whether its own was built upon. It shows the public how many devices write a name.
  bool publish_vector = true;
  // What people should know and no change says: that the content of a new value cannot be fetched,
  // that no source has answered for three seconds, and when one does again. Of one name, or of all
  // that are followed. It stands in the log too. On the sync thread; must not block.
  std::function<void(const std::optional<IpnsName>&, const std::string&)> on_trouble;
  // Tell our other devices, under our own key and encrypted to it, that there is this one and what
  // its application has taken in (Client::devices). Needs relays and a signer.
  bool announce_device = true;
  std::string device_name;  // for people; empty: this machine's
  // Other processes of this user may have this client publish and the like, see Client::attach():
  // it listens at "control.sock" in the state directory (mode 0600).
  bool take_commands = false;
  // This state was made for one run and is gone after it: publishes leave no trace of this device.
  bool publish_job = false;
};

}  // namespace ipnscast::sync
