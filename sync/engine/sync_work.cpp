// The sync thread's work on the network: resolutions, polls, fetches along chains of names.
#include <algorithm>

#include "ipnscast/sync/engine/sync_thread.h"

namespace ipnscast::sync {
namespace {

constexpr int kMaxChain = 32;  // IPNS record spec

std::optional<KnownRecord> best_of(const ResolveUpdate& update) {
  if (update.report.best) return known_record(*update.report.best);
  if (update.expired) return known_record(*update.expired);
  return std::nullopt;
}

// Where the best record came from.
SourceId source_of(const ResolveUpdate& update) {
  SourceId out{SourceKind::poll, ""};
  if (!update.report.best) return out;
  for (const auto& source : update.report.sources) {
    if (source.sequence == update.report.best->fields().sequence) out.endpoint = source.url;
  }
  return out;
}

size_t answered_count(const ResolveUpdate& update) {
  return static_cast<size_t>(
      std::count_if(update.report.sources.begin(), update.report.sources.end(),
                    [](const auto& source) { return source.sequence.has_value(); }));
}

Milliseconds left_until(Instant deadline) {
  const auto left =
      std::chrono::duration_cast<Milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max(left, Milliseconds(1));
}

}  // namespace

void SyncThread::perform(action::Resolve& action) {
  ResolveOptions options;
  options.floor = action.floor;
  const NameRow* row = engine_.find(action.name);
  options.first_contact = row == nullptr || !row->record;
  options.fresh = true;
  work_[action.job].lookup = parts_.resolver.resolve(
      action.name, options,
      [inbox = inbox_, name = action.name, job = action.job,
       tell = options_.on_resolved](const ResolveUpdate& update) {
        if (tell && update.kind == ResolveUpdate::Kind::finished) tell(name, update.report);
        input::ResolveUpdate in{name, job, best_of(update), source_of(update)};
        in.sources_answered = answered_count(update);
        in.settled = true;  // the race speaks when its floor or its deadline is reached
        in.finished = update.kind == ResolveUpdate::Kind::finished;
        in.nobody = in.finished && !update.report.anybody_told();
        inbox->push_reserved(Input(std::move(in)));
      });
}

void SyncThread::perform(action::Poll& action) {
  work_[action.job].lookup =
      parts_.resolver.poll(action.name, [inbox = inbox_, name = action.name, job = action.job,
                                         tell = options_.on_resolved](const ResolveUpdate& update) {
        if (update.kind != ResolveUpdate::Kind::finished) return;
        if (tell) tell(name, update.report);
        input::PollDone in{name, job, best_of(update), source_of(update)};
        in.failed = !in.record && !update.unchanged && !update.report.anybody_told();
        inbox->push_reserved(Input(std::move(in)));
      });
}

void SyncThread::perform(action::Fetch& action) {
  const JobId job = action.job;
  work_[job];
  chains_.insert_or_assign(job, Chain{action, action.value, 0});
  follow(job);
}

void SyncThread::chain_failed(JobId job, Error error) {
  const auto chain = chains_.find(job);
  if (chain == chains_.end()) return;
  inbox_->push_reserved(
      Input(input::FetchFailed{chain->second.action.name, job, std::move(error)}));
}

void SyncThread::follow(JobId job) {
  Chain& chain = chains_.at(job);
  if (++chain.depth > kMaxChain) {
    return chain_failed(job, {Errc::too_large, "a chain of more than 32 names"});
  }
  const std::string& value = chain.value;
  const bool immutable = value.rfind("/ipfs/", 0) == 0;
  if (!immutable && value.rfind("/ipns/", 0) != 0) {
    return chain_failed(job, {Errc::unsupported, "a value that is neither /ipfs/ nor /ipns/"});
  }
  const size_t slash = value.find('/', 6);
  const std::string head = value.substr(6, slash == std::string::npos ? slash : slash - 6);
  const std::string rest = slash == std::string::npos ? "" : value.substr(slash);
  if (immutable) {
    auto root = Cid::parse(head);
    if (!root) return chain_failed(job, root.error());
    return fetch_root(job, *root, rest);
  }
  auto name = IpnsName::parse(head);
  if (!name) return chain_failed(job, name.error().within("a link of the chain"));
  chain.value = rest;  // what stays to be appended to the inner name's value
  work_[job].lookup =
      parts_.resolver.resolve(*name, {}, [inbox = inbox_, job](const ResolveUpdate& update) {
        inbox->push_reserved(ChainUpdate{job, update});
      });
}

void SyncThread::chain_update(ChainUpdate& message) {
  const auto chain = chains_.find(message.job);
  const auto work = work_.find(message.job);
  if (chain == chains_.end() || work == work_.end() || !work->second.lookup) return;
  if (message.update.report.best) {
    parts_.resolver.cancel(*work->second.lookup);
    work->second.lookup.reset();
    chain->second.value = message.update.report.best->fields().value + chain->second.value;
    return follow(message.job);
  }
  if (message.update.kind == ResolveUpdate::Kind::finished) {
    chain_failed(message.job, {Errc::not_found, "a name in the chain has no record"});
  }
}

void SyncThread::fetch_root(JobId job, const Cid& root, std::string path) {
  const action::Fetch& action = chains_.at(job).action;
  FetchOptions options = options_.fetch;
  options.deadline = left_until(action.deadline);
  const NameRow* row = engine_.find(action.name);
  options.shares = row != nullptr && row->handed.has_value();
  // What is kept of a name goes by its newest versions.
  if (action.current) {
    options.keep_as = action.name.to_string();
  } else {
    held_.erase(action.name);
    held_.try_emplace(action.name, parts_.cache, root);
  }
  options.scope.path = std::move(path);
  work_[job].fetch = parts_.fetcher.fetch(
      root, options, [inbox = inbox_, name = action.name, job](const Result<FetchReport>& fetched) {
        inbox->push_reserved(fetched ? Input(input::Fetched{name, job, fetched->target})
                                     : Input(input::FetchFailed{name, job, fetched.error()}));
      });
}

}  // namespace ipnscast::sync
