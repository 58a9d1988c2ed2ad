#include "ipnscast/tools/watch/pins.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/sync/state/publish_state.h"
#include "ipnscast/sync/state/state_reading.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kFirstPinRound{1'000};
constexpr size_t kPinRounds =
    10;  // every so many all nodes are looked at, whether one lacks something or not

bool brings_version(const sync::Change& change) {
  using Kind = sync::ChangeKind;
  return change.cid && (change.kind == Kind::change || change.kind == Kind::confirmed ||
                        change.kind == Kind::conflict || change.kind == Kind::refresh);
}

}  // namespace

Result<std::unique_ptr<Pins>> Pins::open(Places& places, Options options) {
  auto book = PinBook::open(options.state_dir);
  if (!book) return fail(book.error());
  return std::unique_ptr<Pins>(new Pins(places, std::move(options), std::move(*book)));
}

Pins::Pins(Places& places, Options options, PinBook book)
    : places_(places),
      options_(std::move(options)),
      book_(std::move(book)),
      thread_([this] { run(); }) {}

Pins::~Pins() {
  stop();
  thread_.join();
}

void Pins::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  places_.contents().close();
}

Status Pins::keep(const sync::Change& change) {
  if (!brings_version(change)) return {};
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return fail(Errc::closed, "--pin: stopped");
    if (!busy_.insert(change.name).second)
      return fail(Errc::busy, "--pin: the content is still on its way to your nodes");
    book_.add_version(change.name, *change.cid, options_.versions);
    if (Status saved = book_.save(); !saved) {
      busy_.erase(change.name);
      return saved;
    }
  }
  Status done = bring(change.name, *change.cid);
  {
    const std::lock_guard lock(mutex_);
    busy_.erase(change.name);
  }
  if (done) tidy();
  return done;
}

Status Pins::bring(const sync::IpnsName& name, const sync::Cid& root) {
  std::vector<size_t> lacking;
  bool somewhere = false;
  const auto nodes = places_.nodes();
  sync::SendOptions options;
  {
    const std::lock_guard lock(mutex_);
    for (const size_t node : nodes) {
      const bool finished = book_.is_finished(places_.url(node), root);
      somewhere |= finished;
      if (!finished) lacking.push_back(node);
    }
    options.bases = book_.versions(name);
  }
  std::erase(options.bases, root.as_v1());
  options.perhaps_there = true;
  options.before_first = [this, root](size_t node) {
    const std::lock_guard lock(mutex_);
    book_.note(places_.url(node), root);
    return book_.save();
  };
  const Status taken =
      lacking.empty() ? fail(Errc::unreachable, "--pin: no node of gateways.nodes takes content")
                      : take(places_.contents().send_now(root, lacking, options), root);
  if (somewhere) return {};
  return taken;
}

// Success when one of them has it.
Status Pins::take(const std::vector<sync::ContentSender::Sent>& sent, const sync::Cid& root) {
  Status out = fail(Errc::unreachable, "--pin: no node has it");
  bool any = false;
  const std::lock_guard lock(mutex_);
  for (const auto& one : sent) {
    if (one.place.ok) {
      book_.finish(one.place.url, root, one.was_pinned);
      any = true;
      continue;
    }
    lacking_ = true;
    out = fail(one.failure, "--pin at " + one.place.url + ": " + one.place.detail);
    if (!stopping_) log_warning("watch", out.error().message + "; it is tried again");
  }
  if (Status saved = book_.save(); !saved) return saved;
  if (any) return {};
  return out;
}

bool Pins::published_here(const sync::Cid& root) const {
  bool found = false;
  const Status read = sync::read_state_file(options_.state_dir, [&](store::Database& db) {
    const auto relatives = sync::load_relatives(db, root);
    if (!relatives) return Status(fail(relatives.error()));
    found = !relatives->empty();
    return Status();
  });
  return !read || found;  // what is not known stays pinned
}

// Takes pins off that no version wants any more. One that cannot be reached now is left for later.
void Pins::tidy() {
  std::vector<PinBook::Pin> unwanted;
  {
    const std::lock_guard lock(mutex_);
    unwanted = book_.unwanted();
  }
  if (unwanted.empty()) return;
  const auto nodes = places_.nodes();
  for (const PinBook::Pin& pin : unwanted) {
    const auto node = std::find_if(nodes.begin(), nodes.end(),
                                   [&](size_t one) { return places_.url(one) == pin.node; });
    if (!pin.foreign && !published_here(pin.root)) {
      if (node == nodes.end()) continue;
      const Status off = places_.contents().unpin(*node, pin.root);
      if (!off) {
        log_info("watch", "--pin: " + pin.root.to_string() + " stays pinned at " + pin.node +
                              " for now: " + off.error().message);
        continue;
      }
    }
    const std::lock_guard lock(mutex_);
    book_.drop(pin.node, pin.root);
    static_cast<void>(book_.save());
  }
}

void Pins::run() {
  set_thread_name("pins");
  std::unique_lock lock(mutex_);
  Milliseconds wait = kFirstPinRound;
  // A node that was away when it was asked what it speaks is found in a round of its own.
  for (size_t round = 0; !changed_.wait_for(lock, wait, [this] { return stopping_; }); ++round) {
    wait = options_.again;
    if (!std::exchange(lacking_, false) && round % kPinRounds != 0) continue;
    lock.unlock();
    catch_up();
    tidy();
    lock.lock();
  }
}

// The newest version of each name, for nodes that lack it.
void Pins::catch_up() {
  std::vector<sync::IpnsName> names;
  {
    const std::lock_guard lock(mutex_);
    names = book_.names();
  }
  const auto nodes = places_.nodes();
  for (const auto& name : names) {
    std::optional<sync::Cid> root;
    {
      const std::lock_guard lock(mutex_);
      const auto versions = book_.versions(name);
      const bool lacks = std::any_of(nodes.begin(), nodes.end(), [&](size_t node) {
        return !versions.empty() && !book_.is_finished(places_.url(node), versions.front());
      });
      if (stopping_) return;
      if (!lacks || !busy_.insert(name).second) continue;
      root = versions.front();
    }
    static_cast<void>(bring(name, *root));
    const std::lock_guard lock(mutex_);
    busy_.erase(name);
  }
}

}  // namespace ipnscast::tools
