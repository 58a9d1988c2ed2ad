// The publisher's content on its way to the nodes.
#include <algorithm>
#include <condition_variable>

#include "ipnscast/sync/gateway/trustless.h"
#include "ipnscast/sync/ipfs/unixfs/dag_budget.h"
#include "ipnscast/sync/publish/content_plan.h"
#include "ipnscast/sync/publish/publisher.h"

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kProbeTime{3'000};

// What came back from nodes so far, shared between the content threads and the caller who waits.
struct Arrivals {
  std::mutex mutex;
  std::condition_variable changed;
  // guarded by mutex
  std::vector<Outcome::Place> places;
  bool somewhere = false;
  uint64_t bytes = 0;    // sent to one of them
  bool lacked = false;   // a node answered that it does not have it, and we do not either
  bool stalled = false;  // a node was silent for too long
  bool all = false;

  std::mutex progress_mutex;
  // guarded by progress_mutex
  std::function<void(const PublishProgress&)> on_progress;  // empty when the caller has gone on
  std::map<std::string, PublishProgress> progress;          // by URL

  void tell(const PublishProgress& now) {
    std::lock_guard lock(progress_mutex);
    progress.insert_or_assign(now.node, now);
    if (on_progress) on_progress(now);
  }
  // ": http://... has 12 MiB of 420 MiB", of each that has some
  std::string how_far() {
    std::lock_guard lock(progress_mutex);
    std::string out;
    for (const auto& [url, node] : progress) {
      if (node.bytes == 0) continue;
      out += (out.empty() ? ": " : ", ") + url + " has " + size_text(node.bytes) + " of " +
             size_text(node.total);
    }
    return out.empty() ? out : out + "; the next publish goes on from there";
  }
  void tell_no_more() {
    std::lock_guard lock(progress_mutex);
    on_progress = nullptr;
  }
};

// What lives until the last node is through.
struct Keep {
  BlockCache::Hold blocks;
  Errands::Guard guard;
};

Error before_anything() { return {Errc::cancelled, "stopped before anything was published"}; }

}  // namespace

// Waits until all nodes are through, or one has everything and half of the time is over: the record
// needs some too. The rest goes on behind the caller's back, and after that as an errand. A caller
// who names no deadline waits for the first one as long as bytes move.
Result<Publisher::Stored> Publisher::send_content(const IpnsName& name, const Cid& root,
                                                  Origin origin, const PublishOptions& options,
                                                  const Errands::Guard& guard) {
  const Instant deadline = options.deadline.value_or(default_deadline());
  const Instant start = std::chrono::steady_clock::now();
  const auto since = [&] {
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
  };
  const auto time = std::chrono::duration_cast<Milliseconds>(deadline - start);
  const auto nodes =
      content_nodes(parts_.http, parts_.book, std::min(kProbeTime, time / 4), options.stop);
  if (options.stop.stop_requested()) return fail(before_anything());
  const auto url_of = [&](size_t node) { return parts_.book.endpoint(node).url; };
  Stored out;
  const auto add = [&](Outcome::Place place) {
    if (!place.ok) out.lacking.push_back(place.url);
    out.places.push_back(std::move(place));
  };
  const auto lacks = [&](size_t node, std::string detail) {
    Outcome::Place place{Outcome::Place::Kind::node, url_of(node), false, std::move(detail),
                         since()};
    place.what = Outcome::Place::What::content;
    return place;
  };
  for (size_t i = 0; i < parts_.book.size(); ++i) {
    if (parts_.book.tier(i) != 1 || !parts_.book.uses(i).publish) continue;
    if (!parts_.book.dialects(i)) add(lacks(i, "unreachable"));
  }
  if (nodes.empty() && !out.places.empty()) {
    return nowhere(std::move(out), root, origin, options,
                   {Errc::unreachable, "no node is reachable: " + out.places.front().url});
  }
  if (nodes.empty()) {
    if (options.force) return out;
    if (origin == Origin::elsewhere)
      return nowhere(std::move(out), root, origin, options, {Errc::not_found, ""});
    return fail(Errc::unreachable, "no node takes content, so nobody could fetch it (--force)");
  }

  SendOptions send;
  send.perhaps_there = origin == Origin::elsewhere;
  send.bases = parts_.cache.versions(name.to_string());
  send.keep = std::shared_ptr<const Keep>(new Keep{{parts_.cache, root}, guard});
  auto arrivals = std::make_shared<Arrivals>();
  arrivals->on_progress = options.on_progress;
  send.on_progress = [arrivals](const PublishProgress& now) { arrivals->tell(now); };
  send.before_first = [this, root](size_t node) {
    return parts_.writer.run([pin = Pin{parts_.book.endpoint(node).url, root}](
                                 store::Database& db) { return note_pin(db, pin); });
  };
  parts_.contents.send(
      root, nodes, std::move(send),
      [this, arrivals, root](const ContentSender::Sent& sent) {
        if (sent.place.ok) errands_.note_stored(sent.node, root);
        std::lock_guard lock(arrivals->mutex);
        arrivals->places.push_back(sent.place);
        arrivals->somewhere |= sent.place.ok;
        arrivals->bytes = std::max(arrivals->bytes, sent.bytes);
        arrivals->lacked |= !sent.place.ok && sent.failure == Errc::not_found;
        arrivals->stalled |= !sent.place.ok && sent.failure == Errc::timeout;
        arrivals->changed.notify_all();
      },
      [arrivals](const std::vector<ContentSender::Sent>&) {
        std::lock_guard lock(arrivals->mutex);
        arrivals->all = true;
        arrivals->changed.notify_all();
      });
  const std::stop_callback wake(options.stop, [arrivals] {
    std::lock_guard lock(arrivals->mutex);
    arrivals->changed.notify_all();
  });
  const auto stopped = [&] { return options.stop.stop_requested(); };
  std::unique_lock lock(arrivals->mutex);
  const auto through = [&] { return arrivals->somewhere || arrivals->all || stopped(); };
  if (options.deadline)
    arrivals->changed.wait_until(lock, deadline, through);
  else
    arrivals->changed.wait(lock, through);
  if (arrivals->somewhere)
    arrivals->changed.wait_until(lock, start + (deadline - start) / 2,
                                 [&] { return arrivals->all || stopped(); });
  arrivals->tell_no_more();
  if (stopped()) return fail(before_anything());
  for (const size_t node : nodes) {
    const auto it = std::find_if(arrivals->places.begin(), arrivals->places.end(),
                                 [&](const auto& place) { return place.url == url_of(node); });
    add(it != arrivals->places.end() ? *it : lacks(node, "not yet, goes on"));
  }
  out.bytes = arrivals->bytes;
  if (arrivals->somewhere) return out;
  Error why{Errc::timeout, "no node has all of the content within the time given (--timeout)" +
                               arrivals->how_far()};
  if (arrivals->all) {
    const Outcome::Place& first = arrivals->places.front();
    why = {arrivals->lacked    ? Errc::not_found
           : arrivals->stalled ? Errc::timeout
                               : Errc::unreachable,
           "no node took the content: " + first.url + ": " + first.detail};
  }
  lock.unlock();
  return nowhere(std::move(out), root, origin, options, std::move(why));
}

// No node has it: that ends the publish, unless it may wait here. What was not packed here may be
// at gateways that only serve it.
Result<Publisher::Stored> Publisher::nowhere(Stored out, const Cid& root, Origin origin,
                                             const PublishOptions& options, Error why) {
  bool whole = true;
  if (origin == Origin::elsewhere) {
    if (auto place = serving_place(root)) {
      out.places.push_back(std::move(*place));
      return out;
    }
    if (options.force) return out;
    whole = plan_content(parts_.cache, root, {}, SendOptions().batch_bytes).has_value();
    if (!whole && why.code != Errc::unreachable) {
      why = {Errc::not_found,
             "no place has " + root.to_string() + ", and it is not whole here either (--force)"};
    }
  }
  if (!whole) return fail(std::move(why));
  out.queued = true;
  if (!options.queue)
    return fail(why.code, why.message + " (--queue commits it now and brings it later)");
  if (auto room = kept_content_.check_queue(root); !room) return fail(room.error());
  return out;
}

// A gateway that gives the root's block, verified.
std::optional<Outcome::Place> Publisher::serving_place(const Cid& root) {
  struct Search {
    std::mutex mutex;
    std::condition_variable changed;
    size_t waiting = 0;
    std::optional<size_t> found;
  };
  const Instant start = std::chrono::steady_clock::now();
  auto search = std::make_shared<Search>();
  std::vector<gateway::HttpId> calls;
  std::unique_lock lock(search->mutex);
  for (size_t i = 0; i < parts_.book.size(); ++i) {
    const auto dialects = parts_.book.dialects(i);
    if (!parts_.book.uses(i).blocks || (dialects && !dialects->trustless)) continue;
    auto call = gateway::raw_block_call(parts_.book.endpoint(i), root);
    call.deadline = options_.answer_by;
    ++search->waiting;
    calls.push_back(parts_.http.start_whole(
        std::move(call), [search, root, i](Result<gateway::HttpAnswer> answer) {
          bool good = false;
          if (answer) good = gateway::read_raw_block(root, std::move(*answer)).has_value();
          std::lock_guard guard(search->mutex);
          --search->waiting;
          if (good) search->found = i;
          search->changed.notify_all();
        }));
  }
  search->changed.wait(lock, [&] { return search->found || search->waiting == 0; });
  const std::optional<size_t> found = search->found;
  lock.unlock();
  for (const gateway::HttpId id : calls) parts_.http.cancel(id);
  if (!found) return std::nullopt;
  Outcome::Place place;
  place.kind = Outcome::Place::Kind::node;
  place.what = Outcome::Place::What::content;
  place.url = parts_.book.endpoint(*found).url;
  place.ok = true;
  place.detail = "serves it, takes no pins";
  place.took = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
  return place;
}

}  // namespace ipnscast::sync
