#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/sync/engine/messages.h"

namespace ipnscast::sync {

// The app thread: calls the user's handlers, one at a time, and nobody else does. Thread-safe.
class AppThread {
 public:
  using Handler = std::function<Status(const Change&)>;
  // Called on the app thread after the handler returned; must not block.
  using Done = std::function<void(input::Handled)>;

  explicit AppThread(Done done);
  // Lets a handler that runs come to its end; those that wait are not called.
  ~AppThread();

  void set_handler(const IpnsName& name, Handler handler);
  // The handler is not called again once this returns, except when it runs right now.
  void remove_handler(const IpnsName& name);
  // At most one change of a name is under way, so the number of names bounds the inbox.
  void deliver(action::Deliver what);
  // Idempotent.
  void close();

 private:
  void serve();
  Status call(const IpnsName& name, const Change& change);

  const Done done_;
  std::mutex mutex_;
  std::map<IpnsName, std::shared_ptr<const Handler>> handlers_;  // guarded by mutex_
  Inbox<action::Deliver> inbox_;
  std::thread thread_;
};

}  // namespace ipnscast::sync
