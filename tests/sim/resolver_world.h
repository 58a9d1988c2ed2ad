#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/resolve/resolver_core.h"
#include "ipnscast/tests/support/catch.h"

namespace ipnscast::test {

inline constexpr int64_t kResolverEpoch = 1'800'000'000'000;
inline constexpr int kNever = -1;

inline sync::IpnsKey resolver_key() {
  return std::move(*sync::IpnsKey::from_bytes(sync::KeyType::ed25519, Bytes(32, 7)));
}

// Records are made once a sequence: signing them in thousands of trials would be all that the test
// does.
inline const Bytes& resolver_record(uint64_t sequence, std::chrono::nanoseconds ttl) {
  static std::map<std::pair<uint64_t, int64_t>, Bytes> made;
  Bytes& bytes = made[{sequence, ttl.count()}];
  if (bytes.empty()) {
    bytes = create_record(resolver_key(),
                          {.value = "/ipfs/bafkqaaa",
                           .sequence = {sequence},
                           .eol = sync::Eol::after({kResolverEpoch}, std::chrono::hours(48)),
                           .ttl = ttl})
                ->bytes();
  }
  return bytes;
}

// What a scripted gateway answers to a request for a record, and when. It is a trustless gateway
// and nothing else, or a delegated router and nothing else.
struct FakeGateway {
  int tier = 1;
  int latency = 50;      // ms; kNever: no answer at all
  int sequence = -1;     // of its record; -1: 404
  bool refuses = false;  // no connection
  std::chrono::nanoseconds ttl = std::chrono::minutes(5);
  bool router = false;
  int lost_percent = 0;  // of its answers: the connection breaks
  int asked = 0;         // for the record
};

using Gateways = std::vector<FakeGateway>;

// Gateways behind the HTTP interface, a clock that jumps from one thing to the next, and the
// resolver between them.
class ResolverWorld : public sync::gateway::Http {
 public:
  explicit ResolverWorld(Gateways scripted, uint64_t seed = 1)
      : gateways(std::move(scripted)),
        book_(entries(gateways)),
        rng_(seed),
        core_(*this, book_, {}, [this](auto task) { posted_.push_back(std::move(task)); }) {}

  sync::gateway::HttpId start(sync::gateway::HttpCall call,
                              sync::gateway::HttpHandlers handlers) override {
    const sync::gateway::HttpId id{++last_call_};
    FakeGateway& where = gateways.at(
        static_cast<size_t>(std::stoi(call.url.substr(std::string("http://g").size()))));
    const bool asks_record =
        call.url.find(where.router ? "/routing/v1/ipns/k51" : "?format=ipns-record") !=
        std::string::npos;
    if (asks_record) ++where.asked;
    const bool lost = static_cast<int>(rng_() % 100) < where.lost_percent;
    if (where.refuses || lost) {
      at(0, id, [handlers] { handlers.done(fail(Errc::unreachable, "refused"), {}); });
    } else if (where.latency == kNever) {
      at(static_cast<int>(call.deadline.count()), id,
         [handlers] { handlers.done(fail(Errc::timeout, "late"), {}); });
    } else {
      const FakeGateway then = where;
      at(where.latency, id, [=] { respond(call, handlers, asks_record, then); });
    }
    handlers_[id] = std::move(handlers);
    return id;
  }
  void cancel(sync::gateway::HttpId id) override {
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
  void resume(sync::gateway::HttpId) override {}

  // What a resolution said, and when.
  struct Said {
    int at = 0;  // ms since it was asked
    sync::ResolveUpdate::Kind kind;
    int sequence = -1;
  };
  // Runs until the resolution has finished.
  std::vector<Said> resolve(const sync::ResolveOptions& options = {}) {
    return resolve_at_once(1, options).front();
  }
  // The same for so many that begin at one instant.
  std::vector<std::vector<Said>> resolve_at_once(size_t count,
                                                 const sync::ResolveOptions& options) {
    std::vector<std::vector<Said>> said(count);
    size_t open = count;
    const int64_t begin = now_ms_;
    for (auto& mine : said) {
      core_.resolve(
          sync::LookupId{++last_lookup_}, name_, options,
          [this, begin, &mine, &open](const sync::ResolveUpdate& update) {
            const auto& best = update.report.best;
            mine.push_back({static_cast<int>(now_ms_ - begin), update.kind,
                            best ? static_cast<int>(best->fields().sequence.value) : -1});
            if (update.kind == sync::ResolveUpdate::Kind::finished) --open;
          },
          now());
    }
    while (open > 0) step();
    return said;
  }
  // Lets time pass with everything that happens in it.
  void pass(int milliseconds) {
    const int64_t end = now_ms_ + milliseconds;
    while (next() <= end) step();
    now_ms_ = end;
  }
  void know_dialects() {
    for (size_t i = 0; i < gateways.size(); ++i) {
      const bool router = gateways[i].router;
      book_.set_dialects(i, {.trustless = !router, .routing = router});
    }
  }
  // Requests for the record, at all gateways together.
  int asked() const {
    int all = 0;
    for (const FakeGateway& gateway : gateways) all += gateway.asked;
    return all;
  }
  sync::RecordCache::Stats cache_stats() { return core_.cache().stats(); }

  std::vector<FakeGateway> gateways;

 private:
  static std::vector<sync::gateway::GatewayBook::Entry> entries(
      const std::vector<FakeGateway>& gateways) {
    std::vector<sync::gateway::GatewayBook::Entry> out;
    for (size_t i = 0; i < gateways.size(); ++i) {
      out.push_back({{"http://g" + std::to_string(i), {}}, gateways[i].tier});
    }
    return out;
  }
  static void respond(const sync::gateway::HttpCall& call,
                      const sync::gateway::HttpHandlers& handlers, bool asks_record,
                      const FakeGateway& gateway) {
    sync::gateway::HttpHead head;
    head.status = 404;
    head.headers["content-type"] = "text/html";
    if (!gateway.router && call.url.find("bafkqaaa?format=raw") != std::string::npos) {
      head.status = 200;
      head.headers["content-type"] = "application/vnd.ipld.raw";
    }
    const bool found = asks_record && gateway.sequence >= 0;
    if (found) {
      head.status = 200;
      head.headers["content-type"] = "application/vnd.ipfs.ipns-record";
    }
    handlers.head(head);
    if (found)
      handlers.chunk(resolver_record(static_cast<uint64_t>(gateway.sequence), gateway.ttl));
    handlers.done({}, {});
  }

  Now now() const {
    return {Instant{} + std::chrono::hours(1) + Milliseconds(now_ms_), {kResolverEpoch + now_ms_}};
  }
  void at(int delay, sync::gateway::HttpId id, std::function<void()> run) {
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
  const sync::IpnsName name_ = resolver_key().name();
  std::multimap<int64_t, std::pair<sync::gateway::HttpId, std::function<void()>>> events_;
  std::map<sync::gateway::HttpId, sync::gateway::HttpHandlers> handlers_;
  std::deque<std::function<void(sync::ResolverCore&, Now)>> posted_;
  sync::gateway::GatewayBook book_;
  Rng rng_;
  sync::ResolverCore core_;
};

}  // namespace ipnscast::test
