#include "ipnscast/tests/sim/engine_world.h"

#include <stdexcept>

namespace ipnscast::test {

using namespace sync;

namespace {

Cid world_cid(uint64_t number) {
  Bytes digest(32, 0);
  std::memcpy(digest.data(), &number, sizeof(number));
  return {1, 0x55, {0x12, std::move(digest)}};
}

const SourceId kRelay{SourceKind::nostr, "wss://relay.example"};
const SourceId kPush{SourceKind::websocket, "wss://push.example"};
const SourceId kNode{SourceKind::poll, "http://node.example"};
}  // namespace

nostr::PublicKey world_author(uint8_t number) {
  nostr::PublicKey key;
  key.bytes.fill(static_cast<uint8_t>(number + 1));
  return key;
}

EngineOptions world_options() {
  EngineOptions options;
  options.trusted_authors = {world_author(0), world_author(1)};
  return options;
}

EngineWorld::EngineWorld(uint64_t seed, EngineOptions options, size_t names)
    : options_(std::move(options)), rng_(seed) {
  now_ = {Instant() + std::chrono::hours(1000), {1'790'000'000'000}};
  for (size_t i = 0; i < names; ++i) {
    const auto name =
        IpnsName::from_key({KeyType::ed25519, Bytes(32, static_cast<uint8_t>(i + 1))});
    names_.push_back(name);
    Truth truth{.committed = NameRow{.name = name}};
    truth.next_value = (i + 1) << 32;
    truth_.emplace(name, std::move(truth));
  }
  start();
}

void EngineWorld::start() {
  engine_ = std::make_unique<Engine>(options_, rng_());
  for (const auto& name : names_) watch(name);
}

void EngineWorld::watch(const IpnsName& name) {
  input::Watch in{name, true, true, truth_.at(name).committed};
  in.pulls = pulls(name);
  in.every_version = every_version(name);
  feed(std::move(in));
}

void EngineWorld::crash() {
  ++crashes_;
  agenda_.clear();
  for (auto& [name, truth] : truth_) {
    const auto& had = truth.committed.handed;
    if (!had || had->value != truth.handled) truth.unsaid = truth.handled;
    truth.refused.clear();
    if (const auto& known = truth.committed.rejected)
      truth.refused.emplace(known->sequence, known->value);
  }
  start();
}

bool EngineWorld::chance(int percent) { return roll(100) < static_cast<uint64_t>(percent); }

void EngineWorld::require(bool holds, const std::string& promise) const {
  if (!holds) throw std::runtime_error(promise);
}

void EngineWorld::later(int64_t least_ms, int64_t most_ms, Event event) {
  const auto wait =
      least_ms + static_cast<int64_t>(roll(static_cast<uint64_t>(most_ms - least_ms + 1)));
  agenda_.emplace(now_.steady + Milliseconds(wait), std::move(event));
}

void EngineWorld::answer(int64_t least_ms, int64_t most_ms, Input input) {
  if (chance(odds.lost_answer)) return;
  later(least_ms, most_ms, [this, input = std::move(input)] { feed(input); });
}

void EngineWorld::feed(Input input) {
  const bool tick = std::holds_alternative<input::Tick>(input);
  for (auto& action : engine_->handle(std::move(input), now_)) {
    std::visit([this](auto& a) { act(a); }, action);
  }
  const auto wake = engine_->next_wake();
  require(!tick || !wake || *wake > now_.steady, "no hot loop: the next wake-up lies ahead");
}

void EngineWorld::run(Milliseconds duration) {
  const Instant end = now_.steady + duration;
  while (true) {
    Instant next = end;
    const auto wake = engine_->next_wake();
    if (wake) next = std::min(next, *wake);
    if (!agenda_.empty()) next = std::min(next, agenda_.begin()->first);
    next = std::max(next, now_.steady);
    // Both clocks run alike; whole milliseconds on the wall.
    const auto ahead = std::chrono::ceil<Milliseconds>(next - now_.steady);
    now_.wall.value += ahead.count();
    now_.steady += ahead;
    if (!agenda_.empty() && agenda_.begin()->first <= now_.steady) {
      const Event event = std::move(agenda_.begin()->second);
      agenda_.erase(agenda_.begin());
      event();
    } else if (wake && *wake <= now_.steady) {
      feed(input::Tick{});
    }
    if (now_.steady >= end && (agenda_.empty() || agenda_.begin()->first > end)) return;
  }
}

void EngineWorld::add_record(Truth& truth, uint64_t sequence, std::string value, bool expired) {
  KnownRecord record;
  record.sequence = {sequence};
  record.value = std::move(value);
  record.eol = {now_.wall.value / 1000 + (expired ? -60 : 48 * 3600),
                static_cast<int32_t>(roll(1'000'000'000))};
  record.data = {static_cast<uint8_t>(roll(256)), static_cast<uint8_t>(roll(256))};
  truth.records.push_back(std::move(record));
}

void EngineWorld::publish(const IpnsName& name) {
  auto& truth = truth_.at(name);
  uint64_t highest = 0;
  for (const auto& record : truth.records) highest = std::max(highest, record.sequence.value);
  const uint64_t sequence = truth.records.empty() ? roll(2) : highest + 1 + roll(3);
  std::string value = value_of(world_cid(++truth.next_value));
  // Now and then a value comes back (R13), or stays.
  if (!truth.records.empty() && chance(25)) value = truth.records[roll(truth.records.size())].value;
  add_record(truth, sequence, std::move(value), chance(3));
}

void EngineWorld::conflict(const IpnsName& name) {
  auto& truth = truth_.at(name);
  if (truth.records.empty()) return;
  add_record(truth, truth.records.back().sequence.value, value_of(world_cid(++truth.next_value)),
             false);
}

const KnownRecord* EngineWorld::best(const IpnsName& name) const {
  const KnownRecord* best = nullptr;
  for (const auto& record : truth_.at(name).records) {
    if (!expired(record, now_.wall) && (best == nullptr || wins_over(record, *best)))
      best = &record;
  }
  return best;
}

const KnownRecord* EngineWorld::some_record(const IpnsName& name) {
  const auto& records = truth_.at(name).records;
  if (records.empty()) return nullptr;
  if (chance(odds.stale_answer)) return &records[roll(records.size())];
  return best(name);
}

void EngineWorld::hint(const IpnsName& name) {
  auto& truth = truth_.at(name);
  const auto author = world_author(static_cast<uint8_t>(roll(4)));
  News news{.name = name,
            .cid = world_cid(roll(1000)),
            .sequence = {},
            .author = author,
            .event_id = {},
            .device_id = {},
            .at_fault = false,
            .source = chance(70) ? kRelay : kPush,
            .record = {}};
  // A forged claim, unless it speaks of a record that exists.
  if (chance(30)) news.sequence = Sequence{roll(200)};
  if (const auto* record = chance(75) ? some_record(name) : nullptr) {
    news.cid = *root_of(record->value);
    if (chance(80)) news.sequence = record->sequence;
    if (chance(50)) news.record = *record;
  }
  if (author == world_author(0) || author == world_author(1))
    truth.claimed.insert(value_of(news.cid));
  const int copies = chance(30) ? 3 : 1;
  for (int i = 0; i < copies; ++i) later(0, 400, [this, news] { feed(news); });
}

void EngineWorld::step() {
  const auto& name = any_name();
  switch (roll(10)) {
    case 0:
      publish(name);
      break;
    case 1:
      chance(20) ? conflict(name) : publish(name);
      break;
    case 2:
      feed(SourceHealth{chance(50) ? kRelay : kPush, chance(60)});
      break;
    case 3:
      if (const auto* record = some_record(name)) feed(RecordArrived{name, *record, kRelay});
      break;
    case 4:
      if (chance(5)) {
        feed(input::Unwatch{name});
        truth_.at(name).offered.reset();
      }
      watch(name);
      break;
    case 5:
      if (const auto* row = engine_->find(name); row != nullptr && chance(10))
        feed(input::Replay{name, 1 + roll(row->heard + 1)});
      break;
    default:
      hint(name);
      break;
  }
  if (chance(odds.crash)) crash();
  run(Milliseconds(roll(chance(5) ? 90'000 : 1'500)));
  require(engine_->size() <= names_.size(), "memory is bounded by the names that are watched");
}

void EngineWorld::calm(Milliseconds duration) {
  const Odds before = odds;
  odds = {.lost_answer = 0,
          .failure = 0,
          .stale_answer = 0,
          .crash = 0,
          .refused = before.refused,
          .hang = 0};
  run(duration);
  odds = before;
}

void EngineWorld::act(action::Resolve& a) {
  ++lookups_;
  require(a.deadline > now_.steady, "every resolution has a deadline");
  input::ResolveUpdate settled{.name = a.name, .job = a.job};
  if (!chance(odds.failure)) {
    if (const auto* record = some_record(a.name)) settled.record = *record;
    settled.source = kNode;
    settled.sources_answered = 1 + roll(3);
  }
  settled.settled = true;
  auto finished = settled;
  finished.finished = true;
  // The late answer is another one, as a slower source gives it.
  if (const auto* record = some_record(a.name); record != nullptr && settled.record)
    finished.record = *record;
  answer(20, 2'000, std::move(settled));
  answer(2'000, 5'000, std::move(finished));
}

void EngineWorld::act(action::Poll& a) {
  ++lookups_;
  input::PollDone done{.name = a.name, .job = a.job};
  done.source = kNode;
  done.failed = chance(odds.failure);
  if (const auto* record = some_record(a.name); record != nullptr && !done.failed)
    done.record = *record;
  answer(5, 3'000, std::move(done));
}

void EngineWorld::act(action::Fetch& a) {
  ++fetches_;
  if (chance(odds.failure)) {
    answer(10, 1'000, input::FetchFailed{a.name, a.job, {Errc::unreachable, "no gateway has it"}});
    return;
  }
  if (chance(odds.lost_answer)) return;
  later(10, 1'000, [this, a] {
    truth_.at(a.name).fetched.insert(a.value);
    feed(input::Fetched{a.name, a.job, std::nullopt});
  });
}

void EngineWorld::act(action::Cancel&) {}

void EngineWorld::act(action::Commit& a) {
  const bool fails = chance(odds.failure / 3);
  later(1, 20, [this, a, fails] {
    if (!fails) {
      for (const auto& row : a.rows) truth_.at(row.name).committed = row;
      truth_.at(a.rows.front().name).noted.apply(a.notes);
    }
    Status status;
    if (fails) status = fail(Errc::io, "disk full");
    later(0, 5, [this, job = a.job, status] { feed(input::Committed{job, status}); });
  });
}

void EngineWorld::act(action::ReadVersion& a) {
  later(1, 20, [this, a, fails = chance(odds.failure / 3)] {
    std::optional<HeardVersion> found;
    if (!fails) found = truth_.at(a.name).noted.find(a.search);
    feed(input::VersionRead{a.name, a.job, std::move(found), fails});
  });
}

// Somebody is there after a while, now and then twice.
void EngineWorld::act(action::Offer& a) {
  require(pulls(a.name), "only what is pulled is offered");
  if (!a.there) return;
  for (int i = chance(10) ? 2 : 1; i > 0; --i) {
    later(0, 2'000, [this, name = a.name] {
      auto& truth = truth_.at(name);
      truth.taking = true;
      feed(input::Take{name});
      truth.taking = false;
    });
  }
}

void EngineWorld::act(action::Revoke& a) {
  later(0, 10, [this, a] {
    feed(input::Handled{a.name, a.job, fail(Errc::timeout, "it was not acknowledged in time")});
  });
}

}  // namespace ipnscast::test
