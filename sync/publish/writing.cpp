// A publish on its way through the name's writer, and back to the caller.
#include "ipnscast/sync/publish/writing.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/state/history.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/sync/writer/writer_store.h"

namespace ipnscast::sync {
namespace {

using Answered = writer_action::Answer::Result;

constexpr Milliseconds kCommitTime{10'000};

std::string at(const Version& version) {
  return "sequence " + std::to_string(version.sequence.value) + " (" + version.value + ")";
}

// "(/ipfs/bafy..., by device 3fa9c1d2)"
std::string winner_text(const SeenRecord& winner) {
  std::string out = std::to_string(winner.record.sequence.value) + " (" + winner.record.value;
  const auto writer =
      winner.vector ? winner.vector->writer_of(winner.record.sequence) : std::optional<DeviceTag>();
  if (writer) out += ", by device " + to_hex(ByteView(writer->bytes)).substr(0, 8);
  return out + ")";
}

}  // namespace

Result<writer_action::Answer> Publisher::Task::wait() {
  const std::stop_callback wake(options.stop, [this] {
    std::lock_guard lock(mutex);
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return answer || (options.stop.stop_requested() && !committing); });
  if (answer) return *answer;
  if (record.empty()) {
    stopped = true;
    return fail(Errc::cancelled, "stopped before anything was published");
  }
  writer_action::Answer out{.result = writer_action::Answer::Result::published};
  if (const auto fields = peek_record(record)) out.version = {fields->sequence, fields->value};
  out.undecided = true;
  return out;
}

void Publisher::Task::end_commit(bool done, const Bytes& bytes,
                                 const std::optional<nostr::EventId>& event) {
  {
    std::lock_guard lock(mutex);
    committing = false;
    if (done) {
      record = bytes;
      hint = event;
    }
  }
  changed.notify_all();
}

std::shared_ptr<Publisher::Writing> Publisher::writing(const IpnsName& name) {
  std::lock_guard lock(tasks_mutex_);
  auto& out = writing_[name];
  if (!out) out = std::make_shared<Writing>();
  return out;
}

std::shared_ptr<Publisher::Task> Publisher::task_of(PublishId id) {
  std::lock_guard lock(tasks_mutex_);
  const auto it = tasks_.find(id);
  return it == tasks_.end() ? nullptr : it->second;
}

// The writer of this name is there from now on, and so is the key.
Status Publisher::begin_writing(const IpnsKey& key) {
  const IpnsName name = key.name();
  const DeviceTag tag = device_tag(key, options_.identity->id());
  if (!writers_.has(name)) {
    WriterState state;
    const Status read = parts_.writer.run([&](store::Database& db) -> Status {
      auto found = load_or_begin_writer(db, name);
      if (!found) return fail(found.error());
      state = std::move(*found);
      return {};
    });
    if (!read) return read;
    if (state.tag == DeviceTag{}) state.tag = tag;
    writers_.add(name, std::move(state), true);
  }
  {
    std::lock_guard lock(kept_mutex_);
    const auto it = kept_.find(name);
    if (it == kept_.end())
      kept_.emplace(name, Kept{key.clone(), std::nullopt});
    else if (it->second.key.is_elsewhere())  // whoever had it may be gone
      it->second.key = key.clone();
  }
  const auto state = writers_.state(name);
  if (state && state->tag != tag) writers_.tell(name, writer_input::Identity{tag});
  return {};
}

// Nobody answered, so nothing was sent: they are asked again before it is.
void Publisher::add_those_to_come(Outcome& outcome) const {
  using Place = Outcome::Place;
  for (const size_t gateway : record_takers()) {
    Place place{Place::Kind::node, parts_.book.endpoint(gateway).url, false, "did not answer"};
    place.what = Place::What::record;
    outcome.places.push_back(std::move(place));
  }
  if (parts_.outbox == nullptr || !parts_.signer) return;
  for (const nostr::RelayUrl& relay : options_.relays)
    outcome.places.push_back({Place::Kind::relay, relay.text(), false, "did not answer"});
}

// As far as the record says.
bool Publisher::written_here_only(const IpnsName& name) {
  const auto state = writers_.state(name);
  if (!state || !state->known) return true;
  const auto& vector = state->known->vector;
  return vector && std::all_of(vector->entries().begin(), vector->entries().end(),
                               [&](const auto& entry) { return entry.first == state->tag; });
}

writer_input::Publish Publisher::publish_input(const IpnsName& name, const Cid& cid,
                                               const PublishOptions& options) {
  writer_input::Publish out;
  out.value = value_of(cid);
  out.based_on = options.based_on;
  out.expect = options.expect_sequence;
  out.replace = options.replace || options_.over_any;
  out.force = options.force;
  out.for_followers = options.for_followers;
  const bool settles =
      options.settle == PublishOptions::Settle::yes ||
      (options.settle == PublishOptions::Settle::when_shared && !written_here_only(name));
  out.wait = settles || options.based_on || options.expect_sequence;
  return out;
}

Result<Outcome> Publisher::publish_value(const IpnsKey& key, const Cid& cid,
                                         const PublishOptions& options, const Stored& stored,
                                         const Answering& answering, Outcome outcome) {
  const Instant deadline = options.deadline.value_or(default_deadline());
  auto task = std::make_shared<Task>(key.name(), cid, options, stored);
  task->guard = errands_.hold(task->name);
  PublishId id;
  {
    std::lock_guard lock(tasks_mutex_);
    if (closed_) return fail(Errc::closed, "the client is closed");
    id = PublishId{++last_publish_};
    tasks_.emplace(id, task);
  }
  if (answering) {
    auto resolved = *answering;
    resolved.id = id;
    resolved.value = value_of(cid);
    writers_.tell(task->name, std::move(resolved));
  } else {
    auto publish = publish_input(task->name, cid, options);
    publish.id = id;
    writers_.tell(task->name, std::move(publish));
  }
  auto answer = task->wait();
  {
    std::lock_guard lock(tasks_mutex_);
    tasks_.erase(id);
  }
  const bool on_its_way = answer && answer->result == Answered::published;
  if (!on_its_way) {
    task->take_guard();
    task->sending_is_over();
  }
  if (!answer) return fail(answer.error());
  const bool done = answer->result == Answered::published || answer->result == Answered::queued;
  if (!done) return fail(refusal(*task, *answer));
  outcome.sequence = answer->version.sequence;
  outcome.settled = answer->settled;
  outcome.undecided = answer->undecided;
  outcome.places = stored.places;
  outcome.queued = stored.queued;
  outcome.bytes = std::max(outcome.bytes, stored.bytes);
  {
    std::lock_guard lock(task->mutex);
    outcome.record = task->record;
    outcome.hint = task->hint;
  }
  if (answer->result == Answered::queued) {
    add_those_to_come(outcome);
    return outcome;
  }
  task->progress->wait(deadline, options_.quorum, outcome, options.stop);
  // Who was found out meanwhile to take no records is no place.
  std::erase_if(outcome.places, [this](const Outcome::Place& place) {
    const auto gateway = gateway_of(place.url);
    return place.what == Outcome::Place::What::record && gateway && !takes_records(*gateway);
  });
  return outcome;
}

// Why it was not published, in the words of whoever may do something about it.
Error Publisher::refusal(Task& task, const writer_action::Answer& answer) {
  std::optional<Error> noted;
  {
    std::lock_guard lock(task.mutex);
    noted = task.error;
  }
  if (!noted && answer.result == Answered::unreachable) {
    const auto now = writing(task.name);
    std::lock_guard lock(now->mutex);
    if (!now->silence.empty()) noted = Error{Errc::unreachable, now->silence};
  }
  switch (answer.result) {
    case Answered::unreachable:
    case Answered::failed:
      if (noted) return *noted;
      return answer.result == Answered::failed
                 ? Error{Errc::busy, "too many publishes of this name wait"}
                 : Error{Errc::unreachable, "nobody answered, so the name's sequence is unknown"};
    case Answered::perhaps:
      return {
          Errc::timeout,
          "the node that decides may have stored it, but did not say so: it is asked again, and "
          "the next publish of this name waits for that"};
    default:
      break;
  }
  if (const auto& expect = task.options.expect_sequence) {
    if (!answer.winner) return {Errc::conflict, "the name has no record yet"};
    if (answer.winner->record.sequence != *expect)
      return {Errc::conflict, "the name is at sequence " +
                                  std::to_string(answer.winner->record.sequence.value) + ", not " +
                                  std::to_string(expect->value)};
  }
  if (!answer.winner) return {Errc::conflict, "nobody has the version it was to be based on"};
  const auto state = writers_.state(task.name);
  std::string taken = "has taken in nothing of it yet";
  if (const auto& on = task.options.based_on) {
    taken = "made this on " + at(*on);
  } else if (state && state->base) {
    taken = "has taken in " + std::to_string(state->base->version.sequence.value);
  }
  const std::string there = std::to_string(answer.winner->record.sequence.value);
  // One that is over is no longer handed out.
  const bool over = expired(answer.winner->record, system_now().wall);
  return {Errc::conflict,
          "the name is at sequence " + winner_text(*answer.winner) +
              (over ? ", whose record has expired" : "") + "; this device " + taken +
              (over ? ": look at its content first (get " + answer.winner->record.value + ")"
                    : ": take that in first (get " + task.name.to_string() + " -o DIR)") +
              ", name it (--based-on " + there + "), or replace it (--replace)"};
}

void Publisher::act(const IpnsName& name, WriterAction action) {
  if (auto* said = std::get_if<writer_action::Answer>(&action)) {
    answer(*said);
  } else if (auto* send = std::get_if<writer_action::Send>(&action)) {
    perform(name, *send);
  } else if (const auto* asks = std::get_if<writer_action::AskResolution>(&action)) {
    notify_.conflict(name, *asks);
  } else if (std::holds_alternative<writer_action::NewIdentity>(action)) {
    notify_.cloned();
  }
}

void Publisher::answer(const writer_action::Answer& answer) {
  if (const auto task = task_of(answer.id)) task->settle(answer);
}

void Publisher::identity_changed() {
  std::vector<std::pair<IpnsName, DeviceTag>> tags;
  {
    std::lock_guard lock(kept_mutex_);
    for (const auto& [name, kept] : kept_)
      tags.emplace_back(name, device_tag(kept.key, options_.identity->id()));
  }
  for (const auto& [name, tag] : tags) writers_.tell(name, writer_input::Identity{tag});
}

namespace {

// What the history says of a version that the application got by itself.
std::vector<HistoryNote> taken_in_notes(const NameRow& row, bool renewed) {
  const UnixMillis now = system_now().wall;
  HistoryNote heard{.what = renewed ? HistoryNote::What::renewed : HistoryNote::What::heard,
                    .number = row.heard,
                    .at = now};
  heard.record = row.record;
  heard.source = SourceKind::app;
  return {std::move(heard),
          {.what = HistoryNote::What::taken, .number = row.heard, .at = now, .since = row.heard}};
}

}  // namespace

// Of a name that was never written here, the state file notes it for the day when it is.
Status Publisher::take_in(const IpnsName& name, const IpnsRecord& record) {
  const KnownRecord known = known_record(record);
  if (writers_.has(name)) {
    writers_.saw(name, known, "");
    writers_.taken_in(name, known);
    const Instant until = std::chrono::steady_clock::now() + kCommitTime;
    if (auto done = writers_.wait_committed(name, until); !done) return done;
  }
  return parts_.writer.run([&](store::Database& db) -> Status {
    auto row = load_name(db, name);
    if (!row) return fail(row.error());
    NameRow taken = *row ? std::move(**row) : NameRow{.name = name};
    if (taken.taken && taken.taken->sequence > known.sequence) return {};
    taken.taken = known.version();
    if (taken.record && !wins_over(known, *taken.record)) return save_names(db, {taken});
    const bool renewed = taken.record && taken.record->version() == known.version();
    taken.record = known;
    if (!renewed) ++taken.heard;
    if (!taken.owed) taken.passed = taken.heard;
    if (Status saved = save_names(db, {taken}); !saved) return saved;
    return save_history(db, name, taken_in_notes(taken, renewed), options_.history);
  });
}

std::vector<LostPublish> Publisher::lost(const IpnsName& name) {
  const auto state = writers_.state(name);
  return state ? lost_publishes(*state) : std::vector<LostPublish>();
}

Status Publisher::acknowledge_lost(const IpnsName& name) {
  if (lost(name).empty())
    return fail(Errc::not_found,
                "nothing that was published under " + name.to_string() + " is lost");
  writers_.tell(name, writer_input::Acknowledge{});
  return writers_.wait_committed(name, std::chrono::steady_clock::now() + kCommitTime);
}

}  // namespace ipnscast::sync
