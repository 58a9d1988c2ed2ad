#include "ipnscast/sync/publish/errands.h"

#include <algorithm>
#include <map>

#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

constexpr Milliseconds kUnpinTime{10'000};
// Renewals follow the wall clock, which may be set: it is looked at this often.
constexpr Milliseconds kRenewalsLookAgain{3'600'000};

}  // namespace

Errands::Errands(Parts parts, ErrandBook::Options options, Renewals renewals)
    : parts_(parts),
      first_retry_(options.retry_min),
      renewals_(std::move(renewals)),
      book_(options) {}

Errands::~Errands() { close(); }

void Errands::start() {
  thread_ = std::thread([this] { loop(); });
}

void Errands::begin_close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

void Errands::close() {
  std::call_once(closed_once_, [this] {
    begin_close();
    if (thread_.joinable()) thread_.join();
  });
}

Errands::Guard Errands::hold_bytes(Bytes what) {
  {
    std::unique_lock lock(mutex_);
    held_.insert(what);
    changed_.wait(lock, [&] { return closed_ || unpinning_.count(what) == 0; });
  }
  return Guard(this, [what = std::move(what)](Errands* self) { self->release(what); });
}

void Errands::release(const Bytes& what) {
  {
    std::lock_guard lock(mutex_);
    held_.erase(held_.find(what));
  }
  wake();
}

void Errands::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void Errands::loop() {
  set_thread_name("errands");
  bool first = true;
  std::unique_lock lock(mutex_);
  while (!closed_) {
    woken_ = false;
    lock.unlock();
    parts_.kept.look();
    auto owed = load();
    Instant look_again = std::chrono::steady_clock::now() + kRenewalsLookAgain;
    if (owed) look_again = add_renewals(*owed);
    lock.lock();
    if (!owed) {
      log_error("publisher", "cannot read what is owed: " + owed.error().message);
    } else {
      std::erase_if(*owed, [&](const Errand& e) { return held_.count(e.what) != 0; });
      const Instant now = std::chrono::steady_clock::now();
      book_.owe(*owed, first ? now : now + first_retry_);
      first = false;
    }
    const auto due = book_.take_due(std::chrono::steady_clock::now());
    for (const Errand& errand : due) {
      if (errand.kind == Errand::Kind::unpin) unpinning_.insert(errand.what);
    }
    lock.unlock();
    perform(due);
    lock.lock();
    const auto ready = [&] { return woken_ || closed_; };
    changed_.wait_until(lock, std::min(book_.next_due().value_or(look_again), look_again), ready);
  }
}

// What concerns gateways that are no longer configured is left as it is: perhaps they come back.
Result<std::vector<Errand>> Errands::load() {
  std::vector<Errand> out;
  const auto add = [&](Errand::Kind kind, Bytes what, const std::string& place) {
    if (gateway_of(place)) out.push_back({kind, std::move(what), place});
  };
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    const auto records = load_owed_records(db);
    if (!records) return fail(records.error());
    for (const OwedRecord& owed : *records)
      add(Errand::Kind::record, owed.name.bytes(), owed.place);
    const auto missing = load_missing_pins(db);
    if (!missing) return fail(missing.error());
    for (const Pin& pin : *missing) add(Errand::Kind::content, pin.root.encode(), pin.node);
    const auto unwanted = load_unwanted_pins(db);
    if (!unwanted) return fail(unwanted.error());
    for (const Pin& pin : *unwanted) add(Errand::Kind::unpin, pin.root.encode(), pin.node);
    return {};
  });
  if (!read) return fail(read.error());
  return out;
}

// Adds what is due. When the next one will be.
Instant Errands::add_renewals(std::vector<Errand>& out) const {
  const Now now = system_now();
  Milliseconds next = kRenewalsLookAgain;
  for (const auto& [name, due] : renewals_.due()) {
    const Milliseconds wait(due.value - now.wall.value);
    if (wait.count() <= 0) {
      out.push_back({Errand::Kind::renew, name.bytes(), ""});
    } else {
      next = std::min(next, wait);
    }
  }
  return now.steady + next;
}

void Errands::perform(const std::vector<Errand>& due) {
  std::map<Bytes, std::vector<Errand>, BytesLess> records;  // by name
  for (const Errand& errand : due) {
    if (errand.kind == Errand::Kind::record) records[errand.what].push_back(errand);
    if (errand.kind == Errand::Kind::content) bring_content(errand);
    if (errand.kind == Errand::Kind::unpin) unpin(errand);
    if (errand.kind == Errand::Kind::renew) renew(errand);
  }
  for (const auto& [name, errands] : records) {
    const auto parsed = IpnsName::from_multihash(name);
    if (parsed) bring_record(*parsed, errands);
  }
}

void Errands::bring_content(const Errand& errand) {
  const size_t node = *gateway_of(errand.place);
  const Cid root = *Cid::decode(errand.what);
  const auto takers = content_nodes(parts_.http, parts_.book);  // finds out what it speaks
  if (std::find(takers.begin(), takers.end(), node) == takers.end()) {
    if (!parts_.book.dialects(node)) return failed(errand);
    parts_.writer.submit(
        [pin = Pin{errand.place, root}](store::Database& db) { return drop_pin(db, pin); },
        [this, errand](const Status&) { done(errand); });
    return;
  }
  SendOptions options;
  options.keep = std::make_shared<BlockCache::Hold>(parts_.cache, root);
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    auto relatives = load_relatives(db, root);
    if (!relatives) return fail(relatives.error());
    options.bases = std::move(*relatives);
    return {};
  });
  if (!read) return failed(errand);
  parts_.contents.send(
      root, {node}, std::move(options),
      [this, errand, root](const ContentSender::Sent& sent) {
        if (!sent.place.ok) {
          log_info("publisher", sent.place.url + " still lacks content: " + sent.place.detail);
          return failed(errand, sent.retry_after);
        }
        log_info("publisher", sent.place.url + " has the content now");
        note_stored(sent.node, root);
        done(errand);
        wake();  // it is no longer for this device alone to keep
      },
      nullptr);
}

void Errands::unpin(const Errand& errand) {
  const size_t node = *gateway_of(errand.place);
  const Cid root = *Cid::decode(errand.what);
  const Pin pin{errand.place, root};
  // Looked at once more: what holds it from now on has to wait, and what held it before has
  // committed.
  bool unwanted = false;
  Status gone = parts_.writer.run([&](store::Database& db) -> Status {
    const auto pins = load_unwanted_pins(db);
    if (!pins) return fail(pins.error());
    unwanted = std::any_of(pins->begin(), pins->end(), [&](const Pin& other) {
      return other.node == pin.node && other.root == pin.root;
    });
    return {};
  });
  if (gone && unwanted) gone = parts_.contents.unpin(node, root, kUnpinTime);
  if (gone && unwanted)
    gone = parts_.writer.run([&](store::Database& db) { return drop_pin(db, pin); });
  {
    std::lock_guard lock(mutex_);
    unpinning_.erase(errand.what);
  }
  changed_.notify_all();
  gone ? done(errand) : failed(errand);
}

void Errands::renew(const Errand& errand) {
  const Status renewed = renewals_.renew(*IpnsName::from_multihash(errand.what));
  if (renewed) return done(errand);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;  // it was cut off
  }
  log_warning("publisher", "a record could not be renewed yet: " + renewed.error().message);
  failed(errand);
}

void Errands::bring_record(const IpnsName& name, const std::vector<Errand>& errands) {
  std::optional<OwnName> own;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    auto row = load_own_name(db, name);
    if (!row) return fail(row.error());
    own = std::move(*row);
    return {};
  });
  const auto give_up = [&](bool settled) {
    for (const Errand& errand : errands) settled ? done(errand) : failed(errand);
  };
  if (!read || !own) return give_up(!own);
  const auto record = verify_record(name, own->record, system_now().wall);
  if (!record) return give_up(false);  // expired: a renewal or the next publish makes a new one
  std::vector<size_t> gateways;
  for (const Errand& errand : errands) gateways.push_back(*gateway_of(errand.place));
  parts_.records.send(
      name, *record, nullptr,
      [this, name, bytes = record->bytes(), gateways,
       errands](const std::vector<Outcome::Place>& places) {
        note_brought(name, bytes, gateways, places);
        for (const Errand& errand : errands) {
          const bool lacks = std::any_of(places.begin(), places.end(), [&](const auto& place) {
            return place.url == errand.place && !place.ok && !place.newer;
          });
          lacks ? failed(errand) : done(errand);
        }
      },
      gateways);
}

void Errands::note_brought(const IpnsName& name, ByteView record, const std::vector<size_t>& asked,
                           const std::vector<Outcome::Place>& places) {
  // Who is no place takes no records at all.
  std::vector<OwedRecord> settled;
  for (const size_t gateway : asked) {
    const std::string& url = parts_.book.endpoint(gateway).url;
    const bool lacks = std::any_of(places.begin(), places.end(), [&](const auto& place) {
      return place.url == url && !place.ok && !place.newer;
    });
    if (!lacks) settled.push_back({name, url});
  }
  if (settled.empty()) return;
  parts_.writer.submit(
      [settled, bytes = to_bytes(record)](store::Database& db) -> Status {
        for (const OwedRecord& owed : settled) {
          if (auto done = settle_record(db, owed, bytes); !done) return done;
        }
        return {};
      },
      [](const Status&) {});
}

void Errands::note_stored(size_t node, const Cid& root) {
  parts_.writer.submit([pin = Pin{parts_.book.endpoint(node).url, root}](
                           store::Database& db) { return finish_pin(db, pin); },
                       [](const Status&) {});
}

std::optional<size_t> Errands::gateway_of(const std::string& url) const {
  for (size_t i = 0; i < parts_.book.size(); ++i) {
    if (parts_.book.endpoint(i).url == url) return i;
  }
  return std::nullopt;
}

void Errands::done(const Errand& errand) {
  std::lock_guard lock(mutex_);
  book_.done(errand);
}

void Errands::failed(const Errand& errand, Milliseconds at_least) {
  {
    std::lock_guard lock(mutex_);
    book_.failed(errand, std::chrono::steady_clock::now(), at_least);
  }
  wake();
}

}  // namespace ipnscast::sync
