#include "ipnscast/sync/devices/presence.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/outbox/outbox.h"
#include "ipnscast/sync/devices/device_event.h"
#include "ipnscast/sync/hint/created_at.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

// The names that changed last stay.
void drop_oldest(std::map<IpnsName, Applied>& applied) {
  if (applied.size() <= kMostApplied) return;
  applied.erase(std::min_element(applied.begin(), applied.end(), [](const auto& a, const auto& b) {
    return a.second.at.value < b.second.at.value;
  }));
}

}  // namespace

std::shared_ptr<Presence> Presence::start(Parts parts, Options options, SecretBytes<32> secret,
                                          Device self) {
  std::shared_ptr<Presence> out(
      new Presence(std::move(parts), std::move(options), std::move(secret), std::move(self)));
  const nostr::Address address = out->address();
  std::vector<CreatedAtMark> marks;
  const Status read = out->parts_.writer.run([&](store::Database& db) -> Status {
    auto loaded = load_created_at(db);
    if (!loaded) return fail(loaded.error());
    marks = std::move(*loaded);
    return {};
  });
  if (!read) log_warning("devices", read.error().message);
  const std::lock_guard lock(out->mutex_);
  for (const auto& [of, mark] : marks) {
    if (of == address) out->last_created_at_ = mark;
  }
  out->wake_at({});
  return out;
}

Presence::Presence(Parts parts, Options options, SecretBytes<32> secret, Device self)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      secret_(std::move(secret)),
      self_(std::move(self)) {
  while (self_.applied.size() > kMostApplied) drop_oldest(self_.applied);
}

void Presence::applied(const IpnsName& name, const Version& version) {
  const std::lock_guard lock(mutex_);
  const auto it = self_.applied.find(name);
  if (it != self_.applied.end() && it->second.version == version) return;
  self_.applied.insert_or_assign(name, Applied{version, system_now().wall});
  drop_oldest(self_.applied);
  changed_ = true;
  if (!telling_) wake_at(next_);
}

void Presence::renamed(std::string id) {
  const std::lock_guard lock(mutex_);
  self_.id = std::move(id);
  changed_ = true;
  if (!telling_) wake_at(next_);
}

void Presence::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

void Presence::wake_at(Instant when) {
  if (closed_) return;
  parts_.loop.post([weak = weak_from_this(), &loop = parts_.loop, when] {
    loop.at(when, [weak] {
      if (const auto self = weak.lock()) self->woken();
    });
  });
}

// On the net thread. Others may have been faster.
void Presence::woken() {
  const std::lock_guard lock(mutex_);
  const Instant now = std::chrono::steady_clock::now();
  if (closed_ || telling_ || now < next_) return;
  if (changed_ || now >= next_ + options_.again - options_.pause) tell();
}

void Presence::tell() {
  telling_ = true;
  changed_ = false;
  self_.at = system_now().wall;
  // The signer may answer within the call.
  parts_.loop.post([self = shared_from_this(), text = encode_device(self_)]() mutable {
    self->parts_.signer->nip44_encrypt(
        std::move(text), self->parts_.signer->public_key(),
        [self](Result<std::string> payload) { self->encrypted(std::move(payload)); });
  });
}

void Presence::encrypted(Result<std::string> payload) {
  std::unique_lock lock(mutex_);
  if (!payload) {
    log_info("devices", "this device is not told of: " + payload.error().message);
    return over(false);
  }
  auto event = make_device_event(address().d, std::move(*payload), next_created_at());
  lock.unlock();
  parts_.signer->sign(std::move(event), [self = shared_from_this()](Result<nostr::Event> made) {
    self->is_signed(std::move(made));
  });
}

nostr::Address Presence::address() const {
  return {kDeviceKind, parts_.signer->public_key(), device_d(secret_, self_.id)};
}

// After the one before, unless the clock was wrong then, by more than relays bear.
UnixSeconds Presence::next_created_at() {
  const UnixSeconds now = system_now().seconds();
  const bool wrong = CreatedAtAllocator().ahead_of_limit(last_created_at_, now);
  last_created_at_ = wrong ? now : UnixSeconds{std::max(now.value, last_created_at_.value + 1)};
  return last_created_at_;
}

void Presence::is_signed(Result<nostr::Event> event) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (!event) {
    log_info("devices", "this device is not told of: " + event.error().message);
    return over(false);
  }
  nostr::OutboxEntry entry{std::move(*event), options_.relays};
  parts_.writer.submit(
      [entry, limits = options_.limits, at = address()](store::Database& db) -> Status {
        if (auto saved = save_created_at(db, at, entry.event.created_at); !saved) return saved;
        return nostr::outbox_add(db, entry.event, entry.relays, limits);
      },
      [self = shared_from_this(), entry](const Status& saved) {
        const std::lock_guard held(self->mutex_);
        if (!self->closed_ && saved) self->parts_.outbox.committed(entry, {}, nullptr);
        if (!saved) log_info("devices", "this device is not told of: " + saved.error().message);
        self->over(saved.has_value());
      });
}

void Presence::over(bool told) {
  telling_ = false;
  if (!told) changed_ = true;
  const Instant now = std::chrono::steady_clock::now();
  next_ = now + (told ? options_.pause : options_.retry);
  wake_at(changed_ ? next_ : now + options_.again);
}

}  // namespace ipnscast::sync
