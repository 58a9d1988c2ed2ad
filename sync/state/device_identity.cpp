#include "ipnscast/sync/state/device_identity.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
namespace {

constexpr std::string_view kSetting = "device_id";

std::string random_id() { return to_hex(random_bytes(8)); }

}  // namespace

Result<std::shared_ptr<DeviceIdentity>> DeviceIdentity::open(store::Writer& writer,
                                                             const std::string& configured) {
  std::string id = configured;
  if (id.empty()) {
    const Status read = writer.run([&](store::Database& db) -> Status {
      auto stored = load_setting(db, kSetting);
      if (!stored) return fail(stored.error());
      id = stored->value_or(random_id());
      return *stored ? Status{} : save_setting(db, kSetting, id);
    });
    if (!read) return fail(read.error());
  }
  return std::shared_ptr<DeviceIdentity>(new DeviceIdentity(writer, std::move(id)));
}

std::string DeviceIdentity::id() const {
  std::lock_guard lock(mutex_);
  return id_;
}

std::string DeviceIdentity::renew() {
  std::string id = random_id();
  {
    std::lock_guard lock(mutex_);
    id_ = id;
  }
  log_warning("client", "another device runs on a copy of this state; the device id is now " + id);
  writer_.submit([id](store::Database& db) { return save_setting(db, kSetting, id); },
                 [](const Status&) {});
  return id;
}

}  // namespace ipnscast::sync
