#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "ipnscast/nostr/base/store/writer.h"

namespace ipnscast::sync {

// Which of the devices that share a key this one is: one object for all who say so. Thread-safe.
class DeviceIdentity {
 public:
  // The configured id; or, when that is empty, the one in the state file, where one is made when
  // there is none. The writer outlives it.
  static Result<std::shared_ptr<DeviceIdentity>> open(store::Writer& writer,
                                                      const std::string& configured);

  std::string id() const;
  // Somebody else goes by it: takes another one, which counts from now on and is kept. Does not
  // wait.
  std::string renew();

 private:
  DeviceIdentity(store::Writer& writer, std::string id) : writer_(writer), id_(std::move(id)) {}

  store::Writer& writer_;
  mutable std::mutex mutex_;
  std::string id_;  // guarded by mutex_
};

}  // namespace ipnscast::sync
