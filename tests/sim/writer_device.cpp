// A device of the world: its machine, its state file and the application on it. Over 400 lines: one
// class, whose crash may come between any two of its steps.
#include "ipnscast/tests/sim/writer_device.h"

#include <algorithm>

#include "ipnscast/sync/writer/clock_check.h"

namespace ipnscast::test {

using namespace sync;

void WriterWorld::start(Device& device) {
  device.writer = std::make_unique<NameWriter>(device.options, device.disk, rng_());
  device.brought.clear();
  device.wake.reset();
  device.broadcast = false;
  device.taking_in = false;
  device.telling.reset();
  // The application shows what it had taken in.
  device.version.reset();
  device.content.clear();
  if (const auto& base = device.disk.base) {
    device.version = base->version;
    device.content = truth(base->version.value);
  }
  feed(device, writer_input::Tick{});
  feed(device, writer_input::ProgramDecides{device.resolves});
  feed(device, places_of(device));
  later(device, 0, 2'000, [this, &device] { poll(device); });
}

void WriterWorld::crash(Device& device) {
  ++crashes_;
  ++device.epoch;
  device.writer.reset();
  device.publishing.clear();
  later(0, 20'000, [this, &device] {
    if (!device.up() && !device.gone) start(device);
  });
}

void WriterWorld::feed(Device& device, WriterInput input) {
  auto actions = device.writer->handle(std::move(input), clock_of(device));
  const uint64_t epoch = device.epoch;
  for (auto& action : actions) {
    if (device.epoch != epoch) return;
    std::visit([&](auto& a) { act(device, a); }, action);
  }
  if (device.epoch != epoch) return;
  wake(device);
  tell(device);
  watch(device);
}

void WriterWorld::wake(Device& device) {
  const auto next = device.writer->next_wake();
  if (!next || (device.wake && *device.wake <= *next && *device.wake > now_)) return;
  require(*next > now_, "no hot loop: the next wake-up lies ahead");
  device.wake = next;
  agenda_.emplace(*next, [this, &device, epoch = device.epoch, at = *next] {
    if (device.epoch != epoch || !device.up() || device.wake != at) return;
    device.wake.reset();
    device.broadcast = false;
    feed(device, writer_input::Tick{});
  });
}

void WriterWorld::look(Device& device, const Place& place) {
  if (place.event && place.event->created_at.value <= clock_of(device).seconds().value + 900) {
    if (!device.mark || *device.mark < place.event->created_at)
      device.mark = place.event->created_at;
  }
  if (const auto seen = place.shows()) {
    feed(device, writer_input::Saw{*seen, place.url});
  } else {
    feed(device, writer_input::ShowsNothing{place.url});
  }
}

void WriterWorld::act(Device& device, writer_action::Ask& a) {
  bool answered = false;
  bool all = true;
  for (auto& place : places_) {
    const bool answers = reaches(device, *place) && !chance(odds_.lost);
    answered |= answers;
    if (place->kind != Place::Kind::relay) all &= answers;
    if (answers) later(device, 5, 400, [this, &device, &place = *place] { look(device, place); });
  }
  if (chance(odds_.lost / 3)) return;
  later(device, 400, 600, [this, &device, job = a.job, answered, all] {
    feed(device, writer_input::Asked{job, answered, all});
  });
}

void WriterWorld::act(Device& device, writer_action::Sign& a) {
  const bool fails = chance(odds_.signer_failure);
  const auto over = over_.find(a.value);
  if (const auto& known = device.writer->state().known; known && over != over_.end())
    over->second.replaced = truth(known->record.value);
  later(device, 0, chance(5) ? 3'000 : 20, [this, &device, a, fails] {
    std::optional<KnownRecord> record;
    if (!fails) record = make_record(a.value, a.sequence, clock_of(device).wall, a.vector).record;
    feed(device, writer_input::Signed{a.job, std::move(record)});
  });
}

void WriterWorld::act(Device& device, writer_action::Commit& a) {
  const bool fails = chance(odds_.disk_failure);
  later(device, 1, 20, [this, &device, a, fails] {
    if (!fails) {
      const WriterState before = std::exchange(device.disk, a.state);
      check_disk(device, before);
    }
    later(device, 0, 5, [this, &device, job = a.job, fails] {
      feed(device, writer_input::Committed{job, !fails});
    });
  });
}

// What the file says now against what it said before.
void WriterWorld::check_disk(Device& device, const WriterState& before) {
  require(device.disk.count >= before.count || device.disk.tag != before.tag,
          "a count is never given again");
  for (const OwnPublish& own : device.disk.own) {
    const int edit = edit_of_.at(own.value());
    const bool ours = author_of_[static_cast<size_t>(edit)] == device.number;
    if (!ours) continue;
    const bool tentative = own.state == OwnPublish::State::tentative;
    if (!tentative) owned_.insert(edit);
    const auto over = over_.find(own.value());
    if (over == over_.end() || !(tentative || own.alive())) continue;
    // What this device replaces it replaces knowingly. Without a base it tells the writer of the
    // version that it replaces, and nobody else.
    const bool on_base = over->second.on_base;
    for (const int one : on_base ? owned_ : over->second.replaced) {
      const bool own_edit = author_of_[static_cast<size_t>(one)] == device.number;
      if (!truth(own.value()).contains(one) && (own_edit || !on_base)) reported_.insert(one);
    }
    over_.erase(over);
  }
  for (const OwnPublish& was : before.own) {
    const bool kept = std::any_of(device.disk.own.begin(), device.disk.own.end(), [&](auto& own) {
      return own.tag == was.tag && own.count == was.count;
    });
    if (kept || !was.alive()) continue;
    for (const int edit : truth(was.value())) {
      if (author_of_[static_cast<size_t>(edit)] != device.number || !owned_.contains(edit))
        continue;
      const auto holds = [&](const OwnPublish& own) { return truth(own.value()).contains(edit); };
      require(std::any_of(device.disk.own.begin(), device.disk.own.end(), holds) ||
                  (device.disk.known && truth(device.disk.known->record.value).contains(edit)) ||
                  reported_.contains(edit),
              "none is dropped unreported: " + was.value());
    }
  }
}

void WriterWorld::act(Device& device, writer_action::Decide& a) {
  Place& place = *device.decider;
  if (!reaches(device, place)) {
    later(device, 10, 100, [this, &device, job = a.job] {
      feed(device, writer_input::Decided{job, writer_input::Decided::Answer::nothing, {}, true});
    });
    return;
  }
  const bool arrives = !chance(odds_.lost);
  const bool answers = arrives && !chance(odds_.lost);
  const bool silent = chance(20);  // nobody says that the line is dead
  const SeenRecord seen = as_signed(a.record);
  later(5, 300, [this, &device, &place, seen, a, arrives, answers, silent, epoch = device.epoch] {
    using Said = writer_input::Decided::Answer;
    writer_input::Decided said{a.job, Said::nothing, {}, false};
    if (arrives && place.up) {
      const auto there = place.stored ? std::optional(place.stored->record.bytes) : std::nullopt;
      const bool same = there == seen.record.bytes;
      if (same || there == a.instead_of) {
        if (!same) place.stored = seen;
        said.answer = Said::stored;
      } else {
        said.answer = Said::refused;
        said.stored = place.stored;
      }
    }
    if (!device.up() || device.epoch != epoch) return;
    if (!answers || !reaches(device, place)) {
      if (silent) return;
      said = {a.job, Said::nothing, {}, false};
    }
    later(device, 5, 300, [this, &device, said] { feed(device, said); });
  });
}

void WriterWorld::act(Device& device, writer_action::AskDecider& a) {
  Place& place = *device.decider;
  const bool answers = reaches(device, place) && !chance(odds_.lost);
  later(device, 5, 500, [this, &device, &place, job = a.job, answers] {
    if (answers && reaches(device, place)) {
      feed(device, writer_input::DeciderHas{job, true, place.stored});
    } else {
      feed(device, writer_input::DeciderHas{job, false, {}});
    }
  });
}

void WriterWorld::act(Device& device, writer_action::Send& a) {
  require(device.disk.owed && device.disk.owed->record == a.seen.record,
          "nothing is sent that is not committed");
  for (auto& place : places_) {
    // Until it is there or something else is owed.
    const auto again = std::make_shared<std::function<void()>>();
    *again = [this, &device, &place = *place, bytes = a.seen.record.bytes,
              weak = std::weak_ptr(again)] {
      const auto self = weak.lock();
      if (!device.disk.owed || device.disk.owed->record.bytes != bytes) return;
      bring(device, place);
      if (device.up()) later(device, 3'000, 15'000, [self] { (*self)(); });
    };
    later(device, 1, 50, [again] { (*again)(); });
  }
}

void WriterWorld::act(Device& device, writer_action::SendAgain& a) {
  require(device.disk.owed && device.disk.owed->record == a.seen.record,
          "nothing is sent again that is not owed");
  device.brought.erase(a.place);
  const auto place = std::find_if(places_.begin(), places_.end(),
                                  [&](const auto& one) { return one->url == a.place; });
  if (chance(odds_.lost)) return;
  later(device, 1, 50, [this, &device, &one = **place] { bring(device, one); });
}

void WriterWorld::act(Device& device, writer_action::Answer& a) {
  using Result = writer_action::Answer::Result;
  const auto asked = device.publishing.find(a.id.value);
  require(asked != device.publishing.end(), "a publish is answered once");
  const std::string value = asked->second;
  device.publishing.erase(asked);
  const int edit = edit_of_.at(value);
  const auto row = std::find_if(device.disk.own.begin(), device.disk.own.end(),
                                [&](const OwnPublish& own) { return own.value() == value; });
  const bool there = row != device.disk.own.end();
  switch (a.result) {
    case Result::published:
    case Result::queued:
      require(there ? row->state != OwnPublish::State::tentative : owned_.contains(edit),
              "nobody acknowledges what its state does not show");
      ++publishes_;
      device.wants_to_publish = false;
      if (device.writer->state().base && device.writer->state().base->version == a.version)
        device.version = a.version;
      break;
    case Result::conflict:
      ++refusals_;
      if (owned_.contains(edit)) {
        require(there && row->state == OwnPublish::State::lost, "what is called lost is kept");
        const Edits lost = lost_with(device, *row);
        reported_.insert(lost.begin(), lost.end());
      }
      break;
    case Result::unreachable:
    case Result::failed:
      require(!owned_.contains(edit), "what is committed is not called failed");
      break;
    case Result::perhaps:
      require(there && row->state == OwnPublish::State::tentative,
              "what may be stored stays in the state");
      break;
  }
  if (device.wants_to_publish && device.publishing.empty() && healed_) {
    later(device, 200, 5'000, [this, &device] { this->edit(device, true); });
  }
}

// What the device's application has to count as lost once it hears of this one.
WriterWorld::Edits WriterWorld::lost_with(const Device& device, const OwnPublish& ours) const {
  const Edits& theirs = truth(ours.theirs->record.value);
  const bool known_here = ours.theirs->vector && ours.theirs->vector->of(ours.tag);
  Edits lost;
  for (const int edit : truth(ours.value())) {
    if (author_of_[static_cast<size_t>(edit)] != device.number) continue;
    // Where the vector does not speak of this device, all of it is in doubt from now on.
    if (!theirs.contains(edit) || !ours.certain || !known_here) lost.insert(edit);
  }
  return lost;
}

// The application hears of what was displaced.
void WriterWorld::tell(Device& device) {
  const auto report = device.writer->report();
  if (!report || device.telling) return;
  ++reports_;
  device.telling = report->ours;
  const OwnPublish& ours = report->ours;
  const auto row = std::find_if(
      device.disk.own.begin(), device.disk.own.end(),
      [&](const OwnPublish& own) { return own.tag == ours.tag && own.count == ours.count; });
  require(row != device.disk.own.end() && row->state == OwnPublish::State::lost,
          "nobody reports what its state does not show");
  require(signed_.contains(ours.theirs->record.bytes), "what displaced it exists");
  const Edits lost = lost_with(device, ours);
  const int edit = edit_of_.at(ours.value());
  const bool own = author_of_[static_cast<size_t>(edit)] == device.number;
  if (ours.certain && !again_.contains(ours.value())) {
    // What others published may say that it contains ours, where it replaced what did.
    const auto misses = [&](int one) {
      return author_of_[static_cast<size_t>(one)] == device.number &&
             !truth(ours.theirs->record.value).contains(one);
    };
    const bool any = !lost.empty() || std::any_of(owned_.begin(), owned_.end(), misses);
    require(own ? lost.contains(edit) : any, "no value whose ancestry holds is called lost: " +
                                                 ours.value() + " by " + ours.theirs->record.value);
  }
  if (report->common) {
    require(truth(ours.value()).contains(edit_of_.at(report->common->value)),
            "the common version is in ours");
  }
  reported_.insert(lost.begin(), lost.end());
  later(device, 1, 300, [this, &device, tag = ours.tag, count = ours.count] {
    device.telling.reset();
    feed(device, writer_input::Told{tag, count});
  });
}

void WriterWorld::act(Device& device, writer_action::AskResolution& a) {
  require(a.ours.state == OwnPublish::State::lost, "only what was lost is to be resolved");
  if (chance(odds_.lost)) return;  // the handler hangs
  later(device, 50, 5'000, [this, &device, a] {
    writer_input::Resolved answer{a.job, writer_input::Resolved::Choice::merged, {}};
    const uint64_t which = roll(10);
    if (which == 0 && !healed_) {
      answer.choice =
          chance(50) ? writer_input::Resolved::Choice::wait : writer_input::Resolved::Choice::later;
    } else if (which == 1) {
      answer.choice = writer_input::Resolved::Choice::theirs;
    } else if (which == 2) {
      answer.choice = writer_input::Resolved::Choice::ours;
      over_[a.ours.value()].on_base = true;
      again_.insert(a.ours.value());
    } else {
      Edits both = truth(a.ours.value());
      both.insert(truth(a.theirs.record.value).begin(), truth(a.theirs.record.value).end());
      answer.value = new_edit(device.number, std::move(both));
    }
    feed(device, std::move(answer));
  });
}

void WriterWorld::act(Device& device, writer_action::NewIdentity&) {
  DeviceTag tag;
  tag.bytes[0] = static_cast<uint8_t>(device.number + 1);
  tag.bytes[1] = static_cast<uint8_t>(++device.identity);
  later(device, 1, 100, [this, &device, tag] { feed(device, writer_input::Identity{tag}); });
}

std::string WriterWorld::new_edit(int author, Edits made_on) {
  const int edit = static_cast<int>(author_of_.size());
  author_of_.push_back(author);
  std::string value = "/ipfs/e" + std::to_string(edit);
  made_on.insert(edit);
  truth_.emplace(value, std::move(made_on));
  edit_of_.emplace(value, edit);
  return value;
}

// Before anything is signed: does the clock make sense?
bool WriterWorld::clock_allows(Device& device) {
  std::optional<UnixSeconds> mark = device.mark;
  std::optional<UnixSeconds> witness;
  for (const auto& place : places_) {
    if (!reaches(device, *place)) continue;
    witness = UnixSeconds{wall_ / 1000};
    if (place->event && (!mark || *mark < place->event->created_at))
      mark = place->event->created_at;
  }
  if (!mark) return true;
  switch (judge_clock(clock_of(device).seconds(), *mark, witness)) {
    case ClockVerdict::fine:
      return true;
    case ClockVerdict::mark_was_wrong:
      device.mark.reset();
      return true;
    case ClockVerdict::clock_is_wrong:
      require(device.clock_off != 0, "nobody whose clock is right is locked out");
      return false;
    case ClockVerdict::no_witness:
      return false;
  }
  return false;
}

// The application changes what it shows and publishes that. `stubborn`: it takes in first what
// there is.
void WriterWorld::edit(Device& device, bool stubborn) {
  if (!clock_allows(device)) return;
  if (stubborn) take_in(device);
  if (!device.up()) return;
  writer_input::Publish publish;
  publish.id = {++next_publish_};
  publish.value = new_edit(device.number, device.content);
  publish.wait = chance(30);
  if (chance(40)) publish.based_on = device.version;
  if (!stubborn) {
    publish.replace = chance(5);
    const auto& known = device.writer->state().known;
    if (chance(15)) publish.expect = known ? known->record.sequence : Sequence{0};
  }
  device.content = truth(publish.value);
  const auto& base = device.writer->state().base;
  const auto& at = device.writer->state().known;
  const bool over = publish.expect && !publish.based_on && at &&
                    (!base || base->version.value != at->record.value);
  if (publish.replace || over) over_[publish.value].on_base = base.has_value();
  device.publishing.emplace(publish.id.value, publish.value);
  feed(device, std::move(publish));
}

// The application takes the known version in.
void WriterWorld::take_in(Device& device) {
  device.taking_in = false;
  const auto known = device.writer->state().known;
  if (!known || !device.disk.known || known->version() != device.disk.known->version()) return;
  if (device.writer->owes_report()) return;  // which comes first
  const Edits& theirs = truth(known->record.value);
  for (const int edit : device.content) {
    const bool ours = author_of_[static_cast<size_t>(edit)] == device.number;
    require(!ours || !owned_.contains(edit) || theirs.contains(edit) || reported_.contains(edit),
            "a loss is told before the change that brings it: edit " + std::to_string(edit));
  }
  device.version = known->version();
  device.content = theirs;
  feed(device, writer_input::TakenIn{*known});
}

// Changes are handed to the application.
void WriterWorld::watch(Device& device) {
  if (device.prints || device.taking_in) return;
  const auto& known = device.writer->state().known;
  if (!known || device.version == known->version()) return;
  // No echo to who published it.
  if (const auto& base = device.writer->state().base; base && base->version == known->version())
    return;
  device.taking_in = true;
  later(device, 10, 800, [this, &device] { take_in(device); });
}

}  // namespace ipnscast::test
