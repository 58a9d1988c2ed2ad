#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "ipnscast/sync/change/change.h"
#include "ipnscast/tools/watch/pin_book.h"
#include "ipnscast/tools/watch/places.h"

namespace ipnscast::tools {

// Keeps the last versions of followed names at the own nodes: each is brought there and pinned, and
// pins of older ones are taken off again. Pins of others, and those of versions that this device
// published, stay. A node that was away gets the newest versions later, on a thread ("pins").
class Pins {
 public:
  struct Options {
    std::filesystem::path state_dir;
    size_t versions = 5;         // of each name, with the newest
    Milliseconds again{60'000};  // between tries for nodes that lack something
  };
  // `places` outlives this. As PinBook::open().
  static Result<std::unique_ptr<Pins>> open(Places& places, Options options);
  // Ends the thread. After stop() and the last keep().
  ~Pins();

  // Waits until one node at least has pinned the version that this change brings. Errc::busy while
  // another call does that for the name, Errc::unreachable when no node takes it, Errc::io,
  // Errc::closed. One call for each name and thread.
  Status keep(const sync::Change& change);
  // Ends what is under way.
  void stop();

 private:
  Pins(Places& places, Options options, PinBook book);
  Status bring(const sync::IpnsName& name, const sync::Cid& root);
  Status take(const std::vector<sync::ContentSender::Sent>& sent, const sync::Cid& root);
  void tidy();
  void run();
  void catch_up();
  bool published_here(const sync::Cid& root) const;

  // constant after construction
  Places& places_;
  const Options options_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  PinBook book_;
  std::set<sync::IpnsName> busy_;
  bool stopping_ = false;
  bool lacking_ = false;  // some node

  std::thread thread_;
};

}  // namespace ipnscast::tools
