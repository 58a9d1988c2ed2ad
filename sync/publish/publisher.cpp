#include "ipnscast/sync/publish/publisher.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/ipfs/unixfs/packer.h"
#include "ipnscast/sync/publish/private_places.h"
#include "ipnscast/sync/publish/writing.h"
#include "ipnscast/sync/state/retracted_names.h"
#include "ipnscast/sync/writer/writer_store.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kWorkers = 4;
constexpr Milliseconds kCloseTime{2'000};

// Says how many bytes of blocks have come by.
class CountedSink final : public BlockSink {
 public:
  CountedSink(BlockSink& sink, const std::function<void(uint64_t)>& tell)
      : sink_(sink), tell_(tell) {}
  Status put(const Cid& cid, ByteView block) override {
    bytes_ += block.size();
    if (tell_) tell_(bytes_);
    return sink_.put(cid, block);
  }
  uint64_t bytes() const { return bytes_; }

 private:
  BlockSink& sink_;
  const std::function<void(uint64_t)>& tell_;
  uint64_t bytes_ = 0;
};

// All of it is on disk before anything is made of it.
Result<Packed> pack_into(BlockCache& cache, BlockSink& sink, const std::filesystem::path& path,
                         const PackOptions& options) {
  BlockCache::Batch batch(cache);
  auto packed = pack_path(path, options, sink);
  if (!packed) return packed;
  if (auto kept = batch.commit(); !kept) return fail(kept.error());
  return packed;
}

}  // namespace

Publisher::Publisher(Parts parts, Options options, Notify notify)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      notify_(std::move(notify)),
      kept_content_(parts_.writer, parts_.cache, options_.kept),
      errands_({parts_.writer, parts_.http, parts_.book, parts_.cache, parts_.records,
                parts_.contents, kept_content_},
               options_.errands,
               {[this] { return renewals_due(); },
                [this](const IpnsName& name) { return renew(name); }}),
      writers_(
          options_.writer,
          {[this](const IpnsName& name, WriterAction action) {
             workers_.push_reserved({name, std::move(action)});
           },
           [this](const IpnsName& name, WriterAction action) { act(name, std::move(action)); },
           [this](const IpnsName& name) { notify_.written(name); }, [this] { return places(); }}),
      workers_({.name = "publish", .threads = kWorkers}, [this](WriterWork& next) { work(next); }) {
}

void Publisher::start() {
  writers_.start();
  errands_.start();
}

void Publisher::close() {
  std::map<PublishId, std::shared_ptr<Task>> waiting;
  {
    std::lock_guard lock(tasks_mutex_);
    closed_ = true;
    waiting = std::exchange(tasks_, {});
  }
  errands_.close();
  // What was taken in or told is not forgotten.
  (void)writers_.wait_committed(std::nullopt, std::chrono::steady_clock::now() + kCloseTime);
  writers_.close();
  workers_.drop();
  workers_.close();
  {
    std::lock_guard lock(tasks_mutex_);
    writing_.clear();
  }
  for (const auto& [id, task] : waiting) {
    task->take_guard();
    task->settle(fail(Errc::closed, "the client is closed"));
  }
}

Status Publisher::load() {
  std::vector<OwnName> own_names;
  std::vector<std::pair<IpnsName, WriterState>> written;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    auto marks = load_created_at(db);
    if (!marks) return fail(marks.error());
    auto names = load_own_names(db);
    if (!names) return fail(names.error());
    own_names = std::move(*names);
    const auto writers = load_written_names(db);
    if (!writers) return fail(writers.error());
    for (const IpnsName& name : *writers) {
      auto state = load_writer(db, name);
      if (!state) return fail(state.error().within(name.to_string()));
      if (*state) written.emplace_back(name, std::move(**state));
    }
    std::lock_guard lock(marks_mutex_);
    for (const CreatedAtMark& mark : *marks) marks_.restore(mark.address, mark.mark);
    return {};
  });
  if (!read) return read;
  // A publish may have ended between its commit and this.
  for (const OwnName& own : own_names) {
    if (const auto root = root_of(own.value)) keep_version(own.name, *root);
  }
  for (auto& [name, state] : written) {
    if (state.owed) {
      writing(name)->owed = state.owed->record.bytes;
      auto record = verify_record(name, state.owed->record.bytes, system_now().wall);
      if (record) note_latest(name, std::move(*record));
    }
    kept_content_.note(name, state);
    writers_.add(name, std::move(state));
  }
  kept_content_.look();
  return {};
}

Result<Outcome> Publisher::publish_path(const IpnsKey& key, const std::filesystem::path& path,
                                        const PublishOptions& options, const Answering& answering) {
  if (auto allowed = check_name(key.name()); !allowed) return fail(allowed.error());
  const Instant start = std::chrono::steady_clock::now();
  const PrivatePlaces own(options_.private_paths);
  if (auto allowed = own.check(path); !allowed) return fail(allowed.error());
  if (auto ready = begin_writing(key); !ready) return fail(ready.error());
  if (auto room = kept_content_.check_publish(key.name(), std::nullopt); !answering && !room)
    return fail(room.error());
  BlockCache::Publishing content(parts_.cache);
  CountedSink counted(content, options.on_packing);
  auto packed = pack_into(
      parts_.cache, counted, path,
      {.profile = options_.profile,
       .skip_hidden = !options.hidden,
       .deadline = options.deadline,
       .stop = options.stop,
       .allow = [&own](FileId id, const auto& entry) { return own.check_entry(id, entry); }});
  if (!packed) return fail(packed.error());
  Outcome outcome{key.name(), packed->root};
  outcome.hidden_left_out = packed->hidden;
  outcome.bytes = counted.bytes();
  outcome.packed = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  const Errands::Guard guard = errands_.hold(packed->root);
  auto stored = send_content(key.name(), packed->root, Origin::packed, options, guard);
  if (!stored) return fail(stored.error());
  return publish_value(key, packed->root, options, *stored, answering, std::move(outcome));
}

Result<Outcome> Publisher::publish_root(const IpnsKey& key, const Cid& root, Origin origin,
                                        const PublishOptions& options, const Answering& answering) {
  if (auto allowed = check_name(key.name()); !allowed) return fail(allowed.error());
  // An answer strikes off what is kept.
  if (auto room = kept_content_.check_publish(key.name(), root); !answering && !room)
    return fail(room.error());
  if (auto ready = begin_writing(key); !ready) return fail(ready.error());
  const BlockCache::Hold hold(parts_.cache, root);
  const Errands::Guard guard = errands_.hold(root);
  auto stored = send_content(key.name(), root, origin, options, guard);
  if (!stored) return fail(stored.error());
  return publish_value(key, root, options, *stored, answering, Outcome{key.name(), root});
}

Result<Outcome> Publisher::announce(const IpnsName& name, const Cid& cid, Sequence sequence,
                                    std::optional<IpnsRecord> record, bool trusts_clock,
                                    std::optional<Instant> deadline) {
  if (!parts_.outbox || !parts_.signer)
    return fail(Errc::invalid, "announcing needs relays and a Nostr key");
  if (auto allowed = check_name(name); !allowed) return fail(allowed.error());
  const Instant end = deadline.value_or(default_deadline());
  Outcome outcome{name, cid, sequence};
  if (record) outcome.record = record->bytes();
  // Whoever is asked says what the time is, too.
  if (!trusts_clock && !check_clock(name)) (void)ask(name);
  auto hints = sign_hints({name, cid, sequence, outcome.record, 0, std::nullopt}, trusts_clock);
  if (!hints) return fail(hints.error());
  if (auto committed = commit({.hints = *hints, .wanted = name}); !committed)
    return fail(committed.error());
  outcome.hint = hints->front().event.id;
  auto progress = std::make_shared<Progress>();
  send_hints(name, record, *hints, progress);
  progress->wait(end, options_.quorum, outcome);
  return outcome;
}

Status Publisher::commit(const Commitment& what) {
  const Status committed = parts_.writer.run([&](store::Database& db) -> Status {
    if (what.unless_retracted) {
      const auto retracted = is_retracted(db, *what.unless_retracted);
      if (!retracted) return fail(retracted.error());
      if (*retracted) return fail(Errc::refused, "it was retracted meanwhile");
    }
    if (what.wanted) {
      if (auto done = forget_retracted(db, *what.wanted); !done) return done;
    }
    if (auto saved = save_state(db, what); !saved) return saved;
    if (what.own) {
      const IpnsName& name = what.own->name;
      if (auto saved = save_own_name(db, *what.own); !saved) return saved;
      if (what.root) {
        if (auto added = add_version(db, name, *what.root, options_.versions); !added) return added;
        for (const std::string& node : what.lacking) {
          if (auto noted = note_pin(db, {node, *what.root}); !noted) return noted;
        }
      }
    }
    for (const SignedHint& hint : what.hints) {
      if (auto saved = save_hint(db, hint); !saved) return saved;
    }
    return {};
  });
  if (!committed) {
    std::lock_guard lock(marks_mutex_);
    for (const SignedHint& hint : what.hints) {
      if (hint.time.wrong_mark) marks_.restore(hint.address, *hint.time.wrong_mark);
    }
    return committed;
  }
  for (const SignedHint& hint : what.hints)
    notify_.sent({hint.event.id, hint.address, hint.event.created_at});
  return {};
}

void Publisher::keep_version(const IpnsName& name, const Cid& root) {
  if (auto kept = parts_.cache.keep(name.to_string(), root); !kept)
    log_warning("publisher", "cannot note the version kept: " + kept.error().message);
}

}  // namespace ipnscast::sync
