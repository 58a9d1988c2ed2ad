#include "ipnscast/nostr/pool/pool.h"

#include <atomic>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/net/message/close_code.h"
#include "ipnscast/nostr/nip/nip42.h"
#include "ipnscast/nostr/nip/nip65.h"
#include "ipnscast/nostr/pool/pool_impl.h"

namespace ipnscast::nostr {
namespace {

// How long a relay that refused us by HTTP status is left alone at least.
Milliseconds at_least(const net::Closed& closed) {
  if (closed.reason != net::CloseReason::http_status) return Milliseconds(0);
  const bool denied =
      closed.code == 401 || closed.code == 403 || closed.code == 404 || closed.code == 429;
  return std::max(closed.retry_after, denied ? Milliseconds(60'000) : Milliseconds(5'000));
}

SubscriptionKey next_key() {
  static std::atomic<uint64_t> counter = 0;
  return {++counter};
}

}  // namespace

Pool::Pool() = default;

std::unique_ptr<Pool> Pool::start(net::Loop& loop, PoolOptions options) {
  std::unique_ptr<Pool> pool(new Pool());
  auto impl = std::make_shared<Impl>(loop, std::move(options));
  pool->impl_ = impl;
  impl->verify = std::make_unique<net::VerifyThreads>(
      loop, impl->options.verify_threads, impl->options.limits,
      [raw = impl.get()](auto batch) { raw->checked(std::move(batch)); },
      [raw = impl.get()] { raw->flush_stalled(); });
  if (impl->options.read_information) {
    impl->information = std::make_unique<net::InformationFetcher>(
        loop, impl->options.access,
        [self = impl->weak_from_this()](const RelayUrl& url, Result<RelayInformation> what) {
          if (const auto pool_impl = self.lock()) pool_impl->informed(url, what);
        },
        impl->options.witness);
  }
  loop.run([&] { impl->start(); });
  return pool;
}

Pool::~Pool() {
  net::Loop& loop = impl_->loop;
  loop.run([this] { impl_->stop(); });
  impl_->verify.reset();
  impl_->information.reset();
}

void Pool::Impl::start() {
  std::vector<PublicKey> keys;
  for (const auto& signer : options.signers) keys.push_back(signer->public_key());
  // One that the configuration names is no stranger's idea, whoever named it first.
  for (const RelayUrl& url : marked_by(options.relays, options.relays)) {
    const bool known =
        std::any_of(links.begin(), links.end(), [&](const auto& l) { return l->url == url; });
    if (known) continue;
    links.push_back(
        std::make_unique<Link>(links.size() + 1, url, Relay(options.relay, make_rng(), keys)));
    quarantine.add(url);
    if (!information) links.back()->machine.not_announced();
  }
  for (auto& link : links) {
    Relay::Actions actions;
    link->machine.start(system_now(), actions);
    perform(*link, std::move(actions));
  }
}

void Pool::Impl::stop() {
  stopped = true;
  for (auto& link : links) link->socket.reset();
  subscriptions.clear();
  publishes.clear();
  asking.clear();
  connected_observer = nullptr;
  limits_observer = nullptr;
}

void Pool::Impl::post(std::function<void(Impl&)> task) {
  loop.post([self = weak_from_this(), task = std::move(task)] {
    const auto impl = self.lock();
    if (impl && !impl->stopped) task(*impl);
  });
}

void Pool::Impl::connect(Link& link) {
  net::ClientOptions client;
  client.witness = options.witness;
  client.max_frame_bytes = options.limits.max_bytes;
  client.connect_timeout = options.connect_timeout;
  client.ping_interval = options.ping_interval;
  client.access = options.access;
  net::ClientHandlers handlers;
  handlers.opened = [this, &link] {
    link.last_error.clear();
    log_info("relay", link.url.text() + ": connected");
    const bool back = outage.opened(link.id);
    Relay::Actions actions;
    link.machine.opened(system_now(), actions);
    perform(link, std::move(actions));
    update_reading(link);
    ask_for_information(link);
    if (back) network_back();
    if (connected_observer) connected_observer(link.url);
  };
  handlers.frame = [this, &link](std::string frame) { received(link, std::move(frame)); };
  handlers.closed = [this, &link](const net::Closed& closed) { socket_closed(link, closed); };
  link.socket = net::connect(loop, link.url, std::move(client), std::move(handlers));
}

void Pool::Impl::socket_closed(Link& link, const net::Closed& closed) {
  if (closed.reason != net::CloseReason::forbidden) {
    log_info("relay", link.url.text() + ": " + closed.text);
  } else if (link.last_error != closed.text) {
    log_warning("relay", closed.text);  // once: nothing changes until somebody acts
  }
  link.last_error = closed.text;
  link.socket.reset();
  outage.closed(link.id, system_now());
  link.end = closed;
  end_link_if_due(link);
}

// The end comes after what the relay said before it, which may still be at its verification thread.
void Pool::Impl::end_link_if_due(Link& link) {
  if (!link.end || link.checking > 0 || !link.stalled.empty()) return;
  const net::Closed closed = *std::exchange(link.end, std::nullopt);
  Relay::Actions actions;
  const bool hung_up = closed.reason == net::CloseReason::remote;
  const bool too_big = hung_up && closed.code == net::kCloseTooBig;
  link.machine.closed(system_now(), {at_least(closed), outage.offline(), too_big, hung_up},
                      actions);
  perform(link, std::move(actions));
  note_limits(link);
  asking_lost(link);
  note_links(link);
}

// Once a day, beside what the relay is asked already; after a failure somewhat later.
void Pool::Impl::ask_for_information(Link& link) {
  const Instant now = std::chrono::steady_clock::now();
  if (!information || link.information_pending) return;
  if (link.informed_at && now - *link.informed_at < std::chrono::hours(24)) return;
  link.information_pending = true;
  information->ask(link.url);
}

void Pool::Impl::ask_for_information_in(Link& link, Milliseconds wait) {
  link.information_pending = true;
  loop.at(std::chrono::steady_clock::now() + wait, [self = weak_from_this(), number = link.id] {
    const auto impl = self.lock();
    if (!impl || impl->stopped) return;
    Link& waiting = *impl->links[number - 1];
    waiting.information_pending = false;
    if (waiting.machine.connected()) impl->ask_for_information(waiting);
  });
}

void Pool::Impl::informed(const RelayUrl& url, const Result<RelayInformation>& what) {
  if (stopped) return;
  for (auto& link : links) {
    if (link->url != url) continue;
    const Instant now = std::chrono::steady_clock::now();
    link->information_pending = false;
    if (!what) {
      log_debug("relay", url.text() + ": no information document: " + what.error().message);
      link->machine.not_announced();
      arm(*link);
      Rng rng = make_rng();
      ask_for_information_in(*link, link->information_backoff.failed(now, rng));
      continue;
    }
    link->informed_at = now;
    link->machine.announced(*what);
    arm(*link);
    fit_requests(*link);
  }
}

void Pool::Impl::network_back() {
  log_info("relay", "the network is back: connecting to the others again");
  for (auto& link : links) {
    link->machine.network_back(system_now());
    arm(*link);
  }
}

void Pool::Impl::perform(Link& link, Relay::Actions actions) {
  for (Relay::Action& action : actions) {
    if (stopped) return;
    do_one(link, action);
  }
  arm(link);
}

void Pool::Impl::do_one(Link& link, Relay::Action& action) {
  if (std::holds_alternative<Relay::Connect>(action)) {
    connect(link);
  } else if (auto* send = std::get_if<Relay::Send>(&action)) {
    if (link.socket) link.socket->send(std::move(send->frame));
  } else if (auto* event = std::get_if<Relay::Deliver>(&action)) {
    deliver(link, event->subscription, PoolEvent{{}, link.url, std::move(event->event), {}});
  } else if (auto* end = std::get_if<Relay::ReachedEnd>(&action)) {
    note_part(link, end->subscription);
    note_end(link, end->subscription);
  } else if (auto* outcome = std::get_if<Relay::Published>(&action)) {
    published(link, outcome->id, std::move(outcome->outcome));
  } else if (auto* auth = std::get_if<Relay::SignAuth>(&action)) {
    sign_auth(link, *auth);
  } else if (auto* wanted = std::get_if<Relay::NeedKnown>(&action)) {
    tell_known(link, *wanted);
  }
}

void Pool::Impl::sign_auth(Link& link, const Relay::SignAuth& wanted) {
  UnsignedEvent event = auth_event(link.url, wanted.challenge, system_now().seconds());
  const auto signer =
      std::find_if(options.signers.begin(), options.signers.end(),
                   [&](const auto& candidate) { return candidate->public_key() == wanted.key; });
  (*signer)->sign(std::move(event), [self = weak_from_this(), id = link.id,
                                     key = wanted.key](Result<Event> signed_event) {
    const auto impl = self.lock();
    if (!impl) return;
    impl->post([id, key, signed_event = std::move(signed_event)](Impl& pool) mutable {
      Link& answered = *pool.links[id - 1];
      Relay::Actions actions;
      answered.machine.auth_signed(key, std::move(signed_event), system_now(), actions);
      pool.perform(answered, std::move(actions));
    });
  });
}

void Pool::Impl::arm(Link& link) {
  const auto next = link.machine.next_tick();
  if (!next || (link.wake_at && *link.wake_at <= *next)) return;
  link.wake_at = next;
  loop.at(*next, [self = weak_from_this(), id = link.id] {
    const auto impl = self.lock();
    if (impl && !impl->stopped) impl->wake(id);
  });
}

void Pool::Impl::wake(uint64_t id) {
  Link& link = *links[id - 1];
  const Now now = system_now();
  if (link.wake_at && *link.wake_at <= now.steady) link.wake_at.reset();
  const uint64_t timeouts = link.machine.counters().timeouts;
  Relay::Actions actions;
  link.machine.tick(now, actions);
  perform(link, std::move(actions));
  if (!stopped && link.machine.counters().timeouts != timeouts) note_links(link);
}

SubscriptionKey Pool::subscribe(std::vector<Filter> filters, Sink sink, SubscribeOptions options) {
  const SubscriptionKey key = next_key();
  impl_->post([key, filters = std::move(filters), sink = std::move(sink),
               options = std::move(options)](Impl& pool) mutable {
    pool.subscribe(key, filters, std::move(sink), std::move(options));
  });
  return key;
}

void Pool::replace(SubscriptionKey key, std::vector<Filter> filters) {
  impl_->post(
      [key, filters = std::move(filters)](Impl& pool) mutable { pool.replace(key, filters); });
}

void Pool::unsubscribe(SubscriptionKey key) {
  if (impl_->loop.on_net_thread()) return impl_->unsubscribe(key);
  impl_->loop.run([this, key] { impl_->unsubscribe(key); });
}

void Pool::resume_delivery() {
  impl_->post([](Impl& pool) { pool.flush_undelivered(); });
}

void Pool::publish(Event event, PublishOptions options, PublishDone done) {
  impl_->post([event = std::move(event), options = std::move(options), done = std::move(done)](
                  Impl& pool) mutable { pool.publish(event, options, std::move(done)); });
}

void Pool::read_back(Event event, RelayUrl relay, Milliseconds wait, PublishDone done) {
  impl_->post([event = std::move(event), relay = std::move(relay), wait,
               done = std::move(done)](Impl& pool) mutable {
    pool.read_back(std::move(event), relay, wait, std::move(done));
  });
}

void Pool::on_connected(std::function<void(const RelayUrl&)> observer) {
  const auto set = [&] { impl_->connected_observer = std::move(observer); };
  if (impl_->loop.on_net_thread()) return set();
  impl_->loop.run(set);
}

void Pool::restore_standings(std::map<RelayUrl, RelayStanding> standings) {
  impl_->post([standings = std::move(standings)](Impl& pool) {
    for (const auto& [relay, standing] : standings)
      pool.quarantine.restore(relay, standing, std::chrono::steady_clock::now());
  });
}

void Pool::on_standing(std::function<void(const RelayUrl&, const RelayStanding&)> observer) {
  const auto set = [&] { impl_->standing_observer = std::move(observer); };
  if (impl_->loop.on_net_thread()) return set();
  impl_->loop.run(set);
}

void Pool::restore_limits(std::map<RelayUrl, LearnedLimits> limits) {
  impl_->post([limits = std::move(limits)](Impl& pool) {
    for (auto& link : pool.links) {
      const auto known = limits.find(link->url);
      if (known == limits.end()) continue;
      link->machine.remember(known->second);
      link->learned = link->machine.limits().learned();
      pool.fit_requests(*link);
    }
  });
}

void Pool::on_limits(std::function<void(const RelayUrl&, const LearnedLimits&)> observer) {
  const auto set = [&] { impl_->limits_observer = std::move(observer); };
  if (impl_->loop.on_net_thread()) return set();
  impl_->loop.run(set);
}

std::vector<RelayStatus> Pool::status() {
  if (impl_->loop.on_net_thread()) return impl_->status();
  std::vector<RelayStatus> out;
  impl_->loop.run([&] { out = impl_->status(); });
  return out;
}

}  // namespace ipnscast::nostr
