#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "nostr/base/inbox.h"
#include "nostr/base/result.h"

namespace ipnscast::nostr::net {

// The dns thread: names in, addresses out. libwebsockets would resolve inside its event loop, so it
// only ever gets numeric addresses from us.
class NameLookup {
 public:
  // Numeric addresses in the order to try them. Called on the dns thread; must only post.
  using Done = std::function<void(Result<std::vector<std::string>>)>;

  NameLookup();
  // Waits for the look-up that is under way (the system's resolver cannot be interrupted) and drops
  // the others.
  ~NameLookup();

  // Any thread; never waits. At most 1,024 look-ups wait at a time; more get Errc::busy at once.
  void look_up(std::string host, Done done);

 private:
  struct Question {
    std::string host;
    Done done;
  };
  void serve();

  Inbox<Question> inbox_;
  std::thread thread_;
};

}  // namespace ipnscast::nostr::net
