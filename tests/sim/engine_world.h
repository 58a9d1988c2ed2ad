#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ipnscast/sync/engine/engine.h"
#include "ipnscast/tests/sim/noted_versions.h"

namespace ipnscast::test {

// Everything around a sync::Engine, scripted on a virtual clock: publishers with a true history,
// sources that lag, lie by omission, fail or never answer, a store whose commits can be lost, a
// handler that fails, somebody who pulls the changes of the first name, a handler that wants every
// version of the second, replays, and crashes at any step. It
// checks the engine's promises at each action and throws a std::runtime_error that names the broken
// one.
class EngineWorld {
 public:
  struct Odds {             // in percent
    int lost_answer = 3;    // work that is never answered
    int failure = 15;       // of fetches, polls, resolutions, commits and handlers
    int stale_answer = 30;  // an old record instead of the latest
    int crash = 1;          // per step
    int refused = 0;        // of values: by whoever validates them, whenever they come
    int hang = 0;           // of handlers: they do not return before their deadline
  };

  EngineWorld(uint64_t seed, sync::EngineOptions options, size_t names);

  // Something happens: a publication, true or forged news, a health change, a crash; then time goes
  // on a little.
  void step();
  // Everybody tells the truth and nothing fails, for so long.
  void calm(Milliseconds duration);
  void run(Milliseconds duration);
  void crash();

  // The record that every device must agree on now.
  const sync::KnownRecord* best(const sync::IpnsName& name) const;
  // The last proved value that the handler took.
  const std::string& handled(const sync::IpnsName& name) { return truth_.at(name).handled; }
  // Whoever looks at values refuses this one, always.
  bool refuses(const std::string& value) const;

  // That it took this was never committed: what followed at once may have come instead of it.
  bool is_unsaid(const sync::IpnsName& name) const {
    return truth_.at(name).unsaid == truth_.at(name).handled;
  }

  void publish(const sync::IpnsName& name);
  void conflict(const sync::IpnsName& name);
  void hint(const sync::IpnsName& name);

  const std::vector<sync::IpnsName>& names() const { return names_; }
  const sync::Engine& engine() const { return *engine_; }
  size_t deliveries() const { return deliveries_; }
  size_t lookups() const { return lookups_; }
  size_t fetches() const { return fetches_; }
  size_t crashes() const { return crashes_; }
  size_t older() const { return older_; }
  size_t replayed() const { return replayed_; }
  Now now() const { return now_; }
  Odds odds;

 private:
  struct Truth {
    std::vector<sync::KnownRecord> records;       // everything that verifies for the name
    std::set<std::string> claimed;                // values that trusted authors claimed
    std::set<std::string> fetched;                // content that was brought and verified
    std::optional<sync::Sequence> last_sequence;  // handed over last
    std::string handled;
    uint64_t taken = 0;  // its number
    std::string unsaid;  // was taken, and a crash came before that was committed
    // Versions that were refused, as far as the engine can know it after the last crash.
    std::set<std::pair<sync::Sequence, std::string>> refused;
    bool taking = false;                 // of the name whose changes are pulled
    std::optional<sync::JobId> offered;  // the handler runs, and is listened to
    sync::NameRow committed;
    NotedVersions noted;
    uint64_t next_value = 0;
  };
  using Event = std::function<void()>;

  void start();
  void feed(sync::Input input);
  void later(int64_t least_ms, int64_t most_ms, Event event);
  void answer(int64_t least_ms, int64_t most_ms, sync::Input input);
  bool chance(int percent);
  uint64_t roll(uint64_t below) {
    return std::uniform_int_distribution<uint64_t>(0, below - 1)(rng_);
  }
  const sync::IpnsName& any_name() { return names_[roll(names_.size())]; }
  const sync::KnownRecord* some_record(const sync::IpnsName& name);
  void require(bool holds, const std::string& promise) const;
  bool pulls(const sync::IpnsName& name) const { return name == names_.front(); }
  bool every_version(const sync::IpnsName& name) const {
    return names_.size() > 1 && name == names_[1];
  }
  void check_order(Truth& truth, const sync::Change& change);
  void watch(const sync::IpnsName& name);
  sync::Handled handle(const sync::Change& change);
  void add_record(Truth& truth, uint64_t sequence, std::string value, bool expired);

  void act(sync::action::Resolve& a);
  void act(sync::action::Poll& a);
  void act(sync::action::Fetch& a);
  void act(sync::action::Cancel& a);
  void act(sync::action::Commit& a);
  void act(sync::action::ReadVersion& a);
  void act(sync::action::Deliver& a);
  void act(sync::action::Offer& a);
  void act(sync::action::Revoke& a);
  void act(sync::action::Load&) {}
  void act(sync::action::NewDeviceId&) {}
  void act(sync::action::Alarm&) {}

  sync::EngineOptions options_;
  Rng rng_;
  Now now_;
  std::vector<sync::IpnsName> names_;
  std::map<sync::IpnsName, Truth> truth_;
  std::unique_ptr<sync::Engine> engine_;
  std::multimap<Instant, Event> agenda_;
  size_t deliveries_ = 0;
  size_t lookups_ = 0;
  size_t fetches_ = 0;
  size_t crashes_ = 0;
  size_t older_ = 0;
  size_t replayed_ = 0;
};

// Authors 0 and 1 are trusted by world_options(), the others are strangers.
nostr::PublicKey world_author(uint8_t number);
sync::EngineOptions world_options();

}  // namespace ipnscast::test
