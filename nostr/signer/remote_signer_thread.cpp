#include "ipnscast/nostr/signer/remote_signer_thread.h"

#include <algorithm>

#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/nostr/nip/nip65.h"

namespace ipnscast::nostr {
namespace {

constexpr size_t kSignerInbox = 1024;
constexpr size_t kMaxMessage = 512 * 1024;
constexpr size_t kRememberedEvents = 1024;
// A relay may keep what came while we were away, and the signer's clock may be off.
constexpr int64_t kStoredAnswers = 600;

Filter answers_for(const PublicKey& signer, const PublicKey& client) {
  Filter out;
  out.kinds = {kRemoteSignerKind};
  out.authors = {signer};
  out.tags['p'] = {to_hex(client.view())};
  out.since = UnixSeconds{system_now().seconds().value - kStoredAnswers};
  return out;
}

}  // namespace

Result<std::shared_ptr<RemoteSignerThread>> RemoteSignerThread::make(BunkerUri uri,
                                                                     RemoteConnection connection,
                                                                     RemoteSignerOptions options) {
  auto shared = ConversationKey::between(connection.client, uri.signer);
  if (!shared) return fail(shared.error().within("remote signer"));
  std::unique_ptr<net::Loop> own;
  if (options.loop == nullptr) {
    auto loop = net::Loop::start();
    if (!loop) return fail(loop.error());
    own = std::move(*loop);
    options.loop = own.get();
  }
  std::shared_ptr<RemoteSignerThread> out(new RemoteSignerThread(
      std::move(uri), std::move(connection), std::move(*shared), std::move(options)));
  out->own_loop_ = std::move(own);
  return out;
}

RemoteSignerThread::RemoteSignerThread(BunkerUri uri, RemoteConnection connection,
                                       ConversationKey shared, RemoteSignerOptions options)
    : signer_(uri.signer),
      first_relays_(std::move(uri.relays)),
      options_(std::move(options)),
      shared_(std::move(shared)),
      loop_(options_.loop),
      inbox_(kSignerInbox),
      connection_(std::move(connection)),
      session_(options_.session, signer_, std::move(uri.secret),
               {connection_.connected, connection_.user, connection_.kept}, to_hex(random_bytes(8)),
               make_rng()) {}

void RemoteSignerThread::call(std::string method, std::vector<std::string> params, Done done) {
  Msg message = Call{std::move(method), std::move(params), std::move(done)};
  if (inbox_.try_push(std::move(message))) return;
  const bool closed = inbox_.closed();
  std::get<Call>(message).done(
      fail(closed ? Errc::closed : Errc::busy,
           closed ? "remote signer: closed" : "remote signer: too many requests at a time"));
}

Result<PublicKey> RemoteSignerThread::wait_ready() {
  std::unique_lock lock(mutex_);
  told_.wait(lock, [&] { return outcome_.has_value(); });
  return *outcome_;
}

void RemoteSignerThread::tell(Result<PublicKey> outcome) {
  const std::lock_guard lock(mutex_);
  if (!outcome_) outcome_ = std::move(outcome);
  told_.notify_all();
}

void RemoteSignerThread::forget() {
  forgotten_ = true;
  close();
}

void RemoteSignerThread::serve() {
  set_thread_name("signer");
  // Those of the address too: the signer may have moved back while we were away.
  std::vector<RelayUrl> urls = connection_.relays;
  for (const RelayUrl& url : first_relays_) {
    if (std::find(urls.begin(), urls.end(), url) == urls.end()) urls.push_back(url);
  }
  open(relays_, std::move(urls));
  // Whoever waits for the first connection is told when no relay even listens.
  const Instant first_by = system_now().steady + options_.session.timeout;
  bool waits_for_relay = !connection_.user;
  while (!inbox_.closed()) {
    auto wake = next_wake();
    if (waits_for_relay) wake = wake ? std::min(*wake, first_by) : first_by;
    auto message = wake ? inbox_.pop_until(*wake) : inbox_.pop();
    if (delivery_stopped_.exchange(false)) {
      if (relays_.pool) relays_.pool->resume_delivery();
      if (next_.pool) next_.pool->resume_delivery();
    }
    if (message) std::visit([&](auto& m) { take(m); }, *message);
    const Now now = system_now();
    if (next_.live_by && *next_.live_by <= now.steady) {
      log_warning("signer", "the relays that the remote signer moved to do not answer");
      next_ = {};
    }
    RemoteSession::Actions actions;
    session_.tick(now, actions);
    perform(std::move(actions));
    const bool any_live = std::any_of(relays_.live.begin(), relays_.live.end(),
                                      [](const auto& link) { return link.second; });
    if (waits_for_relay && (any_live || first_by <= now.steady)) {
      waits_for_relay = false;
      if (!any_live) tell(fail(Errc::unreachable, "remote signer: none of its relays answers"));
    }
  }
  next_ = {};
  relays_ = {};
  if (forgotten_ && !options_.state_file.empty()) {
    std::error_code ignored;
    std::filesystem::remove(options_.state_file, ignored);
  }
  const Error closed{Errc::closed, "remote signer: closed"};
  for (Msg& message : inbox_.drain()) {
    if (auto* call = std::get_if<Call>(&message)) call->done(fail(closed));
  }
  for (auto& [ticket, done] : std::exchange(calls_, {})) done(fail(closed));
  tell(fail(closed));
}

std::optional<Instant> RemoteSignerThread::next_wake() const {
  auto out = session_.next_tick();
  if (next_.live_by && (!out || *next_.live_by < *out)) out = next_.live_by;
  return out;
}

void RemoteSignerThread::open(Relays& relays, std::vector<RelayUrl> urls) {
  urls = marked_by(std::move(urls), first_relays_);
  PoolOptions pool;
  pool.relays = urls;
  pool.signers = {make_local_signer(connection_.client.clone())};
  pool.access = options_.access;
  pool.remembered_events = kRememberedEvents;
  relays.number = ++pools_;
  relays.urls = std::move(urls);
  relays.live.clear();
  relays.pool = Pool::start(*loop_, std::move(pool));
  relays.pool->subscribe({answers_for(signer_, connection_.client.public_key())},
                         [this, number = relays.number](PoolMessage& message) {
                           Msg heard = Heard{number, std::move(message)};
                           if (inbox_.try_push(std::move(heard))) return true;
                           message = std::move(std::get<Heard>(heard).message);
                           delivery_stopped_ = true;
                           return false;
                         });
}

void RemoteSignerThread::take(Call& call) {
  const RemoteSession::Ticket ticket{++tickets_};
  calls_.emplace(ticket, std::move(call.done));
  RemoteSession::Actions actions;
  session_.call(ticket, std::move(call.method), std::move(call.params), system_now(), actions);
  perform(std::move(actions));
}

void RemoteSignerThread::take(Heard& heard) {
  Relays* const from = heard.pool == relays_.number ? &relays_
                       : heard.pool == next_.number ? &next_
                                                    : nullptr;
  if (from == nullptr) return;
  if (const auto* link = std::get_if<PoolLink>(&heard.message)) return link_changed(*from, *link);
  const auto* event = std::get_if<PoolEvent>(&heard.message);
  // The pool has verified it and matched it with the filter; whose it is matters enough to look.
  if (event == nullptr || event->event.pubkey != signer_) return;
  auto text = nostr::nip44_decrypt(shared_, event->event.content, kMaxMessage);
  if (!text) {
    log_debug("signer", "a message that does not open: " + text.error().message);
    return;
  }
  RemoteSession::Actions actions;
  session_.receive(*text, system_now(), actions);
  perform(std::move(actions));
}

void RemoteSignerThread::link_changed(Relays& relays, const PoolLink& link) {
  const bool known = relays.live.contains(link.relay);
  relays.live[link.relay] = link.live;
  if (!link.live) return;
  if (&relays == &next_) move_to_next();
  const bool first = std::count_if(relays_.live.begin(), relays_.live.end(),
                                   [](const auto& one) { return one.second; }) == 1;
  // A second relay's first time misses nothing: what waits is on its way there already.
  if (known || first) {
    RemoteSession::Actions actions;
    session_.listening(system_now(), actions);
    perform(std::move(actions));
  }
}

void RemoteSignerThread::move_to_next() {
  next_.live_by.reset();
  relays_ = std::exchange(next_, {});
  connection_.relays = relays_.urls;
  save();
}

void RemoteSignerThread::perform(RemoteSession::Actions actions) {
  for (RemoteSession::Action& action : actions) std::visit([&](auto& a) { do_one(a); }, action);
}

void RemoteSignerThread::do_one(RemoteSession::Send& send) {
  std::string text = to_json(send.request);
  const auto content = text.size() > kMaxMessage
                           ? fail(Errc::too_large, "remote signer: request too large")
                           : nostr::nip44_encrypt(shared_, text, kMaxMessage);
  wipe_text(text);
  if (!content) {
    log_warning("signer", content.error().message);  // its caller hears of it by the time-out
    return;
  }
  Event event = sign_event(connection_.client, {.created_at = system_now().seconds(),
                                                .kind = kRemoteSignerKind,
                                                .tags = {{"p", to_hex(signer_.view())}},
                                                .content = *content});
  relays_.pool->publish(
      std::move(event), {.deadline = options_.session.timeout}, [](const PublishReport& report) {
        if (report.stored_count() > 0 || report.relays.empty()) return;
        const auto& [relay, outcome] = *report.relays.begin();
        log_warning("signer", "a request reached no relay; " + relay.text() + ": " +
                                  std::string(to_string(outcome.state)) + " " + outcome.reason);
      });
}

void RemoteSignerThread::do_one(RemoteSession::Answer& answer) {
  const auto found = calls_.find(answer.ticket);
  if (found == calls_.end()) return;
  const Done done = std::move(found->second);
  calls_.erase(found);
  done(std::move(answer.result));
}

void RemoteSignerThread::do_one(RemoteSession::ShowUrl& show) {
  if (options_.on_auth_url) return options_.on_auth_url(show.url);
  log_warning("signer", "the remote signer wants somebody to agree at " + show.url);
}

void RemoteSignerThread::do_one(RemoteSession::Switch& wanted) {
  const auto sorted = [](std::vector<RelayUrl> urls) {
    std::sort(urls.begin(), urls.end());
    return urls;
  };
  if (sorted(wanted.relays) == sorted(relays_.urls)) return;
  open(next_, std::move(wanted.relays));
  next_.live_by = system_now().steady + options_.switch_timeout;
}

void RemoteSignerThread::do_one(RemoteSession::Connected&) {
  connection_.connected = true;
  save();
}

void RemoteSignerThread::do_one(RemoteSession::Ready& ready) {
  if (connection_.user != ready.user || !connection_.connected) {
    connection_.user = ready.user;
    connection_.connected = true;
    save();
  }
  tell(ready.user);
}

void RemoteSignerThread::do_one(RemoteSession::Trouble& trouble) {
  log_warning("signer", trouble.error.message);
  tell(fail(trouble.error));
}

void RemoteSignerThread::save() {
  if (options_.state_file.empty()) return;
  if (auto saved = save_remote_connection(options_.state_file, connection_); !saved)
    log_error("signer", saved.error().message);
}

}  // namespace ipnscast::nostr
