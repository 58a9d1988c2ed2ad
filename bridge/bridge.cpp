#include "ipnscast/bridge/bridge.h"

#include <algorithm>
#include <mutex>

#include "ipnscast/bridge/daemon.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/store/file_lock.h"
#include "ipnscast/nostr/outbox/sender.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/hint/hint_kinds.h"
#include "ipnscast/sync/metrics/meter.h"
#include "ipnscast/sync/source/pubsub_listener.h"
#include "ipnscast/sync/state/gateway_memory.h"
#include "ipnscast/sync/state/retracted_names.h"
#include "ipnscast/sync/state/state_reading.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/sync/state/state_view.h"

namespace ipnscast::bridge {
namespace {

constexpr size_t kInbox = 4096;

Status check(const BridgeOptions& options) {
  if (options.names.empty()) return fail(Errc::invalid, "bridge: no names to watch");
  if (options.relays.empty()) return fail(Errc::invalid, "bridge: no relays to announce at");
  if (options.gateways.empty()) return fail(Errc::invalid, "bridge: no gateways to ask");
  if (!options.signer) return fail(Errc::invalid, "bridge: no key to sign with");
  if (auto fits = options.quorum.fits(options.relays); !fits) return fits;
  if (options.retry_min <= Milliseconds(0) || options.retry_max < options.retry_min)
    return fail(Errc::invalid, "retry: want a lower and an upper bound");
  if (options.breaker_failures < 1) return fail(Errc::invalid, "breaker_failures: want 1 or more");
  if (options.poll_min <= Milliseconds(0) || options.poll_max < options.poll_min)
    return fail(Errc::invalid, "poll: want a lower and an upper bound");
  if (auto kinds = sync::check_hint_kinds(options.kinds); !kinds)
    return fail(kinds.error().within("public_kinds"));
  return {};
}

std::vector<sync::gateway::GatewayBook::Entry> book_entries(const BridgeOptions& options) {
  std::vector<sync::gateway::GatewayBook::Entry> out;
  for (const sync::Gateway& gateway : options.gateways)
    out.push_back({{gateway.url, gateway.authorization}, gateway.tier, gateway.uses});
  return out;
}

std::vector<sync::gateway::Endpoint> nodes_to_hear(const BridgeOptions& options) {
  return options.pubsub ? sync::pubsub_nodes(options.gateways)
                        : std::vector<sync::gateway::Endpoint>();
}

// Streams keep their connections, so they have a client of their own. Null without nodes.
Result<std::unique_ptr<sync::gateway::HttpClient>> open_stream_client(
    const BridgeOptions& options) {
  const size_t nodes = nodes_to_hear(options).size();
  if (nodes == 0) return nullptr;
  const sync::PubsubConnections wanted = sync::pubsub_connections(nodes);
  sync::gateway::HttpClientOptions out;
  out.ca_file = options.access.ca_file;
  out.connections_per_host = wanted.per_host;
  out.connections = wanted.all;
  out.thread = "http-streams";
  return sync::gateway::HttpClient::open(out);
}

sync::ResolverOptions resolver_options(const BridgeOptions& options) {
  sync::ResolverOptions out;
  out.race.listen = options.resolve_timeout;
  out.race.answer_by = std::min(options.answer_by, options.resolve_timeout);
  out.race.slow_listen = options.slow_listen;
  out.race.settle = options.settle;
  out.cache.longest = options.record_cache;
  // A poll that comes sooner than "not found" is forgotten would ask nobody.
  out.cache.negative = std::min(options.not_found_cache, options.poll_min / 2);
  out.cache.names = std::max(out.cache.names, options.names.size());
  return out;
}

// What the state file holds at start.
struct Stored {
  std::vector<AnnouncedName> announced;
  sync::CreatedAtAllocator created_at;
};

Result<Stored> load(store::Database& db) {
  Stored out;
  auto announced = load_announced(db);
  if (!announced) return fail(announced.error());
  out.announced = std::move(*announced);
  const auto marks = sync::load_created_at(db);
  if (!marks) return fail(marks.error());
  for (const auto& [address, mark] : *marks) out.created_at.restore(address, mark);
  return out;
}

// Whether the user took the announcements of a name back. Where that cannot be read, it is taken
// for yes: what is missing can be announced later.
Daemon::LeftAlone left_alone(const std::filesystem::path& state_dir) {
  return [state_dir](const sync::IpnsName& name) {
    bool retracted = false;
    const Status read = sync::read_state_file(state_dir, [&](store::Database& db) -> Status {
      const auto found = sync::is_retracted(db, name);
      if (!found) return fail(found.error());
      retracted = *found;
      return {};
    });
    if (!read) log_warning("bridge", "what was retracted cannot be read: " + read.error().message);
    return retracted || !read;
  };
}

}  // namespace

struct Bridge::Impl {
  Impl(BridgeOptions o, store::FileLock l, std::unique_ptr<store::Database> db,
       std::unique_ptr<nostr::net::Loop> own_loop,
       std::unique_ptr<sync::gateway::HttpClient> http_client,
       std::unique_ptr<sync::gateway::HttpClient> stream_client)
      : options(std::move(o)),
        lock(std::move(l)),
        writer(std::move(db)),
        loop(std::move(own_loop)),
        http(std::move(http_client)),
        stream_http(std::move(stream_client)),
        book(book_entries(options), {options.breaker_failures, options.breaker}),
        inbox(std::make_shared<DaemonInbox>(kInbox)) {}

  nostr::OutboxSender::Options sender_options() const;
  void start(Stored stored);
  void close();

  const BridgeOptions options;

  // In the order in which they depend on each other; stopped from the last to the first.
  store::FileLock lock;
  store::Writer writer;
  std::unique_ptr<nostr::net::Loop> loop;
  std::unique_ptr<nostr::Pool> pool;
  std::unique_ptr<nostr::OutboxSender> sender;
  std::unique_ptr<sync::gateway::HttpClient> http;
  std::unique_ptr<sync::gateway::HttpClient> stream_http;  // null: no pubsub
  sync::gateway::GatewayBook book;
  sync::Meter meter;
  std::unique_ptr<sync::Resolver> resolver;
  const std::shared_ptr<DaemonInbox> inbox;
  std::unique_ptr<Daemon> daemon;
  std::unique_ptr<sync::PubsubListener> listener;  // null: no pubsub
  std::once_flag closed;

  std::mutex health_mutex;
  Instant last_connected = std::chrono::steady_clock::now();  // guarded by health_mutex
};

nostr::OutboxSender::Options Bridge::Impl::sender_options() const {
  nostr::OutboxSender::Options out;
  out.retry.first = options.retry_min;
  out.retry.last = options.retry_max;
  out.deadline = options.publish_timeout;
  out.read_back.reset();
  if (options.read_back > Milliseconds(0)) out.read_back = options.read_back;
  out.limits = options.outbox;
  out.on_superseded = [inbox = inbox](const nostr::Event& ours, const nostr::Event& newer) {
    inbox->push_reserved(HintSuperseded{ours, newer});
  };
  return out;
}

void Bridge::Impl::start(Stored stored) {
  nostr::PoolOptions pool_options;
  pool_options.relays = options.relays;
  if (options.auth) pool_options.signers = {options.signer};
  pool_options.access = options.access;
  pool = nostr::Pool::start(loop ? *loop : *options.loop, std::move(pool_options));
  sender = std::make_unique<nostr::OutboxSender>(*pool, writer, sender_options());
  resolver = std::make_unique<sync::Resolver>(*http, book, resolver_options(options), &meter);

  // All of these answer requests of the bridge thread, which bounds their number.
  const Watcher::Post post_poll = [inbox = inbox](PollUpdate update) {
    inbox->push_reserved(std::move(update));
  };
  const Republisher::Post post_step = [inbox = inbox](RepublishStep step) {
    std::visit([&](auto& one) { inbox->push_reserved(std::move(one)); }, step);
  };
  const Scheduler::Options schedule{options.poll_min, options.poll_max, options.parallel_polls};
  daemon = std::make_unique<Daemon>(
      inbox, Watcher(*resolver, Scheduler(schedule, make_rng()), post_poll),
      Republisher(options.signer, writer, *sender, std::move(stored.created_at),
                  {options.kinds, options.topic, options.relays, options.quorum, options.outbox},
                  post_step, options.on_report),
      writer, std::move(stored.announced),
      left_alone(options.publisher_dir.empty() ? options.state_dir : options.publisher_dir),
      options.on_announced);
  daemon->start(options.names);
  if (!stream_http) return;
  // Waits while the bridge thread is behind; that never waits for the listener.
  const auto on_record = [inbox = inbox](const sync::IpnsName& name, sync::KnownRecord record,
                                         const std::string& node, bool heard) {
    inbox->push(
        PollUpdate{name, 0, std::move(record), node + (heard ? " (pubsub)" : ""), false, false});
  };
  listener = std::make_unique<sync::PubsubListener>(
      *http, *stream_http, nodes_to_hear(options),
      sync::PubsubListener::Handlers{.record = on_record, .health = {}});
  listener->follow(options.names);
}

void Bridge::Impl::close() {
  std::call_once(closed, [this] {
    if (listener) listener->close();
    daemon->stop();
    resolver->close();
    if (stream_http) stream_http->close();
    http->close();
    sync::save_gateways_now(book, writer);
    sender.reset();
    pool.reset();
    writer.close();
  });
}

Result<std::unique_ptr<Bridge>> Bridge::open(BridgeOptions options) {
  if (auto checked = check(options); !checked) return fail(checked.error());
  auto lock = store::FileLock::acquire(options.state_dir);
  if (!lock) return fail(lock.error());
  auto db = store::Database::open(options.state_dir / "state.sqlite",
                                  {nostr::outbox_schema(), sync::sync_schema(), bridge_schema()});
  if (!db) return fail(db.error());
  auto stored = load(**db);
  if (!stored) return fail(stored.error());
  std::unique_ptr<nostr::net::Loop> loop;
  if (options.loop == nullptr) {
    auto started = nostr::net::Loop::start();
    if (!started) return fail(started.error());
    loop = std::move(*started);
  }
  sync::gateway::HttpClientOptions http_options;
  http_options.ca_file = options.access.ca_file;
  auto http = sync::gateway::HttpClient::open(http_options);
  if (!http) return fail(http.error());
  auto stream_http = open_stream_client(options);
  if (!stream_http) return fail(stream_http.error());
  auto impl = std::make_unique<Impl>(std::move(options), std::move(*lock), std::move(*db),
                                     std::move(loop), std::move(*http), std::move(*stream_http));
  if (auto remembered = sync::remember_gateways(impl->book, impl->writer); !remembered)
    return fail(remembered.error());
  impl->start(std::move(*stored));
  return std::unique_ptr<Bridge>(new Bridge(std::move(impl)));
}

Bridge::Bridge(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Bridge::~Bridge() { close(); }

void Bridge::close() { impl_->close(); }

BridgeStatus Bridge::status() const {
  BridgeStatus out = impl_->daemon->status();
  if (!impl_->listener) return out;
  const sync::PubsubCounts heard = impl_->listener->counts();
  out.pubsub_topics = heard.topics;
  out.pubsub_messages = heard.messages;
  out.pubsub_records = heard.records;
  out.pubsub_bad = heard.bad;
  out.pubsub_skipped = heard.skipped;
  return out;
}

Telemetry Bridge::telemetry() const {
  const BridgeStatus now = status();
  Telemetry out;
  out.counters = {{"ipnscast_bridge_names", impl_->options.names.size()},
                  {"ipnscast_bridge_polls_total", now.polls},
                  {"ipnscast_bridge_failed_polls_total", now.failed_polls},
                  {"ipnscast_bridge_changes_total", now.changes},
                  {"ipnscast_bridge_refreshes_total", now.refreshes},
                  {"ipnscast_bridge_announcements_total", now.announcements},
                  {"ipnscast_bridge_renewals_total", now.renewals},
                  {"ipnscast_bridge_repairs_total", now.repairs},
                  {"ipnscast_bridge_pubsub_topics", now.pubsub_topics},
                  {"ipnscast_bridge_pubsub_messages_total", now.pubsub_messages},
                  {"ipnscast_bridge_pubsub_records_total", now.pubsub_records},
                  {"ipnscast_bridge_pubsub_bad_total", now.pubsub_bad},
                  {"ipnscast_bridge_pubsub_skipped_total", now.pubsub_skipped}};
  out.metrics = impl_->meter.snapshot();
  out.prometheus = impl_->meter.prometheus_text();
  for (const auto& memory : impl_->book.memories(system_now()))
    out.gateways.push_back(sync::gateway_status(memory));
  const Instant time = std::chrono::steady_clock::now();
  bool connected = false;
  for (const nostr::RelayStatus& relay : impl_->pool->status()) {
    out.metrics.sources.push_back({"relay", relay.url.text(), relay.connected});
    connected = connected || relay.connected;
  }
  for (size_t i = 0; i < impl_->book.size(); ++i)
    out.metrics.sources.push_back(
        {"gateway", impl_->book.endpoint(i).url, !impl_->book.left_alone(i, time)});
  {
    const std::lock_guard lock(impl_->health_mutex);
    if (connected) impl_->last_connected = time;
    if (time >= impl_->last_connected + sync::Silence::kAfter)
      out.troubles.push_back("no relay is connected: nothing can be announced");
  }
  if (now.silent_since && time >= *now.silent_since + sync::Silence::kAfter) {
    const auto seconds = std::chrono::duration_cast<Seconds>(time - *now.silent_since).count();
    out.troubles.push_back("no gateway has answered for " + std::to_string(seconds) + " s");
  }
  return out;
}

}  // namespace ipnscast::bridge
