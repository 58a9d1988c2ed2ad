#include "ipnscast/tests/sim/relay_world.h"

#include <algorithm>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/tests/support/catch.h"

namespace ipnscast::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const SecretKey& author() {
  static const SecretKey key = *SecretKey::from_bytes(Bytes(32, 7));  // a seed gives one run
  return key;
}

std::vector<Filter> wanted() {
  Filter hints;
  hints.kinds = {30078};
  hints.tags['d'] = {"a", "b", "c", "d", "e"};
  Filter history;
  history.kinds = {1078};
  return {hints, history};
}

}  // namespace

void VirtualTime::run_until(Instant end) {
  while (!tasks_.empty() && tasks_.begin()->first <= end) {
    auto node = tasks_.extract(tasks_.begin());
    const auto passed = std::chrono::duration_cast<Milliseconds>(node.key() - steady_);
    if (passed.count() > 0) {
      steady_ += passed;
      wall_ms_ += passed.count();
    }
    node.mapped()();
  }
  wall_ms_ += std::chrono::duration_cast<Milliseconds>(end - steady_).count();
  steady_ = end;
}

// ---- client ----

Client::Client(World& world, std::function<void(size_t, Relay::Action&)> take)
    : world_(world), take_(std::move(take)) {
  for (size_t i = 0; i < world_.relays.size(); ++i) {
    links_.push_back(std::make_unique<Link>(Relay(world_.options, Rng(world_.rng()), {})));
    act(i, [&](Relay& relay, auto& out) { relay.start(world_.time.now(), out); });
  }
}

Client::~Client() {
  *alive_ = false;
  for (size_t i = 0; i < links_.size(); ++i) world_.relays[i]->disconnect(links_[i]->connection);
}

void Client::later(Milliseconds wait, std::function<void()> task) {
  world_.time.after(wait, [alive = alive_, task = std::move(task)] {
    if (*alive) task();
  });
}

void Client::perform(size_t number, Relay::Actions actions) {
  for (Relay::Action& action : actions) {
    if (std::holds_alternative<Relay::Connect>(action)) {
      connect(number);
    } else if (auto* send = std::get_if<Relay::Send>(&action)) {
      PlayedRelay& relay = *world_.relays[number];
      world_.time.after(relay.latency,
                        [&relay, connection = links_[number]->connection,
                         frame = std::move(send->frame)] { relay.hear(connection, frame); });
    } else {
      take_(number, action);
    }
  }
  arm(number);
}

void Client::connect(size_t number) {
  Link& link = *links_[number];
  ++connects_;
  const Instant now = world_.time.now().steady;
  if (link.tried_at) {
    const auto wait = std::chrono::duration_cast<Milliseconds>(now - *link.tried_at);
    shortest_wait_ = std::min(shortest_wait_, wait);
  }
  link.tried_at = now;
  later(world_.relays[number]->latency, [this, number, &link] {
    link.connection = world_.relays[number]->connect(
        [this, number](RelayMessage message) {
          CheckedFrame frame;
          frame.verdict =
              std::holds_alternative<EventMessage>(message) ? Verdict::verified : Verdict::other;
          frame.message = std::move(message);
          act(number, [&](Relay& relay, auto& out) {
            relay.frame(std::move(frame), world_.time.now(), out);
          });
        },
        [this, number] { lost(number); });
    if (link.connection == 0) return lost(number);
    const bool back = outage_.opened(number);
    RelayInformation information;
    if (world_.negentropy) information.supported_nips = {1, 77};
    link.machine.announced(information);
    act(number, [&](Relay& relay, auto& out) { relay.opened(world_.time.now(), out); });
    for (size_t i = 0; back && i < links_.size(); ++i) {
      links_[i]->machine.network_back(world_.time.now());
      arm(i);
    }
  });
}

void Client::lost(size_t number) {
  links_[number]->connection = 0;
  outage_.closed(number, world_.time.now());
  act(number, [&](Relay& relay, auto& out) {
    relay.closed(world_.time.now(), {Milliseconds(0), outage_.offline()}, out);
  });
}

void Client::arm(size_t number) {
  Link& link = *links_[number];
  const auto next = link.machine.next_tick();
  const Instant now = world_.time.now().steady;
  if (!next || (link.wake_at && *link.wake_at <= *next)) return;
  link.wake_at = next;
  const auto wait = std::max(Milliseconds(0), std::chrono::ceil<Milliseconds>(*next - now));
  later(wait, [this, number] {
    links_[number]->wake_at.reset();
    act(number, [&](Relay& relay, auto& out) { relay.tick(world_.time.now(), out); });
  });
}

// ---- publisher ----

Publisher::Publisher(World& world) : world_(world) {
  auto db = store::Database::open(":memory:", {outbox_schema()});
  REQUIRE(db);
  db_ = std::move(*db);
  client_ = std::make_unique<Client>(world_, [this](size_t relay, Relay::Action& action) {
    auto* published = std::get_if<Relay::Published>(&action);
    if (published == nullptr) return;
    RelayOutcome& outcome = published->outcome;
    if (std::exchange(outcome.doubtful, false))  // the pool reads it back
      outcome.state = world_.relays[relay]->has(published->id) ? PublishState::acknowledged
                                                               : PublishState::no_answer;
    under_way_.erase({published->id, relay});
    const auto noted = outbox_note(*db_, published->id, World::url(relay), published->outcome);
    if (!noted) FAIL(noted.error().message);
  });
  world_.time.after(Milliseconds(0), [this] { retry(); });
}

void Publisher::publish(int kind, const std::string& d) {
  UnixSeconds created_at = world_.time.now().seconds();
  if (!d.empty()) {
    int64_t& last = last_created_at_[{kind, author().public_key(), d}];
    last = created_at.value = std::max(created_at.value, last + 1);
  }
  UnsignedEvent what{created_at, kind, {}, std::to_string(++number_)};
  if (!d.empty()) what.tags = {{"d", d}};
  const Event event = sign_event(author(), what);
  if (d.empty()) {
    regular.insert(event.id);
  } else {
    addressed[*address_of(event)] = event;
  }
  std::vector<RelayUrl> urls;
  for (size_t i = 0; i < world_.relays.size(); ++i) urls.push_back(World::url(i));
  REQUIRE(outbox_add(*db_, event, urls));
  send({event, urls});
}

void Publisher::send(const OutboxEntry& entry) {
  for (size_t i = 0; i < world_.relays.size(); ++i) {
    const bool open =
        std::find(entry.relays.begin(), entry.relays.end(), World::url(i)) != entry.relays.end();
    if (!open || !under_way_.insert({entry.event.id, i}).second) continue;
    client_->act(i, [&](Relay& relay, auto& out) {
      relay.publish(entry.event, world_.time.now().steady + Milliseconds(10'000), world_.time.now(),
                    out);
    });
  }
}

void Publisher::retry() {
  const auto pending = outbox_pending(*db_);
  if (!pending) FAIL(pending.error().message);
  for (const OutboxEntry& entry : *pending) send(entry);
  world_.time.after(world_.between(minutes(10), minutes(60)), [this] { retry(); });
}

size_t Publisher::waiting() { return outbox_pending(*db_)->size(); }

int64_t Publisher::state_pages() {
  auto s = db_->prepare("PRAGMA page_count");
  REQUIRE(s.step());
  return s.integer(0);
}

// ---- reader ----

Reader::Reader(World& world) : world_(world) {}

void Reader::start() {
  client_ = std::make_unique<Client>(
      world_, [this](size_t relay, Relay::Action& action) { take(relay, action); });
  for (size_t i = 0; i < world_.relays.size(); ++i) {
    const auto mark = covered.find(World::url(i));
    client_->act(i, [&](Relay& relay, auto& out) {
      Relay::Resume resume;
      if (mark != covered.end()) resume.covered = mark->second;
      resume.has_known = world_.negentropy;
      relay.subscribe("s", CatchUp::share(wanted()), resume, world_.time.now(), out);
    });
  }
}

void Reader::kill() {
  ++life_;
  client_.reset();
  seen_.clear();
  pending_.clear();
}

void Reader::take(size_t relay, Relay::Action& action) {
  if (const auto* wanted = std::get_if<Relay::NeedKnown>(&action)) {
    std::vector<NegentropyItem> items;
    for (const auto& [id, created_at] : regular) items.push_back({created_at, id});
    for (const auto& [address, event] : addressed) items.push_back({event.created_at, event.id});
    return client_->act(relay, [&](Relay& machine, auto& out) {
      machine.known(wanted->subscription, {wanted->filters.size(), *NegentropySet::seal(items)},
                    world_.time.now(), out);
    });
  }
  auto* deliver = std::get_if<Relay::Deliver>(&action);
  if (deliver == nullptr || !seen_.insert(deliver->event.id).second) return;
  if (seen_.size() > 4096) seen_ = {deliver->event.id};
  ++handed_over;
  pending_.push_back({relay, std::move(deliver->event), client_->relay(relay).covered("s")});
  if (pending_.size() > 1) return;
  world_.time.after(world_.between(Milliseconds(0), Milliseconds(2'000)), [this, life = life_] {
    if (life == life_) commit_next();
  });
}

void Reader::commit_next() {
  const auto items = std::move(pending_);
  pending_.clear();
  for (const Item& item : items) {
    if (const auto address = address_of(item.event)) {
      auto [known, added] = addressed.try_emplace(*address, item.event);
      if (!added && supersedes(item.event, known->second)) known->second = item.event;
    } else {
      regular.emplace(item.event.id, item.event.created_at);
    }
    if (item.covered) covered[World::url(item.relay)] = *item.covered;
  }
}

// ---- world ----

World::World(uint64_t seed, size_t count, Relay::Options with, bool jumps, bool nip77)
    : options(with), clocks_jump(jumps), negentropy(nip77), rng(seed) {
  for (size_t i = 0; i < count; ++i)
    relays.push_back(std::make_unique<PlayedRelay>(*this, i, 12 + 10 * i));
  publisher = std::make_unique<Publisher>(*this);
  reader = std::make_unique<Reader>(*this);
  reader->start();
}

RelayUrl World::url(size_t relay) {
  return *RelayUrl::parse("ws://relay-" + std::to_string(relay) + ".example");
}

void World::relay_fails(size_t number) {
  PlayedRelay& relay = *relays[number];
  if (!calm) {
    relay.up = false;
    relay.drop_all();
    const bool long_outage = clocks_jump && chance(0.1);
    time.after(long_outage ? between(hours(6), hours(72)) : between(Milliseconds(100), minutes(30)),
               [&relay] { relay.up = true; });
  }
  time.after(between(minutes(30), hours(72)), [this, number] { relay_fails(number); });
}

void World::all_fail() {
  if (!calm) {
    for (auto& relay : relays) relay->drop_all();
  }
  time.after(between(hours(24), hours(240)), [this] { all_fail(); });
}

void World::reader_dies() {
  if (!calm) {
    reader->kill();
    time.after(chance(0.1) ? between(hours(24), hours(100)) : between(Milliseconds(1), minutes(10)),
               [this] { reader->start(); });
  }
  time.after(between(hours(110), hours(300)), [this] { reader_dies(); });
}

void World::clock_jumps() {
  if (!calm && clocks_jump) time.jump(between(-hours(2), hours(2)));
  time.after(between(hours(100), hours(600)), [this] { clock_jumps(); });
}

void World::something_is_published() {
  if (!calm) {
    // All of one second: no more than a relay answers at a time, as NIP-01 cannot page within it.
    const size_t burst = chance(0.05) ? 12 : 1;
    for (size_t i = 0; i < burst; ++i) {
      if (chance(0.5)) {
        publisher->publish(1078, "");
      } else {
        publisher->publish(30078, std::string(1, static_cast<char>('a' + rng() % 5)));
      }
    }
  }
  time.after(between(Milliseconds(200), hours(4)), [this] { something_is_published(); });
}

void World::run(Milliseconds length) {
  for (size_t i = 0; i < relays.size(); ++i)
    time.after(between(minutes(1), hours(48)), [this, i] { relay_fails(i); });
  time.after(hours(30), [this] { all_fail(); });
  time.after(hours(20), [this] { reader_dies(); });
  time.after(hours(10), [this] { clock_jumps(); });
  something_is_published();
  time.run_until(time.now().steady + length);
  // Everybody comes back, once, and stays.
  calm = true;
  for (auto& relay : relays) relay->up = true;
  time.run_until(time.now().steady + hours(48));
  for (auto& relay : relays) relay->drop_all();
  time.run_until(time.now().steady + hours(24));
  if (reader->client() == nullptr) reader->start();
  time.run_until(time.now().steady + hours(100));
}

}  // namespace ipnscast::test
