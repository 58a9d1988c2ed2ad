#include "ipnscast/bridge/announce/republisher.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/retry.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/sync/hint/hint_repair.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::bridge {

namespace {

void log_failure(const Status& status) {
  if (!status) log_error("bridge", status.error().message);
}

}  // namespace

Republisher::Republisher(std::shared_ptr<nostr::Signer> signer, store::Writer& writer,
                         nostr::OutboxSender& sender, sync::CreatedAtAllocator created_at,
                         Options options, Post post, OnReport on_report)
    : signer_(std::move(signer)),
      writer_(writer),
      sender_(sender),
      options_(std::move(options)),
      post_(std::move(post)),
      on_report_(std::move(on_report)),
      created_at_(std::move(created_at)) {}

void Republisher::announce(const AnnouncedName& name, bool renewal, Now now) {
  const auto [it, added] = works_.try_emplace(name.name);
  Work& work = it->second;
  if (work.under_way) return;
  // What is to be deleted first stays so, whatever is announced behind it.
  work.record = name.record;
  work.renewal = renewal;
  work.repair = false;
  work.parent.reset();
  if (name.hint) work.parent = sync::root_of(name.hint->value);
  if (added) sign(name.name, work, now);
}

void Republisher::learn(const nostr::Event& event, Now now) {
  const auto address = nostr::address_of(event);
  if (!address || !created_at_.learn(*address, event.created_at, now.seconds())) return;
  writer_.submit([address = *address, mark = event.created_at](
                     store::Database& db) { return sync::save_created_at(db, address, mark); },
                 log_failure);
}

void Republisher::repair(const AnnouncedName& name, const nostr::Event& newer, Now now) {
  const auto address = nostr::address_of(newer);
  if (!address || works_.count(name.name) != 0) return;
  const auto mark = created_at_.mark(*address);
  if (mark && *mark > newer.created_at) return;
  const bool ahead = created_at_.ahead_of_limit(newer.created_at, now.seconds());
  if (ahead && !retracted_.insert(newer.id)) {
    return log_error("bridge", name.name.to_string() +
                                   ": a relay keeps an event of ours from the future, which it was "
                                   "asked to delete, and hides what we announce");
  }
  learn(newer, now);
  writer_.submit([name = name.name](store::Database& db) { return forget_hint(db, name); },
                 log_failure);
  Work& work = works_[name.name];
  work.record = name.record;
  work.repair = true;
  if (ahead) work.deletions = {sync::deletion_of(newer, now.seconds())};
  work.asked_for = work.deletions.size();
  sign(name.name, work, now);
}

std::optional<Announcement> Republisher::take(RepublishStep step, Now now) {
  if (auto* one = std::get_if<HintSigned>(&step)) {
    signed_one(*one, now);
    return std::nullopt;
  }
  if (auto* found = std::get_if<FutureHints>(&step)) {
    found_ahead(*found, now);
    return std::nullopt;
  }
  return committed(std::get<HintCommitted>(step), now);
}

void Republisher::tick(Now now) {
  while (!timers_.empty() && timers_.begin()->first <= now.steady) {
    const sync::IpnsName name = timers_.begin()->second;
    timers_.erase(timers_.begin());
    const auto it = works_.find(name);
    if (it != works_.end() && !it->second.under_way) sign(name, it->second, now);
  }
}

std::optional<Instant> Republisher::next_tick() const {
  return timers_.empty() ? std::nullopt : std::optional(timers_.begin()->first);
}

std::optional<UnixSeconds> Republisher::held_until(const sync::IpnsName& name, bool& delete_first,
                                                   Now now) const {
  std::optional<UnixSeconds> until;
  for (const int kind : options_.kinds) {
    const auto next = created_at_.next(address(name, kind), now.seconds());
    if (next.advice == sync::CreatedAt::Advice::delete_first) delete_first = true;
    // One that lies further ahead has no second to wait for: it goes out at once, above it.
    const bool soon = next.value.value <= now.seconds().value + 1;
    if (next.advice == sync::CreatedAt::Advice::coalesce && soon)
      until = std::max(until, std::optional(next.value));
  }
  return until;
}

void Republisher::sign(const sync::IpnsName& name, Work& work, Now now) {
  bool delete_first = false;
  if (const auto until = held_until(name, delete_first, now)) {
    return wait(name, Milliseconds(until->value * 1000 - now.wall.value), now);
  }
  if (delete_first) return look_ahead(name, work, now);
  const auto cid = sync::root_of(work.record.value);
  if (!cid) return failed(name, work, {Errc::internal, "a value without a CID"}, now);
  work.round = ++last_round_;
  work.under_way = true;
  const size_t kinds = options_.kinds.size();
  work.events.assign(kinds + work.deletions.size(), std::nullopt);
  work.hint = {work.record.sequence, work.record.value, work.record.eol, now.wall};
  for (size_t i = 0; i < kinds; ++i) {
    const int kind = options_.kinds[i];
    const sync::HintDraft draft{.name = name,
                                .cid = *cid,
                                .sequence = work.record.sequence,
                                .timestamp = now.wall,
                                .version = 0,
                                .device_id = {},
                                .parent = work.parent,
                                .record = work.record.bytes,
                                .kind = kind,
                                .topic = options_.topic};
    const auto created_at = created_at_.take(address(name, kind), now.seconds());
    sign_one(name, work.round, i, sync::make_hint_event(draft, created_at.value));
  }
  for (size_t i = 0; i < work.deletions.size(); ++i)
    sign_one(name, work.round, kinds + i, work.deletions[i]);
}

void Republisher::look_ahead(const sync::IpnsName& name, Work& work, Now now) {
  work.round = ++last_round_;
  work.under_way = true;
  std::vector<nostr::Address> wrong;
  for (const int kind : options_.kinds) {
    const auto next = created_at_.next(address(name, kind), now.seconds());
    if (next.advice == sync::CreatedAt::Advice::delete_first) wrong.push_back(address(name, kind));
  }
  auto found = std::make_shared<std::vector<std::pair<nostr::Address, sync::SentAround>>>();
  writer_.submit(
      [found, wrong, limit = created_at_.limit(now.seconds())](store::Database& db) -> Status {
        for (const nostr::Address& one : wrong) {
          auto sent = sync::load_sent_around(db, one, limit);
          if (!sent) return fail(sent.error());
          found->emplace_back(one, std::move(*sent));
        }
        return {};
      },
      [post = post_, name, round = work.round, found](const Status& read) {
        FutureHints step{name, round, std::move(*found)};
        if (!read) step.found = fail(read.error());
        post(std::move(step));
      });
}

void Republisher::found_ahead(FutureHints& step, Now now) {
  Work* work = find(step.name, step.round);
  if (work == nullptr) return;
  if (!step.found) return failed(step.name, *work, step.found.error(), now);
  log_warning("bridge", step.name.to_string() +
                            ": our last hint lies in the future, from a clock that was wrong: it "
                            "is deleted");
  for (const auto& [at, sent] : *step.found) {
    if (!sent.after.empty())
      work->deletions.push_back(sync::deletion_of(sent.after, at.kind, now.seconds()));
    if (const auto mark = created_at_.mark(at)) work->wrong_marks.emplace_back(at, *mark);
    created_at_.reset(at);
    if (sent.last) created_at_.restore(at, *sent.last);
  }
  work->under_way = false;
  sign(step.name, *work, now);
}

void Republisher::sign_one(const sync::IpnsName& name, uint64_t round, size_t index,
                           Result<nostr::UnsignedEvent> event) {
  const auto done = [post = post_, name, round, index](Result<nostr::Event> signed_event) {
    post(HintSigned{name, round, index, std::move(signed_event)});
  };
  if (event) {
    signer_->sign(std::move(*event), done);
  } else {
    done(fail(event.error()));
  }
}

void Republisher::signed_one(HintSigned& step, Now now) {
  Work* work = find(step.name, step.round);
  if (work == nullptr) return;
  if (!step.event) return failed(step.name, *work, step.event.error(), now);
  work->events[step.index] = std::move(*step.event);
  const bool all = std::all_of(work->events.begin(), work->events.end(),
                               [](const auto& event) { return event.has_value(); });
  if (all) commit(step.name, *work);
}

// One job: a crash leaves all of it or nothing.
void Republisher::commit(const sync::IpnsName& name, Work& work) {
  auto job = [name, record = work.record, hint = work.hint, events = work.events,
              wrong = work.wrong_marks, limit = created_at_.limit(system_now().seconds()),
              relays = options_.relays, limits = options_.outbox](store::Database& db) -> Status {
    for (const auto& [address, mark] : wrong) {
      if (auto done = sync::forget_future(db, address, limit); !done) return done;
    }
    if (auto done = save_record(db, name, record); !done) return done;
    if (auto done = save_hint(db, name, hint); !done) return done;
    for (const auto& event : events) {
      if (auto done = nostr::outbox_add(db, *event, relays, limits); !done) return done;
      const auto address = nostr::address_of(*event);
      if (!address) continue;  // a deletion
      if (auto done = sync::save_created_at(db, *address, event->created_at); !done) return done;
      if (auto done = sync::save_sent(db, event->id, *address, event->created_at); !done)
        return done;
    }
    return {};
  };
  writer_.submit(std::move(job), [post = post_, name, round = work.round](Status status) {
    post(HintCommitted{name, round, std::move(status)});
  });
}

std::optional<Announcement> Republisher::committed(const HintCommitted& step, Now now) {
  Work* work = find(step.name, step.round);
  if (work == nullptr) return std::nullopt;
  if (!step.status) {
    failed(step.name, *work, step.status.error(), now);
    return std::nullopt;
  }
  Announcement out{step.name,     work->hint,   *sync::root_of(work->hint.value),
                   work->renewal, work->repair, {}};
  // First what they hide would be refused before it is gone.
  for (size_t i = options_.kinds.size(); i < work->events.size(); ++i)
    sender_.committed({std::move(*work->events[i]), options_.relays}, {}, nullptr);
  work->events.resize(options_.kinds.size());
  for (auto& event : work->events) {
    out.events.push_back(event->id);
    nostr::OutboxSender::OnReport report;
    if (on_report_) {
      report = [on_report = on_report_, name = step.name](const nostr::PublishReport& told) {
        on_report(name, told);
      };
    }
    sender_.committed({std::move(*event), options_.relays}, options_.quorum, std::move(report));
  }
  works_.erase(step.name);
  return out;
}

void Republisher::wait(const sync::IpnsName& name, Milliseconds time, Now now) {
  timers_.emplace(now.steady + time, name);
}

void Republisher::failed(const sync::IpnsName& name, Work& work, const Error& error, Now now) {
  work.under_way = false;
  for (const auto& [at, mark] : work.wrong_marks) created_at_.restore(at, mark);
  work.deletions.resize(work.asked_for);
  work.wrong_marks.clear();
  work.round = ++last_round_;  // what is still on its way belongs to nobody
  const Milliseconds time = retry_after(++work.failures);
  log_warning("bridge", name.to_string() + ": not announced, next try in " +
                            std::to_string(time.count() / 1000) + " s: " + error.message);
  wait(name, time, now);
}

nostr::Address Republisher::address(const sync::IpnsName& name, int kind) const {
  return {kind, signer_->public_key(), sync::hint_d(name)};
}

Republisher::Work* Republisher::find(const sync::IpnsName& name, uint64_t round) {
  const auto it = works_.find(name);
  return it != works_.end() && it->second.round == round ? &it->second : nullptr;
}

}  // namespace ipnscast::bridge
