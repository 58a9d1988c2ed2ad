#include "ipnscast/tests/sim/source_world.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace ipnscast::test {

using namespace sync;

namespace {

nostr::PublicKey friendly() {
  nostr::PublicKey key;
  key.bytes.fill(1);
  return key;
}

SourceId place(SourceWorld::Way way) {
  switch (way) {
    case SourceWorld::relay:
      return {SourceKind::nostr, "wss://relay.example"};
    case SourceWorld::websocket:
      return {SourceKind::websocket, "wss://push.example"};
    case SourceWorld::sse:
      return {SourceKind::sse, "https://push.example"};
    case SourceWorld::gateways:
      break;
  }
  return {SourceKind::poll, "http://node.example"};
}

Cid numbered(uint64_t number) {
  Bytes digest(32, 0);
  std::memcpy(digest.data(), &number, sizeof number);
  return {1, 0x55, {0x12, std::move(digest)}};
}

EngineOptions trusting(EngineOptions options) {
  options.trusted_authors = {friendly()};
  return options;
}

void require(bool holds, const char* promise) {
  if (!holds) throw std::runtime_error(promise);
}

}  // namespace

SourceWorld::SourceWorld(uint64_t seed, EngineOptions options)
    : options_(trusting(std::move(options))),
      name_(IpnsName::from_key({KeyType::ed25519, Bytes(32, 1)})),
      rng_(seed),
      now_{Instant() + std::chrono::hours(1'000), {1'790'000'000'000}},
      committed_{.name = name_} {
  start();
  publish();
}

void SourceWorld::start() {
  ++run_;
  engine_ = std::make_unique<Engine>(options_, rng_());
  feed(input::Watch{name_, true, true, committed_});
  for (const Way way : {relay, websocket, sse}) {
    if (open_[way]) feed(SourceHealth{place(way), true});
  }
}

void SourceWorld::off() { engine_.reset(); }

void SourceWorld::on() {
  start();
  for (const Way way : {relay, sse}) {
    if (open_[way] && best_) say(way, *best_);
  }
}

void SourceWorld::feed(Input input) {
  if (!engine_) return;
  for (auto& action : engine_->handle(std::move(input), now_))
    std::visit([this](auto& a) { act(a); }, action);
}

void SourceWorld::later(uint64_t least_ms, uint64_t most_ms, Event event) {
  const auto wait = Milliseconds(static_cast<int64_t>(least_ms + roll(most_ms - least_ms + 1)));
  agenda_.emplace(now_.steady + wait, [this, run = run_, event = std::move(event)] {
    if (engine_ && run == run_) event();
  });
}

void SourceWorld::run(Milliseconds time) {
  const Instant end = now_.steady + time;
  for (;;) {
    Instant next = end;
    const auto wake = engine_ ? engine_->next_wake() : std::nullopt;
    if (wake) next = std::min(next, *wake);
    if (!agenda_.empty()) next = std::min(next, agenda_.begin()->first);
    const auto ahead = std::chrono::ceil<Milliseconds>(std::max(next, now_.steady) - now_.steady);
    now_.wall.value += ahead.count();
    now_.steady += ahead;
    if (!agenda_.empty() && agenda_.begin()->first <= now_.steady) {
      const Event event = std::move(agenda_.begin()->second);
      agenda_.erase(agenda_.begin());
      event();
    } else if (wake && *wake <= now_.steady) {
      feed(input::Tick{});
    } else if (now_.steady >= end) {
      return;
    }
  }
}

KnownRecord SourceWorld::record(uint64_t sequence) {
  KnownRecord out;
  out.sequence = {sequence};
  out.value = value_of(numbered(++last_value_));
  out.eol = {now_.wall.value / 1000 + 48 * 3600, 0};
  out.data = {static_cast<uint8_t>(roll(256)), static_cast<uint8_t>(roll(256))};
  return out;
}

void SourceWorld::add(KnownRecord record) {
  if (!best_ || wins_over(record, *best_)) best_ = record;
  records_.push_back(std::move(record));
}

void SourceWorld::publish() {
  const KnownRecord made = record(best_ ? best_->sequence.value + 1 : 1);
  add(made);
  say_everywhere(made);
}

void SourceWorld::publish_two() {
  const uint64_t sequence = best_->sequence.value + 1;
  const KnownRecord one = record(sequence);
  const KnownRecord two = record(sequence);
  add(one);
  add(two);
  say_everywhere(roll(2) == 0 ? one : two);
  say_everywhere(roll(2) == 0 ? one : two);
}

void SourceWorld::say_everywhere(const KnownRecord& record) {
  for (const Way way : {relay, websocket, sse}) say(way, record);
}

void SourceWorld::say(Way way, const KnownRecord& record) {
  if (!open_[way]) return;
  News news{.name = name_, .cid = *root_of(record.value), .sequence = record.sequence};
  if (way == relay) news.author = friendly();
  if (way == websocket && roll(2) == 0) news.sequence.reset();
  if (roll(2) == 0) news.record = record;
  news.source = place(way);
  later(1, 200, [this, way, news, link = links_[way]] {
    if (link == links_[way]) feed(news);
  });
}

void SourceWorld::cut(Way way) {
  if (!open_[way]) return;
  open_[way] = false;
  ++links_[way];
  if (way != gateways) feed(SourceHealth{place(way), false});
}

void SourceWorld::mend(Way way) {
  if (open_[way]) return;
  open_[way] = true;
  if (way == gateways) return;
  feed(SourceHealth{place(way), true});
  if (way != websocket && best_) say(way, *best_);
}

bool SourceWorld::up_to_date() const {
  return best_ && !handed_.empty() && handed_.back().value == best_->value;
}

std::optional<KnownRecord> SourceWorld::found() const {
  return open_[gateways] ? best_ : std::nullopt;
}

void SourceWorld::act(action::Resolve& a) {
  asked_ = now_.steady;
  later(20, 1'500, [this, a, link = links_[gateways]] {
    input::ResolveUpdate out{.name = a.name, .job = a.job};
    if (link == links_[gateways]) out.record = found();
    out.source = place(gateways);
    out.sources_answered = out.record ? 2 : 0;
    out.settled = out.finished = true;
    out.nobody = !out.record;
    feed(std::move(out));
  });
}

void SourceWorld::act(action::Poll& a) {
  asked_ = now_.steady;
  later(5, 1'500, [this, a, link = links_[gateways]] {
    input::PollDone out{.name = a.name, .job = a.job};
    if (link == links_[gateways]) out.record = found();
    out.source = place(gateways);
    out.failed = !out.record;
    feed(std::move(out));
  });
}

void SourceWorld::act(action::Fetch& a) {
  later(10, 1'000, [this, a, link = links_[gateways]] {
    if (link != links_[gateways] || !open_[gateways])
      return feed(input::FetchFailed{a.name, a.job, {Errc::unreachable, "no gateway has it"}});
    fetched_.push_back(a.value);
    feed(input::Fetched{a.name, a.job, std::nullopt});
  });
}

void SourceWorld::act(action::Commit& a) {
  later(1, 20, [this, a] {
    committed_ = a.rows.back();
    feed(input::Committed{a.job, {}});
  });
}

void SourceWorld::act(action::Deliver& a) {
  const Change& change = a.change;
  require(std::any_of(records_.begin(), records_.end(),
                      [&](const KnownRecord& record) {
                        return record.sequence == change.sequence && record.value == change.value;
                      }),
          "nothing unverified is handed over: a record must exist");
  require(std::find(fetched_.begin(), fetched_.end(), change.value) != fetched_.end(),
          "nothing is handed over before its content is here");
  require(handed_.empty() || handed_.back().sequence <= change.sequence,
          "nothing is handed over out of order");
  const bool again = change.kind == ChangeKind::refresh || change.kind == ChangeKind::conflict;
  // What was taken just before the reader went off comes again: at least once (R6).
  require(handed_.empty() || again || handed_in_ != run_ || handed_.back().value != change.value,
          "nothing is handed over twice");
  later(1, 100, [this, a] {
    handed_.push_back(a.change);
    handed_in_ = run_;
    feed(input::Handled{a.name, a.job, {}});
  });
}

}  // namespace ipnscast::test
