#include "ipnscast/sync/writer/writer_book.h"

#include "ipnscast/nostr/base/thread_name.h"

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kLookWhoIsConnected{1'000};

// The vector stands in the record's own data.
SeenRecord seen_of(const KnownRecord& record) {
  const auto fields = peek_record(record.bytes);
  return {record, fields ? vector_of(*fields) : std::nullopt};
}

bool is_work(const WriterAction& action) {
  using namespace writer_action;
  return std::holds_alternative<writer_action::Ask>(action) ||
         std::holds_alternative<Sign>(action) || std::holds_alternative<Commit>(action) ||
         std::holds_alternative<Decide>(action) || std::holds_alternative<AskDecider>(action) ||
         std::holds_alternative<SendAgain>(action);
}

// What followers see of a name.
struct Sight {
  std::optional<Bytes> known;
  std::optional<Version> base;
  bool owes = false;
  bool tells = false;
  bool open = false;
  bool operator==(const Sight&) const = default;
};

Sight sight_of(const NameWriter& writer) {
  const WriterState& state = writer.state();
  Sight out;
  if (state.known) out.known = state.known->record.bytes;
  if (state.base) out.base = state.base->version;
  out.owes = writer.owes_report();
  out.tells = writer.report().has_value();
  out.open = writer.open();
  return out;
}

}  // namespace

WriterBook::WriterBook(NameWriter::Options options, Hooks hooks)
    : options_(options), hooks_(std::move(hooks)) {}

WriterBook::~WriterBook() { close(); }

void WriterBook::start() {
  {
    std::lock_guard lock(mutex_);
    started_ = true;
  }
  thread_ = std::thread([this] { serve(); });
}

void WriterBook::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    actions_.clear();
  }
  woken_.notify_all();
  fed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

WriterBook::Entry* WriterBook::find(const IpnsName& name) {
  const auto it = names_.find(name);
  return it == names_.end() ? nullptr : it->second.get();
}

void WriterBook::add(const IpnsName& name, WriterState stored, bool begins) {
  {
    std::lock_guard lock(mutex_);
    if (find(name) != nullptr) return;
    if (begins) asking_.insert(name);
    enter(name, std::move(stored));
  }
  if (begins) hooks_.changed(name);
}

void WriterBook::enter(const IpnsName& name, WriterState stored) {
  auto entry = std::make_unique<Entry>(NameWriter(options_, std::move(stored), rng_()));
  Entry& added = *names_.emplace(name, std::move(entry)).first->second;
  feed(name, added, writer_input::Tick{});
  feed(name, added, writer_input::ProgramDecides{resolvers_.contains(name)});
  feed(name, added, places_);
}

bool WriterBook::has(const IpnsName& name) {
  std::lock_guard lock(mutex_);
  return find(name) != nullptr;
}

std::vector<IpnsName> WriterBook::names() {
  std::lock_guard lock(mutex_);
  std::vector<IpnsName> out;
  for (const auto& [name, entry] : names_) out.push_back(name);
  return out;
}

// True when followers of the name see something else than before.
bool WriterBook::feed(const IpnsName& name, Entry& entry, WriterInput input) {
  if (closed_) return false;
  const Sight before = sight_of(entry.writer);
  auto actions = entry.writer.handle(std::move(input), system_now());
  fed_.notify_all();
  for (WriterAction& action : actions) {
    if (started_ && is_work(action)) {
      hooks_.work(name, std::move(action));
    } else {
      actions_.emplace_back(name, std::move(action));
      woken_.notify_all();
    }
  }
  if (const auto due = entry.writer.next_wake(); due != entry.due) {
    if (entry.due) timers_.erase({*entry.due, name});
    if (due) timers_.emplace(*due, name);
    entry.due = due;
    woken_.notify_all();
  }
  return sight_of(entry.writer) != before;
}

void WriterBook::tell(const IpnsName& name, WriterInput input) {
  bool changed = false;
  {
    std::lock_guard lock(mutex_);
    Entry* const entry = find(name);
    if (entry != nullptr) changed = feed(name, *entry, std::move(input));
  }
  if (changed) hooks_.changed(name);
}

void WriterBook::set_resolver(const IpnsName& name, bool there) {
  {
    std::lock_guard lock(mutex_);
    if (there == resolvers_.contains(name)) return;
    there ? (void)resolvers_.insert(name) : (void)resolvers_.erase(name);
  }
  tell(name, writer_input::ProgramDecides{there});
}

std::optional<WriterState> WriterBook::state(const IpnsName& name) {
  std::lock_guard lock(mutex_);
  const Entry* const entry = find(name);
  if (entry == nullptr) return std::nullopt;
  return entry->writer.state();
}

bool WriterBook::open(const IpnsName& name) {
  std::lock_guard lock(mutex_);
  const Entry* const entry = find(name);
  return entry != nullptr && entry->writer.open();
}

Status WriterBook::wait_committed(const std::optional<IpnsName>& name, Instant until) {
  std::unique_lock lock(mutex_);
  const bool done = fed_.wait_until(lock, until, [&] {
    return closed_ || std::all_of(names_.begin(), names_.end(), [&](const auto& one) {
             return (name && one.first != *name) || one.second->writer.all_committed();
           });
  });
  if (done) return {};
  return fail(Errc::timeout, "the state file did not take it in time");
}

std::optional<WriterView::Truth> WriterBook::truth(const IpnsName& name) {
  std::lock_guard lock(mutex_);
  const Entry* const entry = find(name);
  if (entry == nullptr || !entry->writer.state().known || asking_.contains(name))
    return std::nullopt;
  const WriterState& state = entry->writer.state();
  return Truth{state.known->record, state.base && state.base->version == state.known->version(),
               entry->writer.known_is_for_followers()};
}

bool WriterBook::asks(const IpnsName& name) {
  std::lock_guard lock(mutex_);
  return asking_.erase(name) > 0;
}

void WriterBook::saw(const IpnsName& name, const KnownRecord& record, const std::string& place) {
  tell(name, writer_input::Saw{seen_of(record), place});
}

void WriterBook::taken_in(const IpnsName& name, const KnownRecord& record) {
  tell(name, writer_input::TakenIn{seen_of(record)});
}

bool WriterBook::owes_report(const IpnsName& name) {
  std::lock_guard lock(mutex_);
  const Entry* const entry = find(name);
  return entry != nullptr && entry->writer.owes_report();
}

std::optional<LossReport> WriterBook::report(const IpnsName& name) {
  std::lock_guard lock(mutex_);
  const Entry* const entry = find(name);
  if (entry == nullptr) return std::nullopt;
  return entry->writer.report();
}

void WriterBook::told(const IpnsName& name, const OwnPublish& ours) {
  tell(name, writer_input::Told{ours.tag, ours.count});
}

bool WriterBook::anything_open() const {
  return std::any_of(names_.begin(), names_.end(), [](const auto& one) {
    const WriterState& state = one.second->writer.state();
    const bool queued = std::any_of(state.own.begin(), state.own.end(),
                                    [](const OwnPublish& own) { return own.queued; });
    return queued || one.second->writer.unsettled();
  });
}

std::vector<IpnsName> WriterBook::take_those_due(Instant now) {
  std::vector<IpnsName> due;
  while (!timers_.empty() && timers_.begin()->first <= now) {
    due.push_back(timers_.begin()->second);
    timers_.erase(timers_.begin());
    names_.at(due.back())->due.reset();
  }
  return due;
}

std::vector<IpnsName> WriterBook::say_who_is_connected(writer_input::Places places) {
  std::vector<IpnsName> changed;
  std::lock_guard lock(mutex_);
  places_ = std::move(places);
  for (auto& [name, entry] : names_) {
    if (feed(name, *entry, places_)) changed.push_back(name);
  }
  return changed;
}

void WriterBook::serve() {
  set_thread_name("writers");
  Instant look = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!closed_) {
    const Instant now = std::chrono::steady_clock::now();
    std::optional<Instant> until;
    if (!timers_.empty()) until = timers_.begin()->first;
    const bool open = anything_open();
    if (open) until = until ? std::min(*until, look) : look;
    const std::vector<IpnsName> due = take_those_due(now);
    // Once a relay was reached in this run, nothing that falls due asks for more than that.
    if (open && (look <= now || (!due.empty() && !places_.broadcast))) {
      lock.unlock();
      for (const IpnsName& name : say_who_is_connected(hooks_.places())) hooks_.changed(name);
      lock.lock();
      look = now + kLookWhoIsConnected;
    }
    std::vector<IpnsName> changed;
    for (const IpnsName& name : due) {
      if (feed(name, *names_.at(name), writer_input::Tick{})) changed.push_back(name);
    }
    std::deque<std::pair<IpnsName, WriterAction>> actions = std::exchange(actions_, {});
    if (!actions.empty() || !changed.empty()) {
      lock.unlock();
      for (const IpnsName& name : changed) hooks_.changed(name);
      for (auto& [name, action] : actions)
        (is_work(action) ? hooks_.work : hooks_.act)(name, std::move(action));
      lock.lock();
    } else if (until && *until > now) {
      woken_.wait_until(lock, *until);
    } else if (!until) {
      woken_.wait(lock);
    }
  }
}

}  // namespace ipnscast::sync
