// The publisher's content on its way to the nodes.
#include <algorithm>
#include <condition_variable>

#include "sync/publisher.h"

namespace ipnscast::sync {
namespace {

// What came back from nodes so far, shared between the content threads and the caller who waits.
struct Arrivals {
  std::mutex mutex;
  std::condition_variable changed;
  // guarded by mutex
  std::vector<Outcome::Place> places;
  bool somewhere = false;
  bool all = false;

  std::mutex progress_mutex;
  // guarded by progress_mutex; empty when the caller has gone on
  std::function<void(const PublishProgress&)> on_progress;

  void tell(const PublishProgress& now) {
    std::lock_guard lock(progress_mutex);
    if (on_progress) on_progress(now);
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

}  // namespace

// Waits until all nodes are through, or one has everything and the deadline has passed. The rest
// goes on behind the caller's back, and after that as an errand.
Result<Publisher::Stored> Publisher::send_content(const IpnsName& name, const Cid& root,
                                                  const PublishOptions& options, Instant deadline,
                                                  const Errands::Guard& guard) {
  const Instant start = std::chrono::steady_clock::now();
  const auto since = [&] {
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
  };
  const auto nodes = content_nodes(parts_.http, parts_.book);
  const auto url_of = [&](size_t node) { return parts_.book.endpoint(node).url; };
  Stored out;
  for (size_t i = 0; i < parts_.book.size(); ++i) {
    if (parts_.book.tier(i) != 1 || !parts_.book.uses(i).publish) continue;
    if (parts_.book.dialects(i)) continue;
    out.places.push_back({Outcome::Place::Kind::node, url_of(i), false, "unreachable", since()});
    out.lacking.push_back(url_of(i));
  }
  if (nodes.empty() && !out.places.empty())
    return fail(Errc::unreachable, "no node is reachable: " + out.places.front().url);
  if (nodes.empty()) return out;

  SendOptions send;
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
        arrivals->changed.notify_all();
      },
      [arrivals](const std::vector<ContentSender::Sent>&) {
        std::lock_guard lock(arrivals->mutex);
        arrivals->all = true;
        arrivals->changed.notify_all();
      });
  std::unique_lock lock(arrivals->mutex);
  arrivals->changed.wait(lock, [&] { return arrivals->somewhere || arrivals->all; });
  arrivals->changed.wait_until(lock, deadline, [&] { return arrivals->all; });
  arrivals->tell_no_more();
  if (!arrivals->somewhere) {
    const Outcome::Place& first = arrivals->places.front();
    return fail(Errc::unreachable, "no node took the content: " + first.url + ": " + first.detail);
  }
  for (const size_t node : nodes) {
    const auto it = std::find_if(arrivals->places.begin(), arrivals->places.end(),
                                 [&](const auto& place) { return place.url == url_of(node); });
    const bool through = it != arrivals->places.end();
    out.places.push_back(through ? *it
                                 : Outcome::Place{Outcome::Place::Kind::node, url_of(node), false,
                                                  "not yet, goes on", since()});
    if (!out.places.back().ok) out.lacking.push_back(url_of(node));
  }
  return out;
}

}  // namespace ipnscast::sync
