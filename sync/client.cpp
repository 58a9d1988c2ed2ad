#include "ipnscast/sync/client.h"

#include <algorithm>
#include <thread>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/client_control.h"
#include "ipnscast/sync/client_handle.h"
#include "ipnscast/sync/config_check.h"
#include "ipnscast/sync/holder_facts.h"
#include "ipnscast/sync/keys/own_secret.h"
#include "ipnscast/sync/state/gateway_memory.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

constexpr Seconds kMetricsInterval{10};
constexpr std::string_view kAtRestInfo = "ipnscast-at-rest-v1";
// A fetch always ends, and knows itself when nothing comes any more.
constexpr Milliseconds kFetchTime = std::chrono::hours(24);
constexpr Milliseconds kShortestTry{1'000};
// Past the time in which places answer, until whoever asked them has to come back.
constexpr Milliseconds kAskGrace{3'000};

}  // namespace

Result<std::unique_ptr<Client>> Client::open(Config config) {
  auto client = std::make_shared<ClientImpl>(std::move(config));
  if (auto started = client->start(); !started) return fail(started.error());
  return std::make_unique<ClientHandle>(std::move(client));
}

Status ClientImpl::start() {
  if (auto checked = check_config(); !checked) return checked;
  if (auto opened = open_state(); !opened) return opened;
  if (auto opened = open_private_names(); !opened) return opened;
  if (auto opened = open_network(); !opened) return opened;
  open_threads();
  if (auto loaded = publisher_->load(); !loaded) return loaded;
  follow_what_is_open();
  repairing_ = publisher_.get();
  publisher_->start();
  if (config_.take_commands) take_commands();
  return {};
}

// Not every file system has sockets: then others find the directory in use, as without.
void ClientImpl::take_commands() {
  auto serving = control::ControlServer::start(
      config_.state_dir, holder_facts(config_),
      [weak = weak_from_this()](control::Call& call) -> Result<nlohmann::json> {
        auto client = weak.lock();
        if (!client) return fail(Errc::closed, "the client is closed");
        ClientHandle handle(std::move(client), ClientHandle::At::control);
        return serve_call(handle, call);
      });
  if (serving)
    control_ = std::move(*serving);
  else
    log_warning("client", "other programs cannot give commands: " + serving.error().message);
}

Status ClientImpl::check_config() {
  if (config_.state_dir.empty()) return fail(Errc::invalid, "a state directory is needed");
  if (const auto fault = find_fault(config_))
    return fail(Errc::invalid, std::string(fault->setting) + ": " + fault->why);
  if (config_.encrypt_at_rest && !config_.signer)
    return fail(Errc::invalid, "encrypting at rest needs a Nostr key or a remote signer");
  if (!config_.relays.empty()) {
    if (auto fits = config_.quorum.fits(config_.relays); !fits) return fits;
  }
  if (config_.cache_dir.empty()) config_.cache_dir = config_.state_dir / "cache";
  return {};
}

Status ClientImpl::open_state() {
  auto lock = store::FileLock::acquire(config_.state_dir);
  if (!lock) return fail(lock.error());
  lock_.emplace(std::move(*lock));
  auto database = store::Database::open(config_.state_dir / kStateFile,
                                        {nostr::outbox_schema(), sync_schema()});
  if (!database) return fail(database.error());
  writer_ = std::make_unique<store::Writer>(std::move(*database));
  auto identity = DeviceIdentity::open(*writer_, config_.device_id);
  if (!identity) return fail(identity.error());
  identity_ = std::move(*identity);
  return {};
}

Status ClientImpl::open_private_names() {
  if (!config_.signer) return {};
  auto names = sync::open_private_names(*config_.signer, *writer_, config_.private_hints);
  if (names) {
    private_names_ = std::move(*names);
    return {};
  }
  if (config_.private_hints) return fail(names.error());
  log_warning("client", "private hints will not be read: " + names.error().message);
  return {};
}

Status ClientImpl::open_network() {
  auto loop = nostr::net::Loop::start();
  if (!loop) return fail(loop.error());
  loop_ = std::move(*loop);
  gateway::HttpClientOptions http;
  http.ca_file = config_.access.ca_file;
  http.witness = witness_;
  auto client = gateway::HttpClient::open(http);
  if (!client) return fail(client.error());
  http_ = std::move(*client);
  if (auto opened = open_stream_client(); !opened) return opened;
  auto entries = gateway::book_entries(config_.gateways);
  if (!entries) return fail(entries.error());
  book_ = std::make_unique<gateway::GatewayBook>(
      std::move(*entries), gateway::BreakerOptions{config_.breaker_failures, config_.breaker});
  if (auto remembered = remember_gateways(*book_, *writer_); !remembered) return remembered;
  return open_cache();
}

Status ClientImpl::open_cache() {
  BlockCacheOptions options;
  options.max_bytes = config_.cache_bytes;
  options.versions = config_.versions;
  options.meter = &meter_;
  if (config_.encrypt_at_rest) {
    auto key = own_secret(*config_.signer, *writer_, kAtRestInfo, "at_rest_key", true);
    if (!key) return fail(key.error().within("the key of what is encrypted at rest"));
    options.at_rest = std::make_shared<const AtRest>(std::move(**key));
  }
  auto cache = BlockCache::open(config_.cache_dir, options);
  if (!cache) return fail(cache.error().within(config_.cache_dir.string()));
  cache_ = std::move(*cache);
  return {};
}

void ClientImpl::open_threads() {
  ResolverOptions resolver;
  resolver.race.answer_by = config_.answer_by;
  resolver.race.listen = config_.listen;
  resolver.race.slow_listen = config_.slow_listen;
  resolver.race.settle = config_.settle;
  resolver.cache.longest = config_.record_cache;
  resolver.cache.negative = config_.not_found_cache;
  resolver_ = std::make_unique<Resolver>(*http_, *book_, resolver, &meter_);
  FetcherOptions fetcher;
  fetcher.threads = config_.parallel;
  fetcher.providers = config_.providers;
  fetcher.meter = &meter_;
  fetcher_ = std::make_unique<Fetcher>(*http_, *book_, *cache_, fetcher);
  records_ = std::make_unique<RecordSender>(*http_, *book_);
  contents_ = std::make_unique<ContentSender>(*http_, *book_, *cache_, config_.publish_stall);
  if (!config_.relays.empty()) {
    nostr::PoolOptions pool;
    pool.relays = config_.relays;
    if (config_.signer && config_.auth) pool.signers = {config_.signer};
    pool.access = config_.access;
    pool.witness = witness_;
    pool.verify_threads = std::clamp(std::thread::hardware_concurrency(), 2U, 5U) - 1;
    pool_ = nostr::Pool::start(*loop_, std::move(pool));
    outbox_ = std::make_unique<nostr::OutboxSender>(*pool_, *writer_, outbox_options());
    if (config_.announce_device && config_.signer) open_presence();
  }
  publisher_ = std::make_unique<Publisher>(
      Publisher::Parts{*writer_, *http_, *book_, *resolver_, *cache_, *records_, *contents_,
                       outbox_.get(), pool_.get(), config_.signer, witness_},
      publisher_options(),
      Publisher::Notify{[this](const SentEvent& event) {
                          sync_->note(input::Sent{event.id, event.address, event.created_at});
                        },
                        [this](const IpnsName& name) {
                          if (sync_) sync_->note(input::Written{name});
                        },
                        [this] { take_another_identity(); },
                        [this](const IpnsName& name, const writer_action::AskResolution& about) {
                          if (!sync_) return;
                          sync_->handlers().ask(name, [this, name, about] { decide(name, about); });
                        }});
  const auto known = std::make_shared<KnownHints>();
  SyncThread::Options options = sync_options();
  options.sources = sources(known);
  sync_ = std::make_unique<SyncThread>(
      SyncThread::Parts{*writer_, *resolver_, *fetcher_, *cache_, &publisher_->written(), known},
      std::move(options));
  tell_own_past();
}

void ClientImpl::follow_what_is_open() {
  for (const IpnsName& name : publisher_->written_names()) sync_->tell(input::Written{name});
}

// What this device signed before, so that its own echoes are recognised.
void ClientImpl::tell_own_past() {
  std::vector<SentEvent> sent;
  const Status read = writer_->run([&](store::Database& db) -> Status {
    auto events = load_sent(db);
    if (!events) return fail(events.error());
    sent = std::move(*events);
    return {};
  });
  if (!read) log_error("client", read.error().message);
  for (const SentEvent& event : sent)
    sync_->tell(input::Sent{event.id, event.address, event.created_at});
}

// One object says who we are, so the next record and hint are signed by the new one.
void ClientImpl::take_another_identity() {
  sync_->note(input::DeviceId{identity_->renew()});
  publisher_->identity_changed();
  if (presence_) presence_->renamed(identity_->id());
}

SyncThread::Options ClientImpl::sync_options() {
  SyncThread::Options out;
  out.engine.trusted_authors = config_.trusted_authors;
  if (config_.signer) out.engine.own_key = config_.signer->public_key();
  out.engine.device_id = identity_->id();
  out.engine.confirm = config_.confirm;
  out.engine.expired = config_.expired;
  out.engine.secret_names = config_.private_hints;
  out.engine.poll.min = config_.poll_min;
  out.engine.poll.max = config_.poll_max;
  out.engine.poll.healthy = config_.poll_healthy;
  out.engine.debounce = config_.debounce;
  out.engine.answer_by = config_.answer_by;
  out.engine.slow_listen = config_.slow_listen;
  out.engine.fetch_timeout = kFetchTime;
  out.fetch.max_bytes = config_.fetch_max_bytes;
  out.fetch.stall = config_.fetch_stall;
  out.handlers.lanes = config_.handler_lanes;
  out.handlers.timeout = config_.handler_timeout;
  out.engine.handler_timeout = config_.handler_timeout;
  out.engine.history_versions = config_.history_versions;
  out.on_resolved = [this](const IpnsName& name, const ResolveReport& report) {
    publisher_->saw(name, report);
  };
  out.on_taken = [this](const IpnsName& name, const Version& version) {
    note_taken(name, version);
  };
  out.on_trouble = config_.on_trouble;
  out.on_turn = [this] { save_metrics_in_turn(); };
  out.on_clone = [this] { take_another_identity(); };
  return out;
}

Publisher::Options ClientImpl::publisher_options() const {
  Publisher::Options out;
  out.relays = config_.relays;
  out.kinds = config_.kinds;
  for (const int kind : config_.public_kinds) {
    const bool known = std::find(out.kinds.begin(), out.kinds.end(), kind) != out.kinds.end();
    if (config_.publish_public && !known) out.kinds.push_back(kind);
  }
  out.topic = config_.topic;
  out.private_hints = config_.private_hints;
  out.private_names = private_names_;
  out.identity = identity_;
  out.profile = config_.profile;
  out.lifetime = config_.record_lifetime;
  out.ttl = config_.record_ttl;
  out.v1 = config_.record_v1;
  out.announcer = config_.record_announcer;
  out.previous = config_.record_previous;
  out.quorum = config_.quorum;
  out.outbox = config_.outbox;
  out.timeout = config_.publish_timeout;
  out.answer_by = config_.answer_by;
  out.writer.ask_by = config_.answer_by + kAskGrace;
  out.decider = config_.publish_decider;
  out.over_any = config_.publish_over == PublishOver::any;
  out.writer.settle = config_.publish_settle;
  out.writer.handler_timeout = config_.handler_timeout;
  out.writer.vector = config_.publish_vector;
  out.writer.job = config_.publish_job;
  out.writer.lifetime = config_.record_lifetime;
  out.versions = config_.versions;
  out.history = config_.history_versions;
  out.kept = config_.kept_bytes;
  out.private_paths = config_.private_paths;
  out.private_paths.insert(out.private_paths.end(),
                           {config_.state_dir, config_.cache_dir, config_.known_dir});
  out.errands = {config_.retry_min, config_.retry_max};
  return out;
}

nostr::OutboxSender::Options ClientImpl::outbox_options() {
  nostr::OutboxSender::Options out;
  out.retry.first = config_.retry_min;
  out.retry.last = config_.retry_max;
  // Of one try: a publish shall see what became of the first, however late its hint was signed.
  out.deadline = std::max(config_.publish_timeout / 2, kShortestTry);
  if (config_.read_back > Milliseconds(0))
    out.read_back = config_.read_back;
  else
    out.read_back.reset();
  out.limits = config_.outbox;
  out.on_superseded = [this](const nostr::Event& ours, const nostr::Event& newer) {
    if (Publisher* publisher = repairing_.load()) publisher->superseded(ours, newer);
  };
  return out;
}

Metrics ClientImpl::metrics() {
  Metrics out = meter_.snapshot();
  const RecordCache::Stats records = resolver_->cache_stats();
  const BlockCache::Stats blocks = cache_->stats();
  out.records = {records.hits, records.misses};
  out.blocks = {blocks.hits, blocks.misses};
  if (sync_) out.sources = sync_->sources();
  const Instant now = std::chrono::steady_clock::now();
  for (size_t i = 0; i < book_->size(); ++i)
    out.sources.push_back({"gateway", book_->endpoint(i).url, !book_->left_alone(i, now)});
  return out;
}

void ClientImpl::save_metrics() {
  writer_->submit([text = metrics().to_json()](
                      store::Database& db) { return save_setting(db, kMetricsSetting, text); },
                  [](const Status& saved) {
                    if (!saved) log_warning("client", saved.error().message);
                  });
}

void ClientImpl::save_metrics_in_turn() {
  const Instant now = std::chrono::steady_clock::now();
  if (now < metrics_saved_ + kMetricsInterval) return;
  metrics_saved_ = now;
  save_metrics();
}

}  // namespace ipnscast::sync
