#include "ipnscast/sync/fetch/job.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/gateway/path_gateway.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMaxEarlyBytes = 16 * 1024 * 1024;
constexpr size_t kMaxEarlyBlocks = 1024;

// Of what bytes are, not of how they came.
bool is_of_bytes(Errc code) {
  return code == Errc::signature || code == Errc::parse || code == Errc::too_large;
}

Milliseconds since(Instant start) {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
}

}  // namespace

FetchJob::FetchJob(gateway::Http& http, gateway::GatewayBook& book, BlockCache& cache, Cid root,
                   FetchOptions options, std::shared_ptr<FetchInbox> inbox)
    : http_(http),
      book_(book),
      cache_(cache),
      root_(std::move(root)),
      options_(options),
      inbox_(std::move(inbox)),
      started_(std::chrono::steady_clock::now()),
      plan_(cache, options.max_bytes, options.shares, options.scope, started_ + options.deadline),
      told_(started_),
      last_block_(started_) {}

Result<FetchReport> FetchJob::run() {
  const BlockCache::Hold hold(cache_, root_);
  BlockCache::Batch batch(cache_);
  Status status = plan_.begin(root_);
  if (status) status = loop();
  while (!running_.empty()) drop(running_.begin()->first);
  tell_progress(true);
  const Status committed = batch.commit();
  if (status) status = committed;
  if (status && !options_.keep_as.empty()) status = cache_.keep(options_.keep_as, root_);
  if (!status) return fail(status.error());
  report_.bytes = plan_.bytes();
  report_.blocks = plan_.blocks();
  report_.took = since(started_);
  report_.target = plan_.target().value_or(root_);
  return std::move(report_);
}

Status FetchJob::loop() {
  while (!plan_.complete()) {
    start_tasks();
    if (!ended_) return ended_;
    auto event = inbox_->pop_until(next_wake());
    if (event) {
      resume_paused();
      std::visit([this](auto& what) { take(what); }, *event);
    } else if (inbox_->closed()) {
      return fail(Errc::closed, "shut down");
    }
    if (!ended_) return ended_;
    const Instant now = std::chrono::steady_clock::now();
    if (now >= started_ + options_.deadline)
      return fail(Errc::timeout, "content not fetched within the deadline");
    if (now >= last_block_ + options_.idle)
      return fail(Errc::timeout,
                  "no new block for " + std::to_string(options_.idle.count() / 1'000) + " s");
    // Bytes that wait to be taken are not the gateways' silence.
    if (!event) check_quiet(now);
    tell_progress(false);
  }
  return {};
}

// At half, not at the first free place: each resumption is a wake-up of the HTTP thread.
void FetchJob::resume_paused() {
  if (inbox_->size() > inbox_->capacity() / 2) return;
  for (auto& [number, running] : running_) running.transfer->resume_if_paused();
}

void FetchJob::start_tasks() {
  if (asleep_until_ && std::chrono::steady_clock::now() < *asleep_until_) return;
  asleep_until_.reset();
  while (ended_ && busy() < options_.parallel) {
    auto task = plan_.next_task(options_.streams);
    if (!task) return;
    const FetchPlan::Owner owner = task->owner;
    Active& active = active_[owner];
    active.task = std::move(*task);
    active.left = candidates();
    if (ask_next(active)) continue;
    if (active.task.scope != nullptr) {  // no one speaks what could ask for it as a stream
      task_over(owner, true);
      continue;
    }
    // Nobody may be asked right now. While others are at work that may change.
    if (active_.size() > 1 || fall_asleep()) return task_over(owner, false);
    ended_ = fail(Errc::busy, "every gateway is left alone for a while after failures");
  }
}

// Until the first of those who said to come back later may be asked. False when nobody did, or
// that is too late.
bool FetchJob::fall_asleep() {
  const Instant now = std::chrono::steady_clock::now();
  Instant first = started_ + options_.deadline;
  bool found = false;
  for (size_t gateway = 0; gateway < book_.size(); ++gateway) {
    if (liars_.count(gateway) != 0 || !book_.uses(gateway).blocks) continue;
    const auto at = book_.asked_back_at(gateway, now);
    if (!at || *at >= first) continue;
    first = *at;
    found = true;
  }
  if (found) asleep_until_ = first;
  return found;
}

// Tasks that nobody else works on count.
size_t FetchJob::busy() const {
  return static_cast<size_t>(std::count_if(active_.begin(), active_.end(),
                                           [](const auto& at) { return !at.second.shared; }));
}

// Asks the best one that is left. False when there is none.
bool FetchJob::ask_next(Active& active) {
  while (!active.left.empty()) {
    const Candidate candidate = active.left.back();
    active.left.pop_back();
    if (ask(active, candidate)) return true;
  }
  return false;
}

// The same beside those that are being asked. What else they speak is for when they refuse.
bool FetchJob::ask_another(Active& active) {
  for (size_t i = active.left.size(); i-- > 0;) {
    const Candidate candidate = active.left[i];
    const bool asked =
        std::any_of(active.transfers.begin(), active.transfers.end(), [&](uint64_t number) {
          return running_.at(number).candidate.gateway == candidate.gateway;
        });
    if (asked) continue;
    active.left.erase(active.left.begin() + static_cast<std::ptrdiff_t>(i));
    if (ask(active, candidate)) return true;
  }
  return false;
}

bool FetchJob::ask(Active& active, const Candidate& candidate) {
  const Instant now = std::chrono::steady_clock::now();
  if (liars_.count(candidate.gateway) != 0) return false;
  if (active.task.scope != nullptr && candidate.dialect == FetchDialect::rpc) return false;
  const bool stream = active.task.kind == FetchPlan::Kind::car;
  if (stream && candidate.dialect == FetchDialect::path) return false;
  if (!book_.admit(candidate.gateway, now)) return false;
  const uint64_t number = ++last_transfer_;
  // A stream also brings what we have already, within reason.
  gateway::HttpCall call =
      fetch_call(book_.endpoint(candidate.gateway), candidate.dialect, active.task,
                 plan_.bytes_left() + plan_.bytes_left() / 8 + 4 * kMaxBlockBytes);
  call.deadline = std::chrono::duration_cast<Milliseconds>(started_ + options_.deadline - now) +
                  Milliseconds(1);
  call.stall = options_.stall;
  Running& running = running_[number];
  running.owner = active.task.owner;
  running.candidate = candidate;
  running.started = now;
  running.last_byte = now;
  running.patience = book_.hedge_delay(candidate.gateway, options_.hedge);
  running.transfer =
      std::make_unique<FetchTransfer>(http_, std::move(call), active.task.kind, number, inbox_);
  active.transfers.insert(number);
  return true;
}

void FetchJob::take(TransferHead& event) {
  const auto it = running_.find(event.transfer);
  if (it == running_.end()) return;
  heard_from(it->second, 0);
  const Status status =
      check_fetch_head(it->second.candidate.dialect, active_.at(it->second.owner).task, event.head);
  if (!status) return transfer_over(event.transfer, status, event.head.retry_after);
  it->second.type =
      check_fetch_type(it->second.candidate.dialect, active_.at(it->second.owner).task, event.head);
}

void FetchJob::take(TransferBytes& event) {
  const auto it = running_.find(event.transfer);
  if (it == running_.end()) return;
  heard_from(it->second, event.received);
  Status status;
  for (auto block = event.blocks.begin(); status && block != event.blocks.end(); ++block)
    status = take_block(it->second, block->cid, block->block);
  if (status) status = std::move(event.status);
  if (!status) transfer_over(event.transfer, std::move(status));
}

void FetchJob::take(TransferDone& event) {
  const auto it = running_.find(event.transfer);
  if (it == running_.end()) return;
  Running& running = it->second;
  Status status = std::move(event.status);
  if (status) {
    const FetchPlan::Task& task = active_.at(running.owner).task;
    if (running.candidate.dialect == FetchDialect::path)
      status = take_file(running, event.body);
    else if (task.kind == FetchPlan::Kind::raw)
      status = take_block(running, task.cid, std::make_shared<const Bytes>(std::move(event.body)));
  }
  transfer_over(event.transfer, std::move(status));
}

void FetchJob::take(FetchCancelled&) { ended_ = fail(Errc::cancelled, "fetch cancelled"); }

// What a path gateway gave counts once the CID has come out of it.
Status FetchJob::take_file(Running& running, ByteView file) {
  auto blocks = gateway::blocks_of_file(active_.at(running.owner).task.cid, file);
  if (!blocks) return fail(blocks.error());
  for (const auto& [cid, block] : *blocks) {
    if (Status taken = take_block(running, cid, std::make_shared<const Bytes>(block)); !taken)
      return taken;
  }
  return {};
}

// An error ends the transfer. Unless it is a lie, it is one of the content or of ours, which no
// other gateway can mend, and ends the fetch.
Status FetchJob::take_block(Running& running, const Cid& cid, const SharedBlock& block) {
  const auto taken = plan_.accept(active_.at(running.owner).task, cid, block);
  if (taken && taken->verdict == FetchPlan::Verdict::unexpected) {
    // Perhaps its link comes later: the order of a stream is not to be relied on.
    if (running.early.size() < kMaxEarlyBlocks &&
        running.early_bytes + block->size() <= kMaxEarlyBytes &&
        running.early.emplace(FetchPlan::key(cid), block).second) {
      running.early_bytes += block->size();
    }
    return {};
  }
  if (taken && taken->verdict == FetchPlan::Verdict::unwanted) return {};
  if (taken) {
    note_block(running, FetchPlan::key(cid));
    return accepted(running, *taken);
  }
  if (taken.error().code != Errc::signature) ended_ = fail(taken.error());
  return fail(taken.error());
}

Status FetchJob::accepted(Running& running, const FetchPlan::Accepted& what) {
  Active& active = active_.at(running.owner);
  won(active, running);
  std::vector<std::string> now_wanted =
      running.early.empty() ? std::vector<std::string>() : what.now_wanted;
  while (!now_wanted.empty()) {
    const auto early = running.early.extract(now_wanted.back());
    now_wanted.pop_back();
    if (early.empty()) continue;
    running.early_bytes -= early.mapped()->size();
    const auto taken = plan_.accept_key(active.task, early.key(), early.mapped());
    if (!taken) {
      if (taken.error().code != Errc::signature) ended_ = fail(taken.error());
      return fail(taken.error());
    }
    note_block(running, early.key());
    now_wanted.insert(now_wanted.end(), taken->now_wanted.begin(), taken->now_wanted.end());
  }
  return {};
}

void FetchJob::note_block(const Running& running, std::string_view key) {
  if (report_.blocks_by_gateway.empty()) report_.first_block = since(started_);
  ++report_.blocks_by_gateway[book_.endpoint(running.candidate.gateway).url];
  last_block_ = std::chrono::steady_clock::now();
  if (options_.on_block) options_.on_block(key);
}

// The first that brings much of it decides which of several gateways goes on: one good block does
// not tell whether the next is a lie, or comes at all.
void FetchJob::won(Active& active, Running& running) {
  if (!running.useful) book_.note_latency(running.candidate.gateway, since(running.started));
  running.useful = true;
  if (active.transfers.size() == 1 || running.received < kYoungStream) return;
  const std::set<uint64_t> all = active.transfers;
  for (const uint64_t number : all) {
    if (&running_.at(number) != &running) drop(number);
  }
}

// The transfer ended: the task goes on with another gateway, or is over.
void FetchJob::transfer_over(uint64_t number, Status outcome, Seconds retry_after) {
  auto node = running_.extract(number);
  const Running& running = node.mapped();
  const FetchPlan::Owner owner = running.owner;
  Active& active = active_.at(owner);
  active.transfers.erase(number);
  if (!ended_) return;
  // Who called it something else and brought nothing has not lied: that one does not speak this.
  if (!outcome && !running.type && !running.useful && is_of_bytes(outcome.error().code))
    outcome = running.type;
  // A 200 and an end prove nothing: whoever did not bring what was asked for has failed.
  const bool owes = plan_.owes(active.task);
  if (outcome && owes) outcome = fail(Errc::unreachable, "blocks are missing in the answer");
  judge(running.candidate, outcome, retry_after);
  if (!owes) return task_over(owner, false);
  ++demerits_[running.candidate.gateway];
  log_debug("fetch",
            book_.endpoint(running.candidate.gateway).url + ": " + outcome.error().message);
  // What a stream left out is new work, for which other gateways come first.
  if (running.useful && active.transfers.empty()) return task_over(owner, false);
  // That one does not speak a dialect tells nothing about the content.
  const Errc why = outcome.error().code;
  if (active.last_error.code == Errc::not_found && why != Errc::unsupported)
    active.last_error = outcome.error();
  if (active.transfers.empty() && !ask_next(active)) task_failed(owner);
}

// Nobody brought anything for it: a stream is asked for block by block next. A block that nobody
// has ends the fetch; when it is not clear that nobody has it, all are asked once more, and those
// who were asked too often when they are ready for it.
void FetchJob::task_failed(FetchPlan::Owner owner) {
  Active& active = active_.at(owner);
  if (fall_asleep()) return task_over(owner, false);
  if (active.task.kind == FetchPlan::Kind::car) return task_over(owner, true);
  if (active.last_error.code != Errc::not_found && !active.repeated) {
    active.repeated = true;
    active.left = candidates();
    if (ask_next(active)) return;
  }
  ended_ = fail(active.last_error.within(active.task.cid.to_string()));
}

void FetchJob::task_over(FetchPlan::Owner owner, bool raw_only) {
  const auto it = active_.find(owner);
  while (!it->second.transfers.empty()) drop(*it->second.transfers.begin());
  plan_.release(it->second.task, raw_only);
  active_.erase(it);
}

// Ends a transfer whose answer is not needed any more. Its silence is remembered.
void FetchJob::drop(uint64_t transfer) {
  const auto it = running_.find(transfer);
  const Running& running = it->second;
  const size_t gateway = running.candidate.gateway;
  const Instant now = std::chrono::steady_clock::now();
  const bool quiet = now >= running.last_byte + running.patience;
  if (!running.talking && quiet) book_.note_latency(gateway, since(running.started));
  book_.report(gateway,
               running.talking && quiet ? fail(Errc::timeout, "") : fail(Errc::cancelled, ""), now);
  active_.at(running.owner).transfers.erase(transfer);
  running_.erase(it);
}

void FetchJob::heard_from(Running& running, size_t bytes) {
  running.last_byte = std::chrono::steady_clock::now();
  running.received += bytes;
  if (running.talking) return;
  running.talking = true;
  running.patience = book_.pause_limit(running.candidate.gateway, since(running.started));
}

void FetchJob::tell_progress(bool at_once) {
  if (!options_.on_progress) return;
  const Instant now = std::chrono::steady_clock::now();
  if (!at_once && now < told_ + Milliseconds(100)) return;
  told_ = now;
  options_.on_progress({plan_.bytes(), plan_.blocks(), plan_.missing()});
}

void FetchJob::judge(const Candidate& candidate, const Status& outcome, Seconds retry_after) {
  const Instant now = std::chrono::steady_clock::now();
  if (!outcome && outcome.error().code == Errc::signature) {
    log_warning("fetch", book_.endpoint(candidate.gateway).url +
                             " sent a block that is not what it claims to be");
    liars_.insert(candidate.gateway);
    return book_.report_lie(candidate.gateway, now);
  }
  book_.report(candidate.gateway, outcome, now, retry_after);
}

}  // namespace ipnscast::sync
