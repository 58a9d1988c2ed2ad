#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/sync/writer/name_writer.h"

namespace ipnscast::test {

// Several devices that write one name, on a virtual clock: each with its own clock, which jumps and
// returns; nodes that take records as Kubo does or decide; relays that keep the event with the
// later created_at; lines that lose, delay and part; crashes at any step (what was committed
// survives); devices that never return; and a writer that is not one of ours. It keeps the true
// ancestry itself, by the version on which each edit was made, checks what WRITER.md calls safety
// at each action, and throws a std::runtime_error that names the broken promise.
class WriterWorld {
 public:
  struct Setup {
    size_t devices = 2;
    size_t kubo_nodes = 1;
    size_t own_nodes = 1;
    size_t relays = 1;
    int deciders = 0;   // 0 none, 1 the same on all devices, 2 the devices disagree
    int resolvers = 0;  // percent of devices where a program merges
    int printers = 20;  // percent of devices whose watch only prints
    bool vector = true;
    bool foreign_writer = true;
  };
  struct Odds {     // in percent
    int lost = 10;  // of requests, of answers, of pushes
    int disk_failure = 1;
    int signer_failure = 1;
  };

  WriterWorld(uint64_t seed, Setup setup);
  ~WriterWorld();

  // Something happens somewhere, then time goes on a little.
  void step();
  // All lines are up, clocks right, devices back (but those that are gone for good); everyone takes
  // in what there is and publishes once more. Then so much time passes.
  void heal();
  void run(Milliseconds duration);
  // What must hold after heal() and ten minutes.
  void check_rest();

  size_t publishes() const { return publishes_; }
  size_t refusals() const { return refusals_; }
  size_t reports() const { return reports_; }
  size_t crashes() const { return crashes_; }
  size_t edits_owned() const { return owned_.size(); }

 private:
  using Edits = std::set<int>;
  struct Event {
    sync::SeenRecord seen;
    UnixSeconds created_at;
  };
  struct Place {
    enum class Kind { kubo, own, relay };
    std::string url;
    Kind kind = Kind::kubo;
    bool up = true;
    std::optional<sync::SeenRecord> stored;  // of nodes
    std::optional<Event> event;              // of relays
    std::optional<sync::SeenRecord> shows() const {
      return event ? std::optional(event->seen) : stored;
    }
  };
  struct Device;

  // writer_world.cpp: time, lines, places
  void later(int64_t least_ms, int64_t most_ms, std::function<void()> event);
  void later(Device& device, int64_t least_ms, int64_t most_ms, std::function<void()> event);
  Now clock_of(const Device& device) const;
  bool chance(int percent) { return roll(100) < static_cast<uint64_t>(std::max(percent, 0)); }
  uint64_t roll(uint64_t below) {
    return std::uniform_int_distribution<uint64_t>(0, below - 1)(rng_);
  }
  bool reaches(const Device& device, const Place& place) const;
  sync::writer_input::Places places_of(Device& device) const;
  void lines_changed();
  void put(Place& place, const sync::KnownRecord& record, const std::optional<Bytes>& instead_of);
  void announce(Device& device, Place& relay);
  void push(Place& relay);
  void bring(Device& device, Place& place);
  void poll(Device& device);
  void foreign_write();
  size_t remaining() const;  // devices that are not gone for good
  sync::SeenRecord make_record(std::string value, sync::Sequence sequence, UnixMillis clock,
                               std::optional<sync::VersionVector> vector);
  // The record with the vector that is in it, whatever a device has learned beside.
  sync::SeenRecord as_signed(const sync::KnownRecord& record) const;
  void require(bool holds, const std::string& promise) const;

  // writer_device.cpp: one device and its application
  void start(Device& device);
  void crash(Device& device);
  void feed(Device& device, sync::WriterInput input);
  void look(Device& device, const Place& place);
  void act(Device& device, sync::writer_action::Ask& a);
  void act(Device& device, sync::writer_action::Sign& a);
  void act(Device& device, sync::writer_action::Commit& a);
  void act(Device& device, sync::writer_action::Decide& a);
  void act(Device& device, sync::writer_action::AskDecider& a);
  void act(Device& device, sync::writer_action::Send& a);
  void act(Device& device, sync::writer_action::SendAgain& a);
  void act(Device& device, sync::writer_action::Answer& a);
  void act(Device& device, sync::writer_action::AskResolution& a);
  void act(Device& device, sync::writer_action::NewIdentity& a);
  void wake(Device& device);
  void tell(Device& device);
  Edits lost_with(const Device& device, const sync::OwnPublish& ours) const;
  bool clock_allows(Device& device);
  void edit(Device& device, bool stubborn);
  void take_in(Device& device);
  void watch(Device& device);
  const Edits& truth(const std::string& value) const { return truth_.at(value); }
  std::string new_edit(int author, Edits made_on);
  void check_disk(Device& device, const sync::WriterState& before);

  const Setup setup_;
  Rng rng_;
  Instant now_;
  int64_t wall_ = 1'790'000'000'000;
  bool healed_ = false;
  Odds odds_;
  std::vector<std::unique_ptr<Place>> places_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::multimap<Instant, std::function<void()>> agenda_;
  std::set<std::pair<const Device*, const Place*>> parted_;

  std::map<std::string, Edits> truth_;  // by value: every edit that is in it
  std::map<std::string, int> edit_of_;  // by value: the edit that made it
  std::vector<int> author_of_;          // by edit; -1: the foreign writer
  Edits owned_;                         // edits that a device has committed as published
  Edits reported_;
  struct Replacing {
    bool on_base = false;
    Edits replaced{};  // without a base: what was known when it was signed
  };
  std::map<std::string, Replacing> over_;  // by value
  std::set<std::string> again_;  // values published again over what came after: that is lost anew
  // By record: its vector.
  std::map<Bytes, std::optional<sync::VersionVector>, BytesLess> signed_;
  uint64_t serial_ = 0;
  uint64_t next_publish_ = 0;

  size_t publishes_ = 0;
  size_t refusals_ = 0;
  size_t reports_ = 0;
  size_t crashes_ = 0;
};

}  // namespace ipnscast::test
