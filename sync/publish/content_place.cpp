#include "ipnscast/sync/publish/content_place.h"

#include <algorithm>

#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/ipfs/ipld/car.h"
#include "ipnscast/sync/ipfs/unixfs/dag_budget.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMostBases = 8;
constexpr int kTooManyRequests = 429;
constexpr int kUnavailable = 503;
// Batches of a plan are joined to imports.
constexpr size_t kPartBytes = 256 * 1024;
// What an import should take at most; one that took less than the other may be followed by a larger
// one.
constexpr Milliseconds kLongImport{6'000};
constexpr Milliseconds kShortImport{2'000};
// A node reads what it has at least so fast.
constexpr uint64_t kWalkedPerSecond = 4 * 1024 * 1024;
constexpr Milliseconds kFirstRetry{500};
constexpr Milliseconds kLongestRetry{5'000};

std::string seconds(Milliseconds time) { return std::to_string(time.count() / 1'000) + " s"; }

Milliseconds walk_time(uint64_t bytes) {
  return Milliseconds(static_cast<int64_t>(bytes / kWalkedPerSecond) * 1'000);
}

Status read_import(const gateway::HttpAnswer& answer) {
  auto roots = gateway::read_kubo_dag_import(answer);
  if (!roots) return fail(roots.error());
  for (const gateway::ImportedRoot& root : *roots) {
    if (!root.pin_error.empty()) return fail(Errc::refused, root.pin_error);
  }
  return {};
}

}  // namespace

void ImportSize::took(Milliseconds time) {
  if (time < kShortImport) now_ = std::min(now_ * 2, most_);
  if (time > kLongImport) now_ = std::max(now_ / 2, std::min(kLeast, most_));
}

ContentPlans::ContentPlans(BlockSource& source, Cid root, size_t most_bytes)
    : source_(source), root_(std::move(root)), batch_bytes_(std::min(most_bytes, kPartBytes)) {}

Result<std::shared_ptr<const ContentPlan>> ContentPlans::get(const std::vector<Cid>& pinned_bases) {
  std::lock_guard lock(mutex_);
  if (const auto it = plans_.find(pinned_bases); it != plans_.end()) return it->second;
  KnownBlocks known;
  for (const Cid& base : pinned_bases) known.add(source_, base);
  auto plan = plan_content(source_, root_, known, batch_bytes_);
  if (!plan) return fail(plan.error());
  auto shared = std::make_shared<const ContentPlan>(std::move(*plan));
  plans_.emplace(pinned_bases, shared);
  return shared;
}

Result<gateway::HttpAnswer> ContentPlace::ask(gateway::HttpCall call) {
  const Milliseconds most = std::min(options_->call_deadline, stall_);
  auto answer = reported(calls_.ask(std::move(call), std::chrono::steady_clock::now() + most));
  if (!answer && answer.error().code == Errc::timeout)
    return fail(Errc::timeout, "no answer for " + seconds(most) + " (publish.stall)");
  return answer;
}

// For what the node looks at all that it has of it.
Result<gateway::HttpAnswer> ContentPlace::walk(gateway::HttpCall call, uint64_t bytes) {
  return reported(calls_.ask(std::move(call), std::chrono::steady_clock::now() +
                                                  options_->call_deadline + walk_time(bytes)));
}

// However slow the line is, as long as bytes move.
Result<gateway::HttpAnswer> ContentPlace::upload(gateway::HttpCall call, Milliseconds stall) {
  auto answer = reported(calls_.ask(
      std::move(call), std::chrono::steady_clock::now() + options_->upload_deadline, stall));
  if (!answer && answer.error().code == Errc::timeout) {
    return fail(Errc::timeout, "no byte moved for " + seconds(stall) + " (publish.stall)");
  }
  return answer;
}

// What the answer says about the node itself.
Result<gateway::HttpAnswer> ContentPlace::reported(Result<gateway::HttpAnswer> answer) {
  if (calls_.closed()) return answer;
  Status status;
  Seconds retry_after(0);
  if (!answer) {
    status = fail(answer.error());
  } else if (answer->head.status == kTooManyRequests || answer->head.status == kUnavailable) {
    retry_after = answer->head.retry_after;
    status = fail(Errc::busy, "HTTP " + std::to_string(answer->head.status));
    out_.retry_after = std::max(out_.retry_after, retry_after);
  }
  book_.report(node_, status, std::chrono::steady_clock::now(), retry_after);
  return answer;
}

Result<bool> ContentPlace::pinned(const Cid& root) {
  const auto answer = ask(gateway::kubo_pin_ls_call(book_.endpoint(node_), root));
  if (!answer) return fail(answer.error());
  return gateway::read_kubo_pin_ls(*answer);
}

Result<bool> ContentPlace::holds(const Cid& cid) {
  const auto answer = ask(gateway::kubo_block_stat_call(book_.endpoint(node_), cid));
  if (!answer) return fail(answer.error());
  const Status held = gateway::read_kubo_done(*answer);
  if (!held && held.error().code != Errc::not_found) return fail(held.error());
  return held.has_value();
}

// Batches arrive in order, so that one whose first block is there has all others before it. Asks a
// logarithm of their number. Where this is wrong, pinning will fail.
Result<size_t> ContentPlace::first_missing(const ContentPlan& plan) {
  size_t there = 0;  // before this one all are there
  size_t end = plan.batches.size();
  while (there < end) {
    const size_t middle = there + (end - there) / 2;
    const auto held = holds(plan.blocks[plan.batches[middle].begin]);
    if (!held) return fail(held.error());
    *held ? there = middle + 1 : end = middle;
  }
  return there;
}

void ContentPlace::tell(bool interrupted) const {
  if (options_->on_progress)
    options_->on_progress({book_.endpoint(node_).url, passed_, total_, interrupted});
}

// `pinned_bytes`: what the node walks before it pins.
Status ContentPlace::import(ByteView car, bool pin, uint64_t pinned_bytes) {
  const Milliseconds stall = stall_ + (pin ? walk_time(pinned_bytes) : Milliseconds(0));
  const auto answer = upload(gateway::kubo_dag_import_call(book_.endpoint(node_), car, pin), stall);
  if (!answer) return fail(answer.error());
  Status imported = read_import(*answer);
  if (!imported && pin) return fail(imported.error().within("not pinned"));
  return imported;
}

// A Kubo that is online looks for what it lacks in the whole network before it gives up a pin, so
// that it is asked for one only when nothing is lacking.
Status ContentPlace::pin_if_whole(const Cid& root, uint64_t bytes) {
  const auto answer = walk(gateway::kubo_dag_stat_call(book_.endpoint(node_), root), bytes);
  if (!answer) return fail(answer.error());
  const Status whole = gateway::read_kubo_done(*answer);
  if (!whole && whole.error().code != Errc::unsupported)
    return fail(Errc::refused, whole.error().message);
  const auto block = read_block(source_, root);
  if (!block) return fail(block.error());
  Bytes car = car_header({root});
  append_car_section(car, root, *block);
  return import(car, true, bytes);
}

// Of content that came from elsewhere. Asks first: see pin_if_whole(). Errc::not_found when the
// node has not all of it.
Status ContentPlace::pin_what_is_there(const Cid& root) {
  const auto held = holds(root);
  if (!held) return fail(held.error());
  if (!*held) return fail(Errc::not_found, "the node does not have " + root.to_string());
  const auto answer = ask(gateway::kubo_dag_stat_call(book_.endpoint(node_), root));
  if (!answer) return fail(answer.error());
  const Status whole = gateway::read_kubo_done(*answer);
  if (!whole && whole.error().code != Errc::unsupported) {
    return fail(Errc::not_found, "the node has not all of it: " + whole.error().message);
  }
  const auto pin =
      upload(gateway::kubo_pin_add_call(book_.endpoint(node_), root), options_->call_deadline);
  if (!pin) return fail(pin.error());
  const Status done = gateway::read_kubo_done(*pin);
  return done ? done : fail(Errc::not_found, "not pinned: " + done.error().message);
}

Result<Bytes> ContentPlace::car_of(const Cid& root, const ContentPlan& plan, size_t begin,
                                   size_t end) const {
  Bytes car = car_header({root});
  for (size_t i = plan.batches[begin].begin; i < plan.batches[end - 1].end; ++i) {
    const auto block = read_block(source_, plan.blocks[i]);
    if (!block) return fail(block.error());
    append_car_section(car, plan.blocks[i], *block);
  }
  return car;
}

// The last import asks for the pin, unless some batches were passed over.
Status ContentPlace::send(const Cid& root, const ContentPlan& plan, size_t from) {
  passed_ = 0;
  total_ = plan.bytes;
  for (size_t i = 0; i < from; ++i) passed_ += plan.batches[i].bytes;
  tell();
  ImportSize size(options_->batch_bytes);
  for (size_t i = from; i < plan.batches.size();) {
    size_t end = i + 1;
    uint64_t bytes = plan.batches[i].bytes;
    while (end < plan.batches.size() && bytes + plan.batches[end].bytes <= size.bytes())
      bytes += plan.batches[end++].bytes;
    const auto car = car_of(root, plan, i, end);
    if (!car) return fail(car.error());
    const Instant start = std::chrono::steady_clock::now();
    const bool pin = from == 0 && end == plan.batches.size();
    pinning_ = pin;
    if (Status imported = import(*car, pin, plan.bytes); !imported) return imported;
    size.took(std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start));
    out_.blocks += plan.batches[end - 1].end - plan.batches[i].begin;
    out_.bytes += bytes;
    passed_ += bytes;
    tell();
    i = end;
  }
  if (from == 0) return {};
  pinning_ = true;
  return pin_if_whole(root, plan.bytes);
}

Status ContentPlace::send_what_lacks(const Cid& root, ContentPlans& plans) {
  std::vector<Cid> bases;
  for (const Cid& base : options_->bases) {
    if (bases.size() >= kMostBases || base == root) continue;
    const auto there = pinned(base);
    if (!there && there.error().code != Errc::unsupported) return fail(there.error());
    if (there && *there) bases.push_back(base);
  }
  const auto plan = plans.get(bases);
  if (!plan) return fail(plan.error());
  // A node that does not know the question gets everything.
  const auto missing = first_missing(**plan);
  if (!missing && missing.error().code != Errc::unsupported) return fail(missing.error());
  // The last import that was found may have been cut short.
  size_t from = missing.value_or(0);
  for (uint64_t bytes = 0; from > 0; --from) {
    bytes += (*plan)->batches[from - 1].bytes;
    if (bytes > options_->batch_bytes) break;
  }
  Status sent = send(root, **plan, from);
  const bool left_out = !bases.empty() || from > 0;
  const bool hole = !sent && pinning_ &&
                    (sent.error().code == Errc::refused || sent.error().code == Errc::timeout);
  if (!hole || !left_out) return sent;
  const auto everything = plans.get({});
  if (!everything) return fail(everything.error());
  return send(root, **everything, 0);
}

// The root's block comes back as it was, and the node keeps it with everything below it.
Status ContentPlace::read_back(const Cid& root) {
  auto answer = ask(gateway::kubo_block_get_call(book_.endpoint(node_), root, true));
  if (!answer) return fail(answer.error());
  const auto block = gateway::read_kubo_block_get(std::move(*answer));
  if (!block) return fail(block.error().within("accepted, but not readable"));
  if (Status same = check_block(root, *block); !same) return same;
  const auto kept = pinned(root);
  if (!kept && kept.error().code == Errc::unsupported) return {};
  if (!kept) return fail(kept.error());
  if (!*kept) return fail(Errc::refused, "accepted, but not pinned");
  return {};
}

// As far as it goes without an interruption.
Status ContentPlace::bring_once(const Cid& root, ContentPlans& plans) {
  const auto before = pinned(root);
  if (!before && before.error().code != Errc::unsupported) return fail(before.error());
  if (before && *before) {
    out_.was_pinned = out_.bytes == 0;
    return read_back(root);
  }
  if (options_->before_first && out_.bytes == 0) {
    if (Status noted = options_->before_first(node_); !noted) return noted;
  }
  if (options_->perhaps_there) {
    const Status there = pin_what_is_there(root);
    was_there_ = there.has_value();
    if (!there && there.error().code != Errc::not_found) return there;
  }
  if (!was_there_) {
    Status sent = send_what_lacks(root, plans);
    // What we lack ourselves the node may have got from elsewhere meanwhile.
    const bool lacking = !sent && sent.error().code == Errc::not_found;
    was_there_ = lacking && !options_->perhaps_there && pin_what_is_there(root);
    if (!sent && !was_there_) return sent;
  }
  return read_back(root);
}

// A node that took something and went away is waited for: for as long as it may be silent.
bool ContentPlace::try_again(const Error& error) {
  const bool passing = error.code == Errc::unreachable || error.code == Errc::busy;
  if (!passing || out_.bytes == 0 || calls_.closed()) return false;
  const Instant now = std::chrono::steady_clock::now();
  if (!interrupted_ || passed_ > reached_) {
    interrupted_ = now;
    reached_ = passed_;
    pause_ = kFirstRetry;
  }
  const Instant end = *interrupted_ + stall_;
  if (!calls_.wait(std::max<Milliseconds>(pause_, out_.retry_after), end)) return false;
  pause_ = std::min(pause_ * 2, kLongestRetry);
  return true;
}

ContentSender::Sent ContentPlace::bring(const Cid& root, ContentPlans& plans,
                                        const SendOptions& options) {
  const Instant started = std::chrono::steady_clock::now();
  options_ = &options;
  out_ = {};
  out_.node = node_;
  out_.place.kind = Outcome::Place::Kind::node;
  out_.place.what = Outcome::Place::What::content;
  out_.place.url = book_.endpoint(node_).url;
  Status status = bring_once(root, plans);
  while (!status) {
    if (out_.bytes > 0) tell(true);
    if (!try_again(status.error())) break;
    out_.retry_after = Seconds(0);
    status = bring_once(root, plans);
  }
  out_.place.ok = status.has_value();
  if (status) {
    out_.place.detail = out_.was_pinned ? "has it pinned already"
                        : was_there_
                            ? "has it from elsewhere, pinned now"
                            : "stored and pinned, " + std::to_string(out_.blocks) + " blocks sent";
  } else {
    out_.failure = status.error().code;
    out_.place.detail = std::string(to_string(status.error().code)) + ": " + status.error().message;
    if (out_.bytes > 0 && passed_ < total_) {
      out_.place.detail += "; it has " + size_text(passed_) + " of " + size_text(total_) +
                           ", the next try goes on from there";
    }
  }
  out_.place.took =
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started);
  return std::move(out_);
}

}  // namespace ipnscast::sync
