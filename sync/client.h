#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nostr/base/log.h"
#include "nostr/net/access.h"
#include "nostr/outbox.h"
#include "nostr/relay_url.h"
#include "nostr/signer.h"
#include "sync/gateway/providers.h"
#include "sync/ipfs/block_source.h"
#include "sync/ipfs/dag_scope.h"
#include "sync/ipfs/file_packer.h"
#include "sync/ipfs/ipns_record.h"
#include "sync/metrics.h"

namespace ipnscast::sync {

// Start here. A Client follows IPNS names and publishes under our own keys: it carries hints over
// Nostr relays, confirms every record, fetches and verifies the content, and hands each change over
// at least once, in order, also after a crash.
//
//   sync::Config config;
//   config.state_dir = "/var/lib/app";
//   config.relays = {*nostr::RelayUrl::parse("wss://relay.example")};
//   config.gateways = {{"http://127.0.0.1:8080"}};
//   config.trusted_authors = {author};
//   auto client = sync::Client::open(std::move(config));
//   (*client)->watch(name, {.on_change = [](const sync::Change& c) { apply(c); return Status{};
//   }});

enum class ChangeKind {
  change,       // another value, confirmed by a record
  refresh,      // the same value again: later EOL or higher sequence
  conflict,     // same sequence, two values; this one won on every device
  stale,        // the last good record has expired
  provisional,  // confirm = trusted: announced by a trusted author, not yet proved by a record
  confirmed,    // the provisional one is proved
  withdrawn,    // the provisional one turned out wrong, or an expired one is rejected
};
std::string_view to_string(ChangeKind kind);

// Where the news came from first.
enum class SourceKind { nostr, poll, websocket, sse, pubsub, local };
std::string_view to_string(SourceKind kind);

// One change of one name, as handed to the application.
struct Change {
  ChangeKind kind = ChangeKind::change;
  IpnsName name;
  Sequence sequence;
  std::string value;  // "/ipfs/<cid>[/path]" of the record
  std::optional<Cid>
      cid;  // the value's root, or its last link when the value is a chain; fetched and verified
  std::optional<Cid> previous;             // what was handed over before
  std::optional<std::string> other_value;  // of a conflict: the value that lost
  SourceKind source = SourceKind::poll;
  std::optional<nostr::PublicKey> author;  // of the hint
  bool unconfirmed_freshness = false;      // first contact, and only one source answered
  // Milliseconds since the hint or answer was seen.
  struct Timing {
    std::chrono::microseconds confirmed{0};
    std::chrono::microseconds fetched{0};
  } timing;
  UnixMillis seen;
};

// Whether unconfirmed hints of trusted authors are handed over.
enum class Confirm { always, trusted };
enum class ExpiredPolicy { last_good, reject };

struct WatchOptions {
  // Runs on the app thread, one at a time. An error makes the change come again later (1 s doubling
  // to 5 min); other names go on meanwhile.
  std::function<Status(const Change&)> on_change;
  // Looks at each new value before on_change does, on the app thread too: what it refuses is not
  // handed over, now or later, and the next version is looked at anew. May be empty.
  std::function<Status(const Change&, BlockSource&)> validate{};
  bool fetch_content = true;  // false: records only
};

// Where blocks and records are read and written. What it speaks is found by probing.
struct Gateway {
  std::string url;            // http://host[:port][/path]
  int tier = 1;               // 1 own nodes, 2 public, 3 slow
  std::string authorization;  // value of that header; secret
  gateway::Uses uses{};
};

struct Config {
  std::filesystem::path state_dir;  // one process at a time (lock)
  std::filesystem::path cache_dir;  // blocks; empty: <state_dir>/cache
  // A state directory that another process may hold, of which resolve() reads what is known of
  // names; nothing is written there. Empty: none.
  std::filesystem::path known_dir;
  std::vector<nostr::RelayUrl> relays;
  std::vector<Gateway> gateways;
  std::vector<nostr::PublicKey> trusted_authors;
  std::shared_ptr<nostr::Signer> signer;  // for publishing and AUTH; may be null
  std::string device_id;                  // empty: made and kept in the state directory
  std::string topic = "ipns-sync";
  std::vector<int> kinds = {30078};  // hints among own devices
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
  Milliseconds fetch_stall{5'000};
  size_t parallel = 8;  // fetches at a time, 1 to 64; others wait
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
  nostr::Quorum quorum;          // relays that must acknowledge a publish; not used without relays
  bool auth = true;              // prove to relays that ask for it (NIP-42) that the key is ours
  Milliseconds read_back{
      2'000};  // after which relays are asked for what they acknowledged; 0: never
  Milliseconds retry_min{1'000};  // waits between tries to publish
  Milliseconds retry_max{300'000};
  nostr::OutboxLimits outbox;
  Milliseconds publish_timeout{10'000};
};

// What became of a publish, place by place.
struct Outcome {
  struct Place {
    enum class Kind { node, router, relay };
    // What was to be brought there.
    enum class What { content, record, hint };
    Kind kind = Kind::relay;
    std::string url;
    bool ok = false;
    std::string detail;  // "acknowledged", "duplicate", "refused: ...", "no answer", ...
    Milliseconds took{0};
    bool newer = false;         // refused a record, as it has a newer one
    Sequence newer_sequence{};  // of that one, which was verified
    What what = What::hint;
    bool settled =
        false;  // not ok, and not tried again: refused for good, or it has something newer
  };
  IpnsName name;
  Cid cid;
  Sequence sequence;
  Bytes record;
  std::optional<nostr::EventId> hint;  // none: there is no relay, or no key to sign with
  std::vector<Place> places;
  bool quorum_met = false;
  bool queued = false;  // no node has the content yet, see PublishOptions::queue
  size_t relays_acknowledged = 0;
  std::chrono::microseconds packed{0};  // how long packing the path took

  // False: some place is still without it. What is owed there is committed, and goes on as long as
  // a client is open on this state directory.
  bool complete() const;
};

// How far the content is on its way to one node.
struct PublishProgress {
  std::string node;    // its URL
  uint64_t bytes = 0;  // that it has; of what it lacked when we began
  uint64_t total = 0;
};

struct PublishOptions {
  std::optional<Sequence> expect_sequence;  // compare-and-set: what the name is known to have now
  bool force = false;  // publish an empty state over a richer one, or go past a conflict
  // When no node takes the content now, the publish is committed all the same, provided that this
  // device knows the name's sequence (or `force`): content, record and hint go on from the outbox
  // as long as a client is open on this state directory. Until then readers cannot fetch it.
  bool queue = false;
  // Runs on a content thread, after each few megabytes at a node; must not block. Not after
  // publish() has returned.
  std::function<void(const PublishProgress&)> on_progress{};
};

// Whether a record that was asked for just now is good enough.
enum class Freshness { ask, cached };

struct GetProgress {
  uint64_t bytes = 0;  // received and verified
  uint64_t blocks = 0;
  uint64_t waiting = 0;  // blocks that are known to be missing; more may turn up below them
};

struct GetOptions {
  Milliseconds deadline{600'000};
  std::optional<ByteRange> bytes;  // of a file: only these are fetched and written
  bool symlinks = false;           // write those that stay inside; otherwise they are an error
  // Runs on a fetch thread, ten times a second at most; must not block.
  std::function<void(const GetProgress&)> on_progress;
};

// What is known of a name right now.
struct NameStatus {
  IpnsName name;
  Sequence sequence;
  std::string value;
  std::optional<Cid> cid;
  Eol eol;
  bool stale = false;
  bool handed_over = false;
};

// One answer of a raced resolution.
struct ResolveReport {
  struct Source {
    std::string url;
    std::string answer;  // "record", "not found", "error: ..."
    std::optional<Sequence> sequence;
    std::string value;
    Milliseconds took{0};
    std::optional<Eol> eol{};  // of the record
  };
  std::optional<IpnsRecord> best;  // valid now
  // The best of those that are sound but past their end of life.
  std::optional<IpnsRecord> expired{};
  std::vector<Source> sources;
  bool cut = false;  // the deadline came before all had answered
  // No source has what was known here before: they answered lower sequences.
  bool rollback = false;
  // Another value that was signed for the sequence of `best`: its publisher contradicts itself.
  std::optional<std::string> other_value{};
};

// What was learned of a gateway, in this run and those before.
struct GatewayStatus {
  std::string url;
  int score = 0;  // 0 to 100: answers, speed and honesty together
  // How often it answered, failed and lied; what is older counts less: half after a day, a lie half
  // after a week.
  double answers = 0;
  double failures = 0;
  double lies = 0;
  std::optional<Milliseconds> median;  // of its last answers
  UnixMillis at;                       // when that was so
};

// Private hints of our own key that relays gave since open().
struct PrivateHintCounters {
  uint64_t read = 0;
  uint64_t dropped = 0;  // did not decrypt, or are no hint of the name that their d hides
};

// Thread-safe. Destroying it closes it.
class Client {
 public:
  // Errc::conflict when another process holds the state directory; Errc::invalid for settings that
  // make no sense. Asks the signer for the key of private hints, where it has one to ask for.
  static Result<std::unique_ptr<Client>> open(Config config);
  virtual ~Client() = default;

  // Follows the name until unwatch() or close(). What is known of it is kept across restarts: call
  // watch() again after one. A change that is known but was not yet acknowledged by the handler is
  // handed over at once.
  virtual Status watch(const IpnsName& name, WatchOptions options) = 0;
  virtual void unwatch(const IpnsName& name) = 0;

  // Packs `path`, sends the blocks to all nodes, signs and commits a record with the next sequence,
  // sends it to all routers, and announces it. Waits for the outcome, publish_timeout at most; what
  // is not done by then goes on from the outbox. Errc::conflict for expect_sequence. Without
  // `queue` nothing is committed before one node has the content: Errc::timeout when none has it in
  // time, Errc::unreachable when none takes it. When a place turns out to have a newer record, ours
  // is signed once more above that one, unless expect_sequence is given.
  virtual Result<Outcome> publish(const IpnsKey& key, const std::filesystem::path& path,
                                  const PublishOptions& options = {}) = 0;
  // The same for content that the nodes already have.
  virtual Result<Outcome> publish_cid(const IpnsKey& key, const Cid& cid,
                                      const PublishOptions& options = {}) = 0;
  // Only the hint: name, cid, sequence and, when given, the record.
  virtual Result<Outcome> announce(const IpnsName& name, const Cid& cid, Sequence sequence,
                                   std::optional<IpnsRecord> record = {}) = 0;

  // Asks the relays to delete our hints of this name, those of earlier settings included (NIP-09,
  // by address), and keeps asking those that were away. What the relays have of older versions does
  // not come back; the record stays, and so do its renewals, which announce nothing until the next
  // publish() or announce() of the name. The outcome has the relays' answers only.
  virtual Result<Outcome> retract(const IpnsName& name) = 0;

  // As long as this client is open, the record of this key's name gets a later end of life before
  // half of record_lifetime is over: the same value under the same sequence, whichever device
  // published it, to all routers and as a hint. A copy of the key is kept until close().
  virtual Status keep_alive(const IpnsKey& key) = 0;

  // Asks everybody, and takes what is known here as an answer among the others. Places that answer
  // an older record of a name of ours than we know get ours.
  // Freshness::cached takes a record that was asked for less than record_cache ago.
  virtual Result<ResolveReport> resolve(const IpnsName& name, Milliseconds deadline,
                                        Freshness freshness = Freshness::ask) = 0;
  // Forgets what is cached of the name: its record, and who does not have it. metrics() tells how
  // often caches helped.
  virtual void invalidate(const IpnsName& name) = 0;
  // Fetches the file or directory that `path` names inside of cid (empty: cid itself), verified,
  // and writes it to `target` (absent before; appears whole). Nothing beside the path is fetched.
  // What was received is kept in the cache: a get that was interrupted goes on where it was.
  // Errc::not_found, Errc::mismatch (bytes are asked of what is no file, a path through a file),
  // Errc::conflict when the target is there, Errc::timeout, Errc::busy, Errc::io.
  virtual Status get(const Cid& cid, std::string_view path, const std::filesystem::path& target,
                     const GetOptions& options = {}) = 0;

  virtual std::vector<NameStatus> status() = 0;
  // Those of this configuration, and others that were used from this state directory within 90
  // days.
  virtual std::vector<GatewayStatus> gateways() = 0;
  virtual PrivateHintCounters private_hints() const = 0;
  // How often and how fast things were done since open(). Kept in the state directory too, every
  // ten seconds and on close().
  virtual Metrics metrics() = 0;
  // Drops the known sequence of a name, after data loss at its publisher.
  virtual Status forget(const IpnsName& name) = 0;

  // The blocks that were fetched and verified, for reading a change's content (unpacker.h,
  // path_resolver.h). The current version of a watched name and the last five are kept.
  virtual BlockSource& blocks() = 0;

  // Stops everything, top-down; what was accepted is committed. Idempotent.
  virtual void close() = 0;
};

}  // namespace ipnscast::sync
