#include "ipnscast/sync/publish/content_place.h"

#include <algorithm>

#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/ipfs/ipld/car.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMostBases = 8;
constexpr int kTooManyRequests = 429;
constexpr int kUnavailable = 503;

Status read_import(const gateway::HttpAnswer& answer) {
  auto roots = gateway::read_kubo_dag_import(answer);
  if (!roots) return fail(roots.error());
  for (const gateway::ImportedRoot& root : *roots) {
    if (!root.pin_error.empty()) return fail(Errc::refused, root.pin_error);
  }
  return {};
}

}  // namespace

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
  return reported(
      calls_.ask(std::move(call), std::chrono::steady_clock::now() + options_->call_deadline));
}

// However slow the line is, as long as bytes move.
Result<gateway::HttpAnswer> ContentPlace::upload(gateway::HttpCall call) {
  return reported(calls_.ask(std::move(call),
                             std::chrono::steady_clock::now() + options_->upload_deadline,
                             options_->upload_stall));
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

void ContentPlace::tell(uint64_t bytes, uint64_t total) const {
  if (options_->on_progress) options_->on_progress({book_.endpoint(node_).url, bytes, total});
}

Status ContentPlace::import(ByteView car, bool pin) {
  const auto answer = upload(gateway::kubo_dag_import_call(book_.endpoint(node_), car, pin));
  if (!answer) return fail(answer.error());
  Status imported = read_import(*answer);
  if (!imported && pin) return fail(imported.error().within("not pinned"));
  return imported;
}

// A Kubo that is online looks for what it lacks in the whole network before it gives up a pin, so
// that it is asked for one only when nothing is lacking.
Status ContentPlace::pin_if_whole(const Cid& root) {
  const auto answer = ask(gateway::kubo_dag_stat_call(book_.endpoint(node_), root));
  if (!answer) return fail(answer.error());
  const Status whole = gateway::read_kubo_done(*answer);
  if (!whole && whole.error().code != Errc::unsupported)
    return fail(Errc::refused, whole.error().message);
  const auto block = read_block(source_, root);
  if (!block) return fail(block.error());
  Bytes car = car_header({root});
  append_car_section(car, root, *block);
  return import(car, true);
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
  const auto pin = upload(gateway::kubo_pin_add_call(book_.endpoint(node_), root));
  if (!pin) return fail(pin.error());
  const Status done = gateway::read_kubo_done(*pin);
  return done ? done : fail(Errc::not_found, "not pinned: " + done.error().message);
}

// The last batch asks for the pin, unless some were passed over.
Status ContentPlace::send(const Cid& root, const ContentPlan& plan, size_t from) {
  uint64_t passed = 0;
  for (size_t i = 0; i < from; ++i) passed += plan.batches[i].bytes;
  tell(passed, plan.bytes);
  for (size_t i = from; i < plan.batches.size(); ++i) {
    const ContentPlan::Batch& batch = plan.batches[i];
    Bytes car = car_header({root});
    car.reserve(car.size() + batch.bytes + (batch.end - batch.begin) * 48);
    for (size_t k = batch.begin; k < batch.end; ++k) {
      const auto block = read_block(source_, plan.blocks[k]);
      if (!block) return fail(block.error());
      append_car_section(car, plan.blocks[k], *block);
    }
    const bool pin = from == 0 && i + 1 == plan.batches.size();
    Status imported = import(car, pin);
    if (!imported) return imported;
    out_.blocks += batch.end - batch.begin;
    out_.bytes += batch.bytes;
    passed += batch.bytes;
    tell(passed, plan.bytes);
  }
  return from == 0 ? Status{} : pin_if_whole(root);
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
  // The last batch that was found may have been cut short.
  const size_t from = missing.value_or(0) > 0 ? *missing - 1 : 0;
  Status sent = send(root, **plan, from);
  const bool left_out = !bases.empty() || from > 0;
  const bool hole =
      !sent && (sent.error().code == Errc::refused || sent.error().code == Errc::timeout);
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

ContentSender::Sent ContentPlace::bring(const Cid& root, ContentPlans& plans,
                                        const SendOptions& options) {
  const Instant started = std::chrono::steady_clock::now();
  options_ = &options;
  out_ = {};
  out_.node = node_;
  out_.place.kind = Outcome::Place::Kind::node;
  out_.place.what = Outcome::Place::What::content;
  out_.place.url = book_.endpoint(node_).url;
  const auto before = pinned(root);
  out_.was_pinned = before && *before;
  Status status;
  bool there = false;
  if (!before && before.error().code != Errc::unsupported) {
    status = fail(before.error());
  } else if (!out_.was_pinned) {
    if (options.before_first) status = options.before_first(node_);
    if (status && options.perhaps_there) {
      status = pin_what_is_there(root);
      there = status.has_value();
      if (!there && status.error().code == Errc::not_found) status = {};
    }
    if (status && !there) {
      status = send_what_lacks(root, plans);
      // What we lack ourselves the node may have got from elsewhere meanwhile.
      const bool lacking = !status && status.error().code == Errc::not_found;
      there = lacking && !options.perhaps_there && pin_what_is_there(root);
      if (there) status = {};
    }
  }
  if (status) status = read_back(root);
  out_.place.ok = status.has_value();
  if (status) {
    out_.place.detail = out_.was_pinned ? "has it pinned already"
                        : there
                            ? "has it from elsewhere, pinned now"
                            : "stored and pinned, " + std::to_string(out_.blocks) + " blocks sent";
  } else {
    out_.failure = status.error().code;
    out_.place.detail = std::string(to_string(status.error().code)) + ": " + status.error().message;
  }
  out_.place.took =
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started);
  return std::move(out_);
}

}  // namespace ipnscast::sync
