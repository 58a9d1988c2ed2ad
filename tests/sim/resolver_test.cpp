#include <deque>
#include <functional>
#include <map>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/resolve/resolver_core.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

constexpr int64_t kEpoch = 1'800'000'000'000;
constexpr int kNever = -1;

IpnsKey key() { return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 7))); }

// Records are made once a sequence: signing them in thousands of trials would be all that the test
// does.
const Bytes& record(uint64_t sequence, std::chrono::nanoseconds ttl = std::chrono::minutes(5)) {
  static std::map<std::pair<uint64_t, int64_t>, Bytes> made;
  Bytes& bytes = made[{sequence, ttl.count()}];
  if (bytes.empty()) {
    bytes = create_record(key(), {.value = "/ipfs/bafkqaaa",
                                  .sequence = {sequence},
                                  .eol = Eol::after({kEpoch}, std::chrono::hours(48)),
                                  .ttl = ttl})
                ->bytes();
  }
  return bytes;
}

// What a scripted gateway answers to a request for a record, and when. It is a trustless gateway
// and nothing else.
struct FakeGateway {
  int tier = 1;
  int latency = 50;      // ms; kNever: no answer at all
  int sequence = -1;     // of its record; -1: 404
  bool refuses = false;  // no connection
  std::chrono::nanoseconds ttl = std::chrono::minutes(5);
  int asked = 0;  // for the record
};

using Gateways = std::vector<FakeGateway>;

// Gateways behind the HTTP interface, a clock that jumps from one thing to the next, and the
// resolver between them.
class World : public gateway::Http {
 public:
  explicit World(Gateways scripted)
      : gateways(std::move(scripted)),
        book_(entries(gateways)),
        core_(*this, book_, {}, [this](auto task) { posted_.push_back(std::move(task)); }) {}

  gateway::HttpId start(gateway::HttpCall call, gateway::HttpHandlers handlers) override {
    const gateway::HttpId id{++last_call_};
    FakeGateway& where = gateways.at(
        static_cast<size_t>(std::stoi(call.url.substr(std::string("http://g").size()))));
    const bool asks_record = call.url.find("?format=ipns-record") != std::string::npos;
    if (asks_record) ++where.asked;
    if (where.refuses) {
      at(0, id, [handlers] { handlers.done(fail(Errc::unreachable, "refused"), {}); });
    } else if (where.latency == kNever) {
      at(static_cast<int>(call.deadline.count()), id,
         [handlers] { handlers.done(fail(Errc::timeout, "late"), {}); });
    } else {
      const int sequence = where.sequence;
      const auto ttl = where.ttl;
      at(where.latency, id, [=] { respond(call, handlers, asks_record, sequence, ttl); });
    }
    handlers_[id] = std::move(handlers);
    return id;
  }
  void cancel(gateway::HttpId id) override {
    const auto it = handlers_.find(id);
    if (it == handlers_.end()) return;
    for (auto event = events_.begin(); event != events_.end(); ++event) {
      if (event->second.first != id) continue;
      events_.erase(event);
      break;
    }
    it->second.done(fail(Errc::cancelled, "cancelled"), {});
    handlers_.erase(it);
  }
  void resume(gateway::HttpId) override {}

  // Runs until the resolution has finished, and notes what it said and when.
  struct Said {
    int at = 0;  // ms since it was asked
    ResolveUpdate::Kind kind;
    int sequence = -1;
  };
  std::vector<Said> resolve(const ResolveOptions& options = {}) {
    std::vector<Said> said;
    bool finished = false;
    const int64_t begin = now_ms_;
    core_.resolve(
        LookupId{++last_lookup_}, name_, options,
        [&](const ResolveUpdate& update) {
          const auto& best = update.report.best;
          said.push_back({static_cast<int>(now_ms_ - begin), update.kind,
                          best ? static_cast<int>(best->fields().sequence.value) : -1});
          finished = update.kind == ResolveUpdate::Kind::finished;
        },
        now());
    while (!finished) step();
    return said;
  }
  // Lets time pass with everything that happens in it.
  void pass(int milliseconds) {
    const int64_t end = now_ms_ + milliseconds;
    while (next() <= end) step();
    now_ms_ = end;
  }
  void know_dialects() {
    for (size_t i = 0; i < gateways.size(); ++i) book_.set_dialects(i, {.trustless = true});
  }

  std::vector<FakeGateway> gateways;

 private:
  static std::vector<gateway::GatewayBook::Entry> entries(
      const std::vector<FakeGateway>& gateways) {
    std::vector<gateway::GatewayBook::Entry> out;
    for (size_t i = 0; i < gateways.size(); ++i) {
      out.push_back({{"http://g" + std::to_string(i), {}}, gateways[i].tier});
    }
    return out;
  }
  static void respond(const gateway::HttpCall& call, const gateway::HttpHandlers& handlers,
                      bool asks_record, int sequence, std::chrono::nanoseconds ttl) {
    gateway::HttpHead head;
    head.status = 404;
    head.headers["content-type"] = "text/html";
    if (call.url.find("bafkqaaa?format=raw") != std::string::npos) {
      head.status = 200;
      head.headers["content-type"] = "application/vnd.ipld.raw";
    }
    const bool found = asks_record && sequence >= 0;
    if (found) {
      head.status = 200;
      head.headers["content-type"] = "application/vnd.ipfs.ipns-record";
    }
    handlers.head(head);
    if (found) handlers.chunk(record(static_cast<uint64_t>(sequence), ttl));
    handlers.done({}, {});
  }

  Now now() const {
    return {Instant{} + std::chrono::hours(1) + Milliseconds(now_ms_), {kEpoch + now_ms_}};
  }
  void at(int delay, gateway::HttpId id, std::function<void()> run) {
    events_.emplace(now_ms_ + delay, std::pair(id, std::move(run)));
  }
  int64_t next_tick() const {
    const auto tick = core_.next_tick();
    return tick ? std::chrono::ceil<Milliseconds>(*tick - (Instant{} + std::chrono::hours(1)))
                      .count()
                : INT64_MAX;
  }
  int64_t next() const {
    if (!posted_.empty()) return now_ms_;
    return std::min(next_tick(), events_.empty() ? INT64_MAX : events_.begin()->first);
  }
  void step() {
    if (!posted_.empty()) {
      const auto task = std::move(posted_.front());
      posted_.pop_front();
      return task(core_, now());
    }
    REQUIRE(next() != INT64_MAX);
    if (!events_.empty() && events_.begin()->first <= next_tick()) {
      const auto event = std::move(events_.begin()->second);
      now_ms_ = std::max(now_ms_, events_.begin()->first);
      events_.erase(events_.begin());
      handlers_.erase(event.first);
      event.second();
    } else {
      now_ms_ = std::max(now_ms_, next_tick());
      core_.tick(now());
    }
  }

  int64_t now_ms_ = 0;
  uint64_t last_call_ = 0;
  uint64_t last_lookup_ = 0;
  const IpnsName name_ = key().name();
  std::multimap<int64_t, std::pair<gateway::HttpId, std::function<void()>>> events_;
  std::map<gateway::HttpId, gateway::HttpHandlers> handlers_;
  std::deque<std::function<void(ResolverCore&, Now)>> posted_;
  gateway::GatewayBook book_;
  ResolverCore core_;
};

using Kind = ResolveUpdate::Kind;

void check_said(const World::Said& said, int at, Kind kind, int sequence) {
  CHECK(said.at == at);
  CHECK(said.kind == kind);
  CHECK(said.sequence == sequence);
}

}  // namespace

TEST_CASE("a record is fresh for its TTL, 60 s at most, and then asked for again (S1-09, S1-27)") {
  World world(Gateways{{.sequence = 1}});
  world.know_dialects();
  world.resolve();
  world.gateways[0].sequence = 2;
  world.pass(59'000);
  check_said(world.resolve().front(), 0, Kind::record, 1);
  world.pass(2'000);
  CHECK(world.resolve().front().sequence == 2);
  CHECK(world.gateways[0].asked == 2);
  world.gateways[0].ttl = Seconds(5);
  world.gateways[0].sequence = 3;
  world.resolve({.fresh = true});
  world.pass(6'000);
  world.resolve();
  CHECK(world.gateways[0].asked == 4);
}

TEST_CASE("a floor that the cached record does not reach goes past the cache") {
  World world(Gateways{{.sequence = 1}});
  world.know_dialects();
  world.resolve();
  world.gateways[0].sequence = 2;
  CHECK(world.resolve({.floor = Sequence{2}}).front().sequence == 2);
}

TEST_CASE("\"not found\" is believed for 30 s, unless a hint knows better (S1-09)") {
  World world(Gateways{{}, {}});
  world.know_dialects();
  world.resolve();
  world.pass(10'000);
  check_said(world.resolve().front(), 0, Kind::finished, -1);
  CHECK(world.gateways[0].asked == 1);
  world.gateways[1].sequence = 4;
  CHECK(world.resolve({.floor = Sequence{4}}).front().sequence == 4);
  CHECK(world.gateways[0].asked == 2);
}

TEST_CASE("a dead gateway is left alone for 30 s after three failures, then asked once (S1-19)") {
  World world(Gateways{{.refuses = true}, {.sequence = 1}});
  world.know_dialects();
  for (int i = 0; i < 10; ++i) world.resolve({.fresh = true});
  CHECK(world.gateways[0].asked == 3);
  world.pass(31'000);
  for (int i = 0; i < 10; ++i) world.resolve({.fresh = true});
  CHECK(world.gateways[0].asked == 4);
  world.pass(31'000);
  world.gateways[0] = {.sequence = 9};
  CHECK(world.resolve({.fresh = true}).front().sequence == 9);
}

TEST_CASE("a gateway that may be tried again, but that no race needed, stays free for the next") {
  World world(Gateways{{.sequence = 1}, {.tier = 2, .refuses = true}});
  world.know_dialects();
  world.gateways[0].refuses = true;
  for (int i = 0; i < 3; ++i) world.resolve({.fresh = true});
  CHECK(world.gateways[1].asked == 3);
  world.gateways[0].refuses = false;
  world.pass(31'000);
  CHECK(world.resolve({.fresh = true}).front().sequence == 1);
  CHECK(world.gateways[1].asked == 3);  // admitted, and not needed
  world.gateways[0].sequence = -1;
  world.gateways[1] = {.tier = 2, .sequence = 5};
  CHECK(world.resolve({.fresh = true}).front().sequence == 5);
}

TEST_CASE("a gateway that never answers counts as failing too") {
  World world(Gateways{{.latency = kNever}, {.sequence = 1}});
  world.know_dialects();
  for (int i = 0; i < 5; ++i) {
    const auto said = world.resolve({.fresh = true});
    CHECK(said.front().at <= 200);
  }
  CHECK(world.gateways[0].asked == 3);
}

TEST_CASE(
    "in 2000 random worlds every resolution has a word by 2 s and an end by 60 s, and never goes "
    "back") {
  const auto seed = make_rng()();
  INFO("seed " << seed);
  Rng rng(seed);
  const auto below = [&](int n) { return static_cast<int>(rng() % static_cast<uint64_t>(n)); };
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<FakeGateway> gateways(1 + static_cast<size_t>(below(5)));
    for (FakeGateway& gateway : gateways) {
      gateway.tier = 1 + below(3);
      gateway.latency = below(4) == 0 ? kNever : below(3) == 0 ? below(50'000) : below(1'500);
      gateway.sequence = below(3) == 0 ? -1 : below(5);
      gateway.refuses = below(5) == 0;
    }
    int best = -1;
    for (const FakeGateway& gateway : gateways) {
      const bool heard = !gateway.refuses && gateway.latency != kNever && gateway.latency < 300;
      if (gateway.tier == 1 && heard) best = std::max(best, gateway.sequence);
    }
    const int floor = below(5);
    World world(gateways);
    if (below(2) == 0) world.know_dialects();
    const auto said = world.resolve({.floor = Sequence{static_cast<uint64_t>(floor)}});
    CAPTURE(trial, floor);
    REQUIRE(said.front().at <= 2'000);
    REQUIRE(said.back().kind == Kind::finished);
    REQUIRE(said.back().at <= 60'000);
    if (best >= floor) REQUIRE(said.front().sequence >= floor);
    int last = -1;
    for (const auto& word : said) {
      REQUIRE(word.sequence >= last);
      last = word.sequence;
    }
  }
}
