#pragma once

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "ipnscast/sync/change/change.h"
#include "ipnscast/tools/watch/places.h"

namespace ipnscast::tools {

// Keeps records of other people's names alive as long as they are valid: routers and nodes drop
// what nobody puts again (a day or two), though it may be valid for much longer. The newest valid
// record that is known here is put there as it is, which takes no key: at the start, when it
// changes, and every four hours, as Kubo does for its own. Has a thread ("keep-alive").
class RecordKeeping {
 public:
  // `places` outlives this. `state_dir`: of the client that follows the names.
  RecordKeeping(Places& places, std::vector<sync::IpnsName> names, std::filesystem::path state_dir,
                Milliseconds every = Milliseconds(4 * 3'600'000));
  // Ends the thread; what is under way ends with `places`.
  ~RecordKeeping();

  // There is another record. Does not block. Any thread.
  void noticed(const sync::Change& change);
  void stop();

 private:
  void run();
  // Whether there was a record to put, and somebody took it or had it.
  bool put(const sync::IpnsName& name);

  // constant after construction
  Places& places_;
  const std::filesystem::path state_dir_;
  const Milliseconds every_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  std::map<sync::IpnsName, Instant> due_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace ipnscast::tools
