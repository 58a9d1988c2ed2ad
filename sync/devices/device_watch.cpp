#include "ipnscast/sync/devices/device_watch.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/devices/device_event.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kMostDevices = 256;
constexpr size_t kMostOpening = 64;  // that a signer decrypts at a time

}  // namespace

// Shared with the callbacks of pool and signer, which may come after us.
struct DeviceWatch::Heard : std::enable_shared_from_this<Heard> {
  struct One {
    UnixSeconds created_at;
    std::optional<Device> device;  // nothing: not decrypted yet, or not readable
  };

  const std::shared_ptr<nostr::Signer> signer;
  const size_t relays;
  std::mutex mutex;
  std::condition_variable changed;
  // guarded by mutex
  std::map<std::string, One> devices;  // by d
  std::set<nostr::RelayUrl> through;
  size_t opening = 0;

  Heard(std::shared_ptr<nostr::Signer> who, size_t count) : signer(std::move(who)), relays(count) {}

  bool take(nostr::PoolMessage& message);
  void open(const nostr::Event& event);
  void opened(const std::string& d, UnixSeconds created_at, const Result<std::string>& text);
  std::vector<Device> list() const;
};

// On the net thread.
bool DeviceWatch::Heard::take(nostr::PoolMessage& message) {
  if (const auto* eose = std::get_if<nostr::PoolEose>(&message)) {
    const std::lock_guard lock(mutex);
    through.insert(eose->relay);
    changed.notify_all();
    return true;
  }
  const auto* event = std::get_if<nostr::PoolEvent>(&message);
  if (event != nullptr && is_device_event(event->event, signer->public_key())) open(event->event);
  return true;
}

void DeviceWatch::Heard::open(const nostr::Event& event) {
  const std::string d(*event.tag("d"));
  {
    const std::lock_guard lock(mutex);
    const auto known = devices.find(d);
    const bool fits = known != devices.end() || devices.size() < kMostDevices;
    if (!fits || opening >= kMostOpening) return;
    One& one = devices[d];
    if (one.created_at > event.created_at) return;
    one.created_at = event.created_at;
    ++opening;
  }
  signer->nip44_decrypt(event.content, signer->public_key(),
                        [self = shared_from_this(), d, at = event.created_at](
                            const Result<std::string>& text) { self->opened(d, at, text); });
}

void DeviceWatch::Heard::opened(const std::string& d, UnixSeconds created_at,
                                const Result<std::string>& text) {
  const auto device = text ? decode_device(*text) : Result<Device>(fail(text.error()));
  if (!device) log_info("devices", "a device cannot be read: " + device.error().message);
  const std::lock_guard lock(mutex);
  --opening;
  One& one = devices[d];
  if (device && one.created_at == created_at) one.device = *device;
  changed.notify_all();
}

std::vector<Device> DeviceWatch::Heard::list() const {
  const int64_t oldest = system_now().wall.value - Milliseconds(kForgotten).count();
  std::vector<Device> out;
  for (const auto& [d, one] : devices) {
    if (one.device && one.device->at.value >= oldest) out.push_back(*one.device);
  }
  std::sort(out.begin(), out.end(),
            [](const Device& a, const Device& b) { return a.at.value > b.at.value; });
  return out;
}

DeviceWatch::DeviceWatch(nostr::Pool& pool, std::shared_ptr<nostr::Signer> signer)
    : pool_(pool), heard_(std::make_shared<Heard>(std::move(signer), pool.status().size())) {
  subscription_ =
      pool_.subscribe({device_filter(heard_->signer->public_key())},
                      [heard = heard_](nostr::PoolMessage& m) { return heard->take(m); });
}

DeviceWatch::~DeviceWatch() { pool_.unsubscribe(subscription_); }

Result<std::vector<Device>> DeviceWatch::wait(const Enough& enough, Instant deadline,
                                              std::stop_token stop) {
  const std::stop_callback wake(stop, [heard = heard_] {
    const std::lock_guard lock(heard->mutex);
    heard->changed.notify_all();
  });
  std::unique_lock lock(heard_->mutex);
  const auto all = [&] { return heard_->opening == 0 && heard_->through.size() >= heard_->relays; };
  heard_->changed.wait_until(
      lock, deadline, [&] { return stop.stop_requested() || enough(heard_->list(), all()); });
  if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
  if (heard_->through.empty() && heard_->devices.empty())
    return fail(Errc::timeout, "no relay has said which devices there are");
  return heard_->list();
}

}  // namespace ipnscast::sync
