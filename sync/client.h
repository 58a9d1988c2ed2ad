#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "ipnscast/sync/change/change.h"
#include "ipnscast/sync/change/conflict.h"
#include "ipnscast/sync/change/handled.h"
#include "ipnscast/sync/config.h"
#include "ipnscast/sync/devices/device.h"
#include "ipnscast/sync/engine/handler_health.h"
#include "ipnscast/sync/ipfs/ipld/block_source.h"
#include "ipnscast/sync/ipfs/unixfs/dag_scope.h"
#include "ipnscast/sync/metrics/metrics.h"
#include "ipnscast/sync/publish/outcome.h"
#include "ipnscast/sync/resolve/resolve_report.h"
#include "ipnscast/sync/state/status.h"

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

struct WatchOptions {
  // Returns Handled, a Status, or nothing. Runs on a lane's thread: for one name one call at a
  // time, names side by side (Config::handler_lanes). An error makes the change come again later (1
  // s doubling to 5 min), as does a handler that throws, which Config::on_trouble tells, and one
  // that has not returned after Config::handler_timeout: what it returns later has no effect, and
  // the next call may come while it still runs. Other names go on meanwhile.
  OnChange on_change;
  // Sees each value before any hand-over that carries it (change, confirmed, provisional, conflict,
  // refresh), on the same thread. An error refuses it as Handled::reject() does; one that throws is
  // asked again. The next version is looked at anew. May be empty.
  std::function<Status(const Change&, BlockSource&)> validate{};
  // Decides what becomes of a publish of this device that was displaced by a version that does not
  // contain it (ChangeKind::lost, `certain`); on the same thread as on_change, which is there too.
  // When several devices collide, those that lost are asked after a random 0 to 2 s. Asked again
  // when it fails (1 s doubling to 5 min), when something newer displaces both, and after a
  // restart. What it has merged comes to on_change as a change. May be empty: what is newest stays.
  std::function<Result<Resolution>(const Conflict&)> on_conflict{};
  // Instead of on_change: the changes of this name come to Client::next_change().
  bool pull = false;
  bool fetch_content = true;  // false: records only
  // What on_change takes is what the application publishes on next (PublishOptions::based_on).
  // false: it only looks.
  bool takes_in = true;
  // Every version that is heard is handed over, in order, and not only the newest: those that wait
  // are kept in the state file, the latest Config::history_versions of them. false: a newer one
  // takes the place of those that wait. What is heard only after a newer one is never handed over.
  // The content of a version that was replaced may be gone: when nobody has it for five minutes,
  // the version comes without `cid`.
  bool every_version = false;
};

// What an application heard by itself.
struct ToldNews {
  IpnsName name;
  std::optional<Cid> cid;
  std::optional<Sequence> sequence;  // nothing: unknown
  Bytes record;                      // an IPNS record; empty: none
  std::string from;                  // for people: where it was heard (Change::source says app)
};

// A change that was taken by Client::next_change().
struct TakenChange {
  uint64_t id = 0;  // for Client::acknowledge(); of this client only
  Change change;
};

struct GetProgress {
  uint64_t bytes = 0;  // received and verified
  uint64_t blocks = 0;
  uint64_t waiting = 0;  // blocks that are known to be missing; more may turn up below them
};

struct GetOptions {
  // In all. It also ends when no new block has come for ten minutes.
  Milliseconds deadline{std::chrono::hours(24)};
  std::optional<ByteRange> bytes;  // of a file: only these are fetched and written
  // Errc::invalid when it is no file; of a directory no more is fetched than its own blocks.
  bool file_only = false;
  bool symlinks = false;  // write those that stay inside; otherwise they are an error
  bool metadata = true;   // give files the permissions and times that the content has
  // Runs on a fetch thread, ten times a second at most; must not block.
  std::function<void(const GetProgress&)> on_progress;
  std::stop_token stop{};  // asked to stop, it ends with Errc::cancelled, and nothing is written
};

// Thread-safe. Destroying it closes it. Calls that wait for others take a stop token, in their
// options or last: they end within 100 ms of its request, with Errc::cancelled. What was committed
// by then stays so. Calls in flight when the client is closed end with Errc::closed.
class Client {
 public:
  // Errc::conflict when another process holds the state directory; Errc::invalid for settings that
  // make no sense. Asks the signer for the key of private hints, where it has one to ask for.
  static Result<std::unique_ptr<Client>> open(Config config);
  // A client beside the process that holds config.state_dir and takes commands
  // (Config::take_commands). What writes is done by that one: publish(), publish_cid(), announce(),
  // retract(), take_in(), lost(), acknowledge_lost(), forget(); it is asked for devices(), too.
  // Keys stay here: it asks for each signature. It has to be configured as this one, for what
  // decides where and how it publishes; Errc::invalid, naming the setting, where it is not. All
  // else is done here, on a state of its own: under a label (letters, digits, - and _, 64 at most)
  // one that is kept, STATE/as/LABEL, which one process may use at a time; without, one that is
  // gone with the client, so that what is watched begins at the current version. blocks() has those
  // of that state. keep_alive() is Errc::unsupported. When the holder ends, calls in flight are
  // Errc::closed, and later ones Errc::not_found until there is one again. Errc::not_found when
  // nobody takes commands there.
  static Result<std::unique_ptr<Client>> attach(Config config, std::string label = "");
  virtual ~Client() = default;

  // Follows the name until unwatch() or close(). What is known of it is kept across restarts: call
  // watch() again after one. A change that is known but was not yet acknowledged by the handler is
  // handed over at once. What this client publishes itself is not handed back to it.
  virtual Status watch(const IpnsName& name, WatchOptions options) = 0;
  virtual void unwatch(const IpnsName& name) = 0;

  // The next change of the names that are watched with WatchOptions::pull, whichever waits longest;
  // the validator runs in here. Of each name one at a time, and the next when it is acknowledged.
  // What nobody takes stays in the state file, and of it the newest comes. From any number of
  // threads. Errc::timeout at the deadline (one that has passed: only what is there now),
  // Errc::cancelled, Errc::closed.
  virtual Result<TakenChange> next_change(std::stop_token stop = {},
                                          std::optional<Instant> deadline = {}) = 0;
  // What became of it: as what on_change returns. Without it until Config::handler_timeout after
  // next_change(), or until the client ends, the change comes again, `attempt` one higher. It is
  // committed behind this call, before close() returns. Errc::not_found when no such change is to
  // be acknowledged: it was already, it took too long, or its name is not watched any more.
  virtual Status acknowledge(uint64_t id, const Handled& handled = {}) = 0;
  // A descriptor for poll() and its like, which can be read as long as next_change() need not wait.
  // Do not read from it, nor close it; it ends with the client. Errc::io.
  virtual Result<int> event_fd() = 0;

  // Packs `path`, sends the blocks to all nodes, signs and commits a record with the next sequence,
  // sends it to all routers, and announces it. Waits for the outcome (PublishOptions::deadline);
  // what is not done by then goes on from the outbox. As with `git push`: Errc::conflict when
  // somebody has a better record with another value than the one that this was made on (based_on),
  // or another sequence than expect_sequence. What turns out later to have been displaced is told
  // by ChangeKind::lost. Without `queue` nothing is committed before one node has the content:
  // Errc::timeout when none has it in time, Errc::unreachable when none takes it. Errc::timeout,
  // too, when the node that decides may have stored it but does not say so. Errc::refused for a
  // path that holds our own files (state_dir, cache_dir, private_paths) or lies among them,
  // whatever it is called.
  virtual Result<Outcome> publish(const IpnsKey& key, const std::filesystem::path& path,
                                  const PublishOptions& options = {}) = 0;
  // The same for content that the nodes already have.
  virtual Result<Outcome> publish_cid(const IpnsKey& key, const Cid& cid,
                                      const PublishOptions& options = {}) = 0;
  // Only the hint: name, cid, sequence and, when given, the record. `trust_clock`: as
  // PublishOptions::trust_clock, `deadline` as PublishOptions::deadline.
  virtual Result<Outcome> announce(const IpnsName& name, const Cid& cid, Sequence sequence,
                                   std::optional<IpnsRecord> record = {}, std::stop_token stop = {},
                                   bool trust_clock = false,
                                   std::optional<Instant> deadline = {}) = 0;

  // Asks the relays to delete our hints of this name, those of earlier settings included (NIP-09,
  // by address), and keeps asking those that were away. What the relays have of older versions does
  // not come back; the record stays, and so do its renewals, which announce nothing until the next
  // publish() or announce() of the name. The outcome has the relays' answers only.
  virtual Result<Outcome> retract(const IpnsName& name, std::stop_token stop = {},
                                  std::optional<Instant> deadline = {}) = 0;

  // As long as this client is open, the record of this key's name gets a later end of life before
  // half of record_lifetime is over: the same value under the same sequence, whichever device
  // published it, to all routers and as a hint. A copy of the key is kept until close().
  virtual Status keep_alive(const IpnsKey& key) = 0;

  // The application has taken this version of the name in: what it publishes next is made on it.
  virtual Status take_in(const IpnsName& name, const IpnsRecord& record) = 0;
  // Publishes of this device that were displaced by versions which do not contain them
  // (ChangeKind::lost), until they are acknowledged or published again. Of names that were written
  // from this state directory.
  virtual std::vector<LostPublish> lost(const IpnsName& name) = 0;
  // Errc::not_found when there are none.
  virtual Status acknowledge_lost(const IpnsName& name) = 0;

  // The application heard of a change by a way of its own (S0-37). Without a record that verifies
  // it is a claim as a stranger's, which is asked about, but within no budget. Names that are not
  // followed are passed over. Errc::invalid for news with neither CID nor record; for a record that
  // does not hold for the name, what is wrong with it.
  virtual Status tell(const ToldNews& news) = 0;

  // Asks everybody, and takes what is known here as an answer among the others. Places that answer
  // an older record of a name of ours than we know get ours.
  // Freshness::cached takes a record that was asked for less than record_cache ago.
  virtual Result<ResolveReport> resolve(const IpnsName& name, Milliseconds deadline,
                                        Freshness freshness = Freshness::ask,
                                        std::stop_token stop = {}) = 0;
  // Forgets what is cached of the name: its record, and who does not have it. metrics() tells how
  // often caches helped.
  virtual void invalidate(const IpnsName& name) = 0;
  // Fetches the file or directory that `path` names inside of cid (empty: cid itself), verified,
  // and writes it to `target` (absent before; appears whole). Nothing beside the path is fetched.
  // What was received is kept in the cache: a get that was interrupted goes on where it was. What
  // is not removed at the deadline stays beside the target under a hidden name, for the next one.
  // Errc::not_found, Errc::mismatch (bytes are asked of what is no file, a path through a file),
  // Errc::conflict when the target is there, Errc::timeout, Errc::busy, Errc::io.
  virtual Status get(const Cid& cid, std::string_view path, const std::filesystem::path& target,
                     const GetOptions& options = {}) = 0;

  // Our devices, as they say themselves (Config::announce_device): those that the relays have by
  // the deadline, the latest word first. One that was silent for 90 days is left out. Errc::invalid
  // without relays and a Nostr key; Errc::timeout when no relay answered.
  virtual Result<std::vector<Device>> devices(Instant deadline, std::stop_token stop = {}) = 0;
  // The same, as soon as so many other devices have taken in this version of the name, or one after
  // it. Those that have; at the deadline that may be fewer.
  virtual Result<std::vector<Device>> wait_applied(const IpnsName& name, const Version& version,
                                                   size_t count, Instant deadline,
                                                   std::stop_token stop = {}) = 0;

  // The versions of a name that were heard while it was followed, newest first, at most so many
  // and no more than Config::history_versions. Errc::io.
  virtual Result<std::vector<HeardVersion>> history(const IpnsName& name, size_t most = 1'000) = 0;
  // Hands the versions that were seen at this time or later over once more (Change::replay), oldest
  // first, to on_change or next_change(), and then goes on with what is new, which waits. Versions
  // that were refused are left out. They are acknowledged as all others; it is committed behind
  // this call and goes on after a crash, once the name is watched again. A second call begins anew;
  // unwatch() ends it. Errc::not_found when there are none, Errc::invalid when the name is not
  // watched with a handler.
  virtual Status replay(const IpnsName& name, UnixMillis since) = 0;

  virtual std::vector<NameStatus> status() = 0;
  // Those of this configuration, and others that were used from this state directory within 90
  // days.
  virtual std::vector<GatewayStatus> gateways() = 0;
  virtual PrivateHintCounters private_hints() const = 0;
  virtual HandlerHealth handlers() const = 0;
  // How often and how fast things were done since open(). Kept in the state directory too, every
  // ten seconds and on close().
  virtual Metrics metrics() = 0;
  // Drops the known sequence of a name, after data loss at its publisher.
  virtual Status forget(const IpnsName& name) = 0;

  // The blocks that were fetched and verified, for reading a change's content (unpacker.h,
  // path_resolver.h). The current version of a watched name and the last five are kept.
  virtual BlockSource& blocks() = 0;

  // Stops everything, top-down; what was accepted is committed. Waits for the calls in flight and,
  // five seconds, for handlers; those that still run then keep what they use and are left alone.
  // From any thread, by several at once. In a handler (also by destroying the client there) it
  // waits for all others, and the last one to leave ends the rest; in on_progress it waits for
  // nobody.
  virtual void close() = 0;
};

}  // namespace ipnscast::sync
