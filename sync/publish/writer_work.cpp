// What the writers of our names want done: asking, signing, committing, sending.
#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/publish/empty_content.h"
#include "ipnscast/sync/publish/writing.h"
#include "ipnscast/sync/state/known_here.h"
#include "ipnscast/sync/state/retracted_names.h"
#include "ipnscast/sync/writer/renewal.h"
#include "ipnscast/sync/writer/writer_store.h"

namespace ipnscast::sync {
namespace {

bool made_by_us(const WriterState& state, const Bytes& record) {
  if (state.owed && state.owed->record.bytes == record) return true;
  return std::any_of(state.own.begin(), state.own.end(), [&](const OwnPublish& own) {
    return own.state != OwnPublish::State::tentative && own.seen.record.bytes == record;
  });
}

// It gave way to a record that ranks below it: nobody had heard of it.
bool gave_way(const OwnPublish& own) {
  return own.state == OwnPublish::State::lost && own.theirs &&
         wins_over(own.seen.record, own.theirs->record);
}

// Nobody was told of it yet.
bool is_queued(const WriterState& state, const Bytes& record) {
  return std::any_of(state.own.begin(), state.own.end(), [&](const OwnPublish& own) {
    return own.queued && own.seen.record.bytes == record;
  });
}

}  // namespace

void Publisher::work(WriterWork& next) {
  const IpnsName& name = next.name;
  if (auto* ask = std::get_if<writer_action::Ask>(&next.action)) {
    perform(name, *ask);
  } else if (auto* sign = std::get_if<writer_action::Sign>(&next.action)) {
    perform(name, *sign);
  } else if (auto* decide = std::get_if<writer_action::Decide>(&next.action)) {
    perform(name, *decide);
  } else if (auto* read = std::get_if<writer_action::AskDecider>(&next.action)) {
    perform(name, *read);
  } else if (auto* commit = std::get_if<writer_action::Commit>(&next.action)) {
    perform(name, *commit);
  } else if (auto* again = std::get_if<writer_action::SendAgain>(&next.action)) {
    perform(name, *again);
  }
}

void Publisher::perform(const IpnsName& name, writer_action::Ask& action) {
  const Asked asked = ask(name);
  {
    const auto now = writing(name);
    std::lock_guard lock(now->mutex);
    now->silence = asked.missing;
  }
  const bool decides = decider().has_value();
  writers_.tell(name, writer_input::Asked{action.job, asked.answered, asked.all, decides});
}

std::optional<IpnsKey> Publisher::key_of(const IpnsName& name) {
  std::lock_guard lock(kept_mutex_);
  const auto it = kept_.find(name);
  return it == kept_.end() ? std::nullopt : std::optional(it->second.key.clone());
}

// R12, and what else is looked at right before a name gets a new value.
Result<IpnsRecord> Publisher::sign_record(const IpnsName& name, const writer_action::Sign& action,
                                          const Task* task) {
  const auto key = key_of(name);
  if (!key) return fail(Errc::refused, "the key of " + name.to_string() + " is not at hand");
  const auto state = writers_.state(name);
  std::optional<IpnsRecord> known;
  if (state && state->known) known = sound_record(name, state->known->record.bytes);
  const std::string before = known ? known->fields().value : "";
  if (task != nullptr && !task->options.force && !before.empty() && before != action.value &&
      is_empty_content(parts_.cache, task->cid)) {
    return fail(Errc::refused,
                "would replace " + before + " by nothing (--force if that is meant)");
  }
  RecordOptions options;
  if (task == nullptr && known && before == action.value) {  // what others put into it stays
    options = renewed(*known, options_.lifetime, options_.ttl, options_.v1, system_now().wall);
    options.sequence = action.sequence;
  } else {
    options = {action.value, action.sequence, Eol::after(system_now().wall, options_.lifetime),
               options_.ttl, options_.v1,     extra_data(root_of(before))};
  }
  options.extra.erase(kVectorKey);
  if (action.vector) options.extra.emplace(kVectorKey, encode_vector(*action.vector));
  return create_record(*key, options);
}

void Publisher::perform(const IpnsName& name, writer_action::Sign& action) {
  const auto task = task_of(action.id);
  const auto state = writers_.state(name);
  const bool trusts_clock = task && task->options.trust_clock;
  const Status clock = trusts_clock ? Status() : check_clock(name);
  auto record = clock ? sign_record(name, action, task.get()) : fail(clock.error());
  if (!record) {
    log_info("publisher", "not signed: " + record.error().message);
    if (task) task->note(record.error());
    writers_.tell(name, writer_input::Signed{action.job, std::nullopt});
    return;
  }
  {
    const auto now = writing(name);
    std::lock_guard lock(now->mutex);
    now->made = Made{*record, std::nullopt, task};
    if (state && state->known) now->made->previous = root_of(state->known->record.value);
  }
  writers_.tell(name, writer_input::Signed{action.job, known_record(*record)});
}

void Publisher::perform(const IpnsName& name, writer_action::Commit& action) {
  const Status done = commit_state(name, action.state);
  if (!done && done.error().code != Errc::cancelled) {
    if (done.error().code != Errc::refused)
      log_error("publisher", "what is known of " + name.to_string() +
                                 " cannot be committed: " + done.error().message);
    const auto now = writing(name);
    std::lock_guard lock(now->mutex);
    if (now->made && now->made->task) now->made->task->note(done.error());
  }
  writers_.tell(name, writer_input::Committed{action.job, done.has_value()});
}

// The record that counts, when it is one of ours and new to the file, and the hints of what goes to
// all places from now on. Most commits have neither, and read nothing.
Status Publisher::add_what_is_new(Commitment& what, const WriterState& state,
                                  const std::optional<Made>& made,
                                  const std::optional<Bytes>& saved) {
  const IpnsName& name = what.state->first;
  const bool new_own = state.known && state.known->record.bytes != saved &&
                       made_by_us(state, state.known->record.bytes);
  const bool gives_way = state.known && std::any_of(state.own.begin(), state.own.end(), gave_way);
  if (!new_own && !what.brings && !gives_way) return {};
  const std::shared_ptr<Task> task = made ? made->task : nullptr;
  bool retracted = false;
  std::optional<OwnName> before;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    auto own = load_own_name(db, name);
    if (!own) return fail(own.error());
    before = std::move(*own);
    const auto found = is_retracted(db, name);
    if (!found) return fail(found.error());
    retracted = *found;
    return {};
  });
  if (!read) return read;
  const uint64_t version = before ? before->version : 0;
  if (new_own && (!before || before->record != state.known->record.bytes)) {
    const KnownRecord& known = state.known->record;
    const bool grows = !before || before->sequence != known.sequence;
    what.own = OwnName{name, known.sequence, known.value, version + (grows ? 1 : 0), known.bytes};
    if (grows) what.root = root_of(known.value);
    if (task) {
      what.wanted = name;
      what.lacking = task->stored.lacking;
    }
  }
  // From then on the other one is what this device knows the name to have.
  const bool is_gone =
      before && std::any_of(state.own.begin(), state.own.end(), [&](const auto& own) {
        return gave_way(own) && own.seen.record.bytes == before->record;
      });
  if (is_gone && !what.own) {
    const KnownRecord& known = state.known->record;
    what.own = OwnName{name, known.sequence, known.value, version, known.bytes};
  }
  if (!what.brings || (retracted && !task)) return {};
  const KnownRecord& record = state.owed->record;
  const auto cid = root_of(record.value);
  if (!cid) return {};
  auto hints =
      sign_hints({name, *cid, record.sequence, record.bytes, what.own ? what.own->version : version,
                  made ? made->previous : std::nullopt},
                 task && task->options.trust_clock);
  if (!hints) return fail(hints.error());
  what.hints = std::move(*hints);
  return {};
}

// The writer's state, and with it what goes to places and relays because of it.
Status Publisher::commit_state(const IpnsName& name, const WriterState& state) {
  const auto now = writing(name);
  std::optional<Bytes> own_before;
  std::optional<Bytes> owed_before;
  std::optional<Made> made;
  {
    std::lock_guard lock(now->mutex);
    own_before = now->own;
    owed_before = now->owed;
    if (now->made && state.known && now->made->record.bytes() == state.known->record.bytes)
      made = now->made;
  }
  const std::shared_ptr<Task> task = made ? made->task : nullptr;
  std::optional<Bytes> owed;
  if (state.owed) owed = state.owed->record.bytes;
  Commitment what;
  what.state.emplace(name, state);
  what.brings = owed && owed != owed_before;
  what.withdraws = owed_before && owed != owed_before;
  if (auto added = add_what_is_new(what, state, made, own_before); !added) return added;
  const bool of_task = task && what.own;
  if (of_task && is_queued(state, what.own->record)) {
    if (auto room = kept_content_.check_queue(task->cid); !room) return room;
  }
  if (of_task && !task->begin_commit()) return fail(Errc::cancelled, "stopped");
  const Status committed = commit(what);
  if (of_task) {
    const auto hint = what.hints.empty() ? std::nullopt : std::optional(what.hints[0].event.id);
    task->end_commit(committed.has_value(), what.own->record, hint);
  }
  if (!committed) return committed;
  kept_content_.note(name, state);
  if (what.root) {
    keep_version(name, *what.root);
    if (!what.lacking.empty()) kept_content_.look();
    parts_.resolver.invalidate(name);
  }
  std::optional<IpnsRecord> record;
  if (what.brings) {
    record = made && made->record.bytes() == *owed ? made->record : sound_record(name, *owed);
    if (record) {
      renew_at(name, renewal_time(record->fields().eol, options_.lifetime));
      note_latest(name, *record);
    }
  }
  std::shared_ptr<Task> passed;  // whose record goes nowhere any more
  {
    std::lock_guard lock(now->mutex);
    if (what.own) now->own = what.own->record;
    now->owed = owed;
    if (what.brings || what.withdraws) {
      passed = std::exchange(now->bringing, what.brings ? task : nullptr);
      now->hints = std::move(what.hints);
      now->record = std::move(record);
      now->unsent = what.brings;
    }
  }
  if (passed) {
    passed->take_guard();
    passed->sending_is_over();
  }
  return {};
}

// In the job that commits everything else.
Status Publisher::save_state(store::Database& db, const Commitment& what) {
  if (!what.state) return {};
  const auto& [name, state] = *what.state;
  if (auto saved = save_writer(db, name, state); !saved) return saved;
  if (what.withdraws) {
    if (auto gone = drop_owed_records(db, name); !gone) return gone;
    if (parts_.signer) {
      for (const int kind : options_.kinds) {
        if (auto gone = nostr::outbox_withdraw(db, address_of(kind, name)); !gone) return gone;
      }
    }
  }
  if (!what.brings) return {};
  for (const size_t gateway : record_takers()) {
    const OwedRecord owed{name, parts_.book.endpoint(gateway).url};
    if (auto noted = owe_record(db, owed); !noted) return noted;
  }
  return {};
}

// What was owed before this process began is carried by the outbox and the errands.
void Publisher::perform(const IpnsName& name, writer_action::Send& action) {
  const auto now = writing(name);
  std::vector<SignedHint> hints;
  std::optional<IpnsRecord> record;
  std::shared_ptr<Task> task;
  {
    std::lock_guard lock(now->mutex);
    if (now->owed != action.seen.record.bytes || !std::exchange(now->unsent, false)) return;
    hints = std::exchange(now->hints, {});
    record = std::exchange(now->record, std::nullopt);
    task = std::exchange(now->bringing, nullptr);
  }
  if (!record) return;
  const auto progress = task ? task->progress : std::make_shared<Progress>();
  if (task || !hints.empty()) send_hints(name, *record, hints, progress);
  auto guard = task ? task->take_guard() : nullptr;
  send_record(name, *record, progress, guard ? std::move(guard) : errands_.hold(name));
  if (task) task->sending_is_over();
}

// `place` has this record now.
void Publisher::shows(const IpnsName& name, const IpnsRecord& record, const std::string& place) {
  if (writers_.open(name)) writers_.saw(name, known_record(record), place);
}

writer_input::Places Publisher::places() {
  writer_input::Places out;
  const Instant now = std::chrono::steady_clock::now();
  for (const size_t gateway : record_takers()) {
    if (parts_.book.tier(gateway) == 1 && !parts_.book.left_alone(gateway, now))
      out.connected.insert(parts_.book.endpoint(gateway).url);
  }
  if (parts_.pool == nullptr || !parts_.signer) return out;
  for (const nostr::RelayStatus& relay : parts_.pool->status()) {
    if (relay.connected) out.relays.insert(relay.url.text());
    out.broadcast |= relay.counters.connects > 0;
  }
  out.connected.insert(out.relays.begin(), out.relays.end());
  return out;
}

}  // namespace ipnscast::sync
