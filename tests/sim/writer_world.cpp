#include "ipnscast/tests/sim/writer_world.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "ipnscast/tests/sim/writer_device.h"

namespace ipnscast::test {

using namespace sync;

namespace {

constexpr auto kLifetime = std::chrono::hours(48);
constexpr int64_t kDay = 24 * 3'600'000;

}  // namespace

WriterWorld::WriterWorld(uint64_t seed, Setup setup) : setup_(setup), rng_(seed) {
  now_ = Instant() + std::chrono::hours(1000);
  const auto add = [&](Place::Kind kind, size_t count, const char* name) {
    for (size_t i = 0; i < count; ++i)
      places_.push_back(
          std::make_unique<Place>(Place{name + std::to_string(i), kind, true, {}, {}}));
  };
  add(Place::Kind::own, setup_.own_nodes, "own");
  add(Place::Kind::kubo, setup_.kubo_nodes, "kubo");
  add(Place::Kind::relay, setup_.relays, "relay");
  for (size_t i = 0; i < setup_.devices; ++i) {
    auto device = std::make_unique<Device>();
    device->number = static_cast<int>(i);
    device->options.vector = setup_.vector;
    device->options.lifetime = kLifetime;
    device->options.handler_timeout = Milliseconds(60'000);
    device->resolves = chance(setup_.resolvers);
    device->prints = chance(setup_.printers);
    if (setup_.deciders > 0 && setup_.own_nodes > 0) {
      device->options.decider = true;
      const size_t which = setup_.deciders > 1 ? roll(setup_.own_nodes) : 0;
      device->decider = places_[which].get();
    }
    device->disk.tag.bytes[0] = static_cast<uint8_t>(i + 1);
    devices_.push_back(std::move(device));
  }
  for (auto& device : devices_) start(*device);
}

WriterWorld::~WriterWorld() = default;

void WriterWorld::require(bool holds, const std::string& promise) const {
  if (!holds) throw std::runtime_error(promise);
}

void WriterWorld::later(int64_t least_ms, int64_t most_ms, std::function<void()> event) {
  const auto wait =
      least_ms + static_cast<int64_t>(roll(static_cast<uint64_t>(most_ms - least_ms + 1)));
  agenda_.emplace(now_ + Milliseconds(wait), std::move(event));
}

void WriterWorld::later(Device& device, int64_t least_ms, int64_t most_ms,
                        std::function<void()> event) {
  later(least_ms, most_ms, [&device, epoch = device.epoch, event = std::move(event)] {
    if (device.epoch == epoch && device.up()) event();
  });
}

Now WriterWorld::clock_of(const Device& device) const { return {now_, {wall_ + device.clock_off}}; }

void WriterWorld::run(Milliseconds duration) {
  const Instant end = now_ + duration;
  while (!agenda_.empty() && agenda_.begin()->first <= end) {
    const auto next = agenda_.begin()->first;
    wall_ += std::chrono::duration_cast<Milliseconds>(next - now_).count();
    now_ = next;
    const auto event = std::move(agenda_.begin()->second);
    agenda_.erase(agenda_.begin());
    event();
  }
  wall_ += std::chrono::duration_cast<Milliseconds>(end - now_).count();
  now_ = end;
}

bool WriterWorld::reaches(const Device& device, const Place& place) const {
  return place.up && !parted_.contains({&device, &place});
}

writer_input::Places WriterWorld::places_of(Device& device) const {
  writer_input::Places out;
  for (const auto& place : places_) {
    if (!reaches(device, *place)) continue;
    out.connected.insert(place->url);
    if (place->kind == Place::Kind::relay) out.relays.insert(place->url);
  }
  device.broadcast |= !out.relays.empty();
  out.broadcast = device.broadcast;
  return out;
}

void WriterWorld::lines_changed() {
  for (auto& device : devices_) {
    if (!device->up()) continue;
    feed(*device, places_of(*device));
    for (auto& place : places_) {
      if (place->kind != Place::Kind::relay || !reaches(*device, *place)) continue;
      later(*device, 5, 500, [this, &d = *device, &p = *place] { look(d, p); });
    }
  }
}

SeenRecord WriterWorld::make_record(std::string value, Sequence sequence, UnixMillis clock,
                                    std::optional<VersionVector> vector) {
  SeenRecord seen;
  seen.record.value = std::move(value);
  seen.record.sequence = sequence;
  seen.record.eol = Eol::after(clock, kLifetime);
  const uint64_t tie = rng_();
  seen.record.data.resize(16);
  std::memcpy(seen.record.data.data(), &tie, 8);
  std::memcpy(seen.record.data.data() + 8, &++serial_, 8);
  seen.record.bytes = seen.record.data;
  seen.vector = std::move(vector);
  // What devices send each other is what the codec makes of it.
  if (seen.vector) {
    const auto read = decode_vector(encode_vector(*seen.vector));
    require(read == seen.vector, "a version vector comes back from a record as it was put in");
  }
  signed_.emplace(seen.record.bytes, seen.vector);
  return seen;
}

// `instead_of`: the record that is to be there; only our own nodes know conditions.
SeenRecord WriterWorld::as_signed(const KnownRecord& record) const {
  return {record, signed_.at(record.bytes)};
}

void WriterWorld::put(Place& place, const KnownRecord& record,
                      const std::optional<Bytes>& instead_of) {
  const SeenRecord seen = as_signed(record);
  auto& stored = place.stored;
  if (!stored) {
    stored = seen;
    return;
  }
  if (place.kind == Place::Kind::own) {
    if (instead_of == stored->record.bytes && wins_over(seen.record, stored->record)) stored = seen;
    return;
  }
  // name/put for a new value, routing/put for a later end of life.
  const bool renewal = stored->version() == seen.version();
  if (renewal ? wins_over(seen.record, stored->record)
              : seen.record.sequence > stored->record.sequence)
    stored = seen;
}

void WriterWorld::push(Place& relay) {
  for (auto& device : devices_) {
    if (!device->up() || !reaches(*device, relay) || chance(odds_.lost)) continue;
    later(*device, 5, 800, [this, &d = *device, &relay] { look(d, relay); });
  }
}

// The device's hint at a relay: created_at is max(now, last + 1).
void WriterWorld::announce(Device& device, Place& relay) {
  const SeenRecord owed = as_signed(device.disk.owed->record);
  const UnixSeconds now = clock_of(device).seconds();
  const UnixSeconds at{device.mark && *device.mark >= now ? device.mark->value + 1 : now.value};
  device.mark = at;
  if (chance(odds_.lost)) return;
  later(5, 500, [this, &device, &relay, owed, at] {
    if (!relay.up || at.value > wall_ / 1000 + 900) return;  // "too far in the future"
    const bool newer = !relay.event || at > relay.event->created_at;
    if (newer) {
      relay.event = Event{owed, at};
      push(relay);
    }
    if (!device.up() || !reaches(device, relay)) return;
    later(device, 5, 300, [this, &device, &relay, owed] {
      if (!reaches(device, relay)) return;
      look(device, relay);
      if (!relay.event) return;
      if (relay.event->seen.record == owed.record) device.brought[relay.url] = owed.record.bytes;
    });
  });
}

// An errand: what is there is looked at first, and never replaced by another value of its sequence.
void WriterWorld::bring(Device& device, Place& place) {
  if (!device.disk.owed || !reaches(device, place)) return;
  const SeenRecord owed = *device.disk.owed;
  const auto brought = device.brought.find(place.url);
  if (brought != device.brought.end() && brought->second == owed.record.bytes) return;
  look(device, place);
  if (!device.up() || device.disk.owed != owed) return;
  const auto there = place.shows();
  if (there && there->record == owed.record) {
    device.brought[place.url] = owed.record.bytes;
    return;
  }
  if (place.kind == Place::Kind::relay) {
    // A newer event that tells an older state: ours again, above it.
    if (!there || wins_over(owed.record, there->record)) announce(device, place);
    return;
  }
  const bool may = !there || there->record.sequence < owed.record.sequence ||
                   (there->version() == owed.version() && wins_over(owed.record, there->record));
  if (!may || chance(odds_.lost)) return;
  const auto instead_of = there ? std::optional(there->record.bytes) : std::nullopt;
  // On its way it is nobody's any more: it may arrive late, also when the sender is gone.
  later(5, chance(5) && !healed_ ? 30'000 : 500, [this, &device, &place, owed, instead_of] {
    if (!place.up) return;
    put(place, owed.record, instead_of);
    if (!device.up()) return;
    later(device, 5, 300, [this, &device, &place] {
      if (reaches(device, place) && !chance(odds_.lost)) look(device, place);
    });
  });
}

void WriterWorld::poll(Device& device) {
  for (auto& place : places_) {
    if (!reaches(device, *place) || chance(odds_.lost)) continue;
    later(device, 5, 2'000, [this, &device, &place = *place] {
      if (!reaches(device, place)) return;
      look(device, place);
      // Read repair: who lags gets what is known here.
      const auto& known = device.disk.known;
      const auto there = place.stored;
      if (place.kind == Place::Kind::relay || !known || !device.up()) return;
      if (there && there->record.sequence >= known->record.sequence) return;
      if (known != device.writer->state().known) return;
      for (const OwnPublish& own : device.disk.own) {
        if (own.alive() && own.queued) return;
        if (own.state == OwnPublish::State::tentative && own.value() == known->record.value) return;
      }
      const auto instead_of = there ? std::optional(there->record.bytes) : std::nullopt;
      later(5, 500, [this, &place, seen = *known, instead_of] {
        if (place.up) put(place, seen.record, instead_of);
      });
    });
  }
  later(device, 10'000, 45'000, [this, &device] { poll(device); });
}

// A Kubo with the same key: name publish over what it has, or its republisher.
void WriterWorld::foreign_write() {
  for (auto& place : places_) {
    if (place->kind != Place::Kind::kubo || !place->stored) continue;
    const SeenRecord stored = *place->stored;
    if (chance(60)) {
      place->stored = make_record(stored.record.value, stored.record.sequence,
                                  {wall_ + static_cast<int64_t>(roll(1000))}, {});
      return;
    }
    std::string value = new_edit(-1, chance(70) ? truth(stored.record.value) : Edits{});
    place->stored = make_record(std::move(value), {stored.record.sequence.value + 1}, {wall_}, {});
    return;
  }
}

size_t WriterWorld::remaining() const {
  return static_cast<size_t>(std::count_if(devices_.begin(), devices_.end(),
                                           [](const auto& device) { return !device->gone; }));
}

void WriterWorld::step() {
  Device& device = *devices_[roll(devices_.size())];
  Place& place = *places_[roll(places_.size())];
  switch (roll(20)) {
    case 0:
      if (device.up()) crash(device);
      break;
    case 1:
      place.up = !place.up || chance(50);
      lines_changed();
      break;
    case 2:  // a device loses a line, or finds it again
    case 3:
      if (!parted_.insert({&device, &place}).second) parted_.erase({&device, &place});
      lines_changed();
      break;
    case 4:  // or all of them
      for (auto& one : places_) parted_.insert({&device, one.get()});
      lines_changed();
      break;
    case 5:
    case 6:
      for (auto& one : places_) parted_.erase({&device, one.get()});
      lines_changed();
      break;
    case 7: {
      const int64_t jumps[] = {0, 0, 0, 5'000, -5'000, 600'000, 3 * kDay, -kDay, 365 * kDay};
      device.clock_off = jumps[roll(std::size(jumps))];
      break;
    }
    case 8:
      if (place.kind == Place::Kind::relay && chance(30)) place.event.reset();  // it loses it
      break;
    case 9:
      if (setup_.foreign_writer && chance(20)) foreign_write();
      break;
    case 10:
      if (chance(5) && device.up() && remaining() > 2) {
        crash(device);
        device.gone = true;
      }
      break;
    case 11:
      if (device.up()) feed(device, writer_input::Renew{});
      break;
    case 12:
      if (device.up()) take_in(device);
      break;
    case 13:
      if (device.up() && chance(10)) {  // somebody else runs on a copy, and has published
        VersionVector vector;
        vector.raise(device.disk.tag, {device.disk.count + 5, {1}});
        const auto& known = device.disk.known;
        if (!known) break;
        feed(device, writer_input::Saw{make_record(known->record.value, {0}, {wall_}, vector), {}});
      }
      break;
    default:
      if (device.up()) edit(device, false);
      break;
  }
  run(Milliseconds(roll(chance(10) ? 60'000 : 1'500)));
}

void WriterWorld::heal() {
  odds_ = {0, 0, 0};
  healed_ = true;
  parted_.clear();
  for (auto& place : places_) place->up = true;
  for (auto& device : devices_) {
    device->clock_off = 0;
    if (!device->up() && !device->gone) start(*device);
    device->wants_to_publish = !device->gone;
  }
  lines_changed();
  for (auto& device : devices_) {
    if (device->up()) later(*device, 0, 20'000, [this, &d = *device] { edit(d, true); });
  }
}

void WriterWorld::check_rest() {
  std::optional<Version> version;
  const auto agree = [&](const std::optional<SeenRecord>& seen, const std::string& where) {
    require(seen.has_value(), "there is one record everywhere: none at " + where);
    if (!version) version = seen->version();
    require(seen->version() == *version,
            "there is one record everywhere: sequence " +
                std::to_string(seen->record.sequence.value) + " " + seen->record.value + " at " +
                where + ", not " + std::to_string(version->sequence.value) + " " + version->value);
  };
  for (auto& place : places_) agree(place->shows(), place->url);
  for (auto& device : devices_) {
    if (device->gone) continue;
    const std::string where = "device " + std::to_string(device->number);
    agree(device->writer->state().known, where);
    require(!device->wants_to_publish, "everybody gets to publish again: " + where);
    require(device->publishing.empty(), "every publish is answered: " + where);
    require(!device->writer->owes_report(), "every loss is told: " + where);
    for (const OwnPublish& own : device->writer->state().own) {
      require(own.state == OwnPublish::State::settled || own.state == OwnPublish::State::lost,
              "every own publish is settled or reported: " + own.value() + " of " + where +
                  " in state " + std::to_string(static_cast<int>(own.state)));
    }
  }
  const Edits& final = truth(version->value);
  for (const int edit : owned_) {
    const int author = author_of_[static_cast<size_t>(edit)];
    if (devices_[static_cast<size_t>(author)]->gone) continue;
    require(
        final.contains(edit) || reported_.contains(edit),
        "nothing vanishes: edit " + std::to_string(edit) + " of device " + std::to_string(author));
  }
}

}  // namespace ipnscast::test
