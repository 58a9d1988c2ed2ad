// What this device tells others that share its key, and what they tell.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/client_impl.h"
#include "ipnscast/sync/devices/device_event.h"
#include "ipnscast/sync/devices/device_watch.h"
#include "ipnscast/sync/keys/own_secret.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kLongestHostName = 256;

std::string this_machine() {
  char name[kLongestHostName] = {};
  return ::gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

std::string this_platform() {
  utsname system{};
  if (::uname(&system) != 0) return "";
  return std::string(system.sysname) + " " + system.machine;
}

}  // namespace

void ClientImpl::open_presence() {
  auto secret = own_secret(*config_.signer, *writer_, kDeviceInfo, "devices_key", true);
  if (!secret)
    return log_warning("client",
                       "other devices are not told of this one: " + secret.error().message);
  Device self{.id = identity_->id(),
              .name = config_.device_name.empty() ? this_machine() : config_.device_name,
              .platform = this_platform(),
              .version = IPNSCAST_VERSION,
              .at = {}};
  const Status read = writer_->run([&](store::Database& db) -> Status {
    const auto rows = load_watched(db);
    if (!rows) return fail(rows.error());
    for (const NameRow& row : *rows) {
      if (row.taken) self.applied.emplace(row.name, Applied{*row.taken, row.seen});
    }
    return {};
  });
  if (!read) log_warning("client", read.error().message);
  presence_ = Presence::start({*loop_, *writer_, *outbox_, config_.signer},
                              {.relays = config_.relays, .limits = config_.outbox},
                              std::move(**secret), std::move(self));
}

void ClientImpl::note_taken(const IpnsName& name, const Version& version) {
  if (presence_) presence_->applied(name, version);
}

Result<std::vector<Device>> ClientImpl::devices(Instant deadline, std::stop_token stop) {
  if (!pool_ || !config_.signer)
    return fail(Errc::invalid, "devices are found with relays and a Nostr key");
  DeviceWatch watch(*pool_, config_.signer);
  auto out = watch.wait([](const auto&, bool all) { return all; }, deadline, std::move(stop));
  if (!out) return out;
  for (Device& device : *out) device.own = device.id == identity_->id();
  return out;
}

Result<std::vector<Device>> ClientImpl::wait_applied(const IpnsName& name, const Version& version,
                                                     size_t count, Instant deadline,
                                                     std::stop_token stop) {
  if (!pool_ || !config_.signer)
    return fail(Errc::invalid, "devices are found with relays and a Nostr key");
  const std::string own = identity_->id();
  const auto counts = [&](const Device& device) {
    return device.id != own && device.has_applied(name, version);
  };
  DeviceWatch watch(*pool_, config_.signer);
  auto out = watch.wait(
      [&](const std::vector<Device>& devices, bool) {
        return static_cast<size_t>(std::ranges::count_if(devices, counts)) >= count;
      },
      deadline, std::move(stop));
  if (out) std::erase_if(*out, [&](const Device& device) { return !counts(device); });
  return out;
}

}  // namespace ipnscast::sync
