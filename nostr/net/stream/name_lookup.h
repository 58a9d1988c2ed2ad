#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "ipnscast/nostr/base/workers.h"

namespace ipnscast::nostr::net {

// The dns thread: names in, addresses out. libwebsockets would resolve inside its event loop, so it
// only ever gets numeric addresses from us.
class NameLookup {
 public:
  struct Failure {
    std::string text;
    bool permanent = false;  // the name server says that there is none; else it did not answer
  };
  // Numeric addresses in the order to try them, at most 8.
  using Found = tl::expected<std::vector<std::string>, Failure>;
  // Called on the dns thread; must only post.
  using Done = std::function<void(Found)>;

  NameLookup();
  // Waits for the look-up that is under way (the system's resolver cannot be interrupted) and drops
  // the others.
  ~NameLookup();

  // True for an onion service's name, which is never looked up: it must not reach the DNS (RFC
  // 7686).
  static bool is_onion(std::string_view host);
  // True for localhost and all names below it, which mean this machine whatever the system's files
  // and servers say (RFC 6761, section 6.3). They are never looked up.
  static bool is_localhost(std::string_view host);
  // True for localhost and for loopback addresses as text (127.0.0.0/8, ::1), not for names that
  // only begin like them.
  static bool is_loopback(const std::string& host);
  // True for an IPv4 or IPv6 address, which needs no look-up.
  static bool is_address(const std::string& host);

  // Any thread; never waits. At most 1,024 look-ups wait at a time; more fail at once, and so do
  // onion names. Dropped
  // without an answer when `asker` has gone before its turn comes.
  void look_up(std::string host, std::weak_ptr<void> asker, Done done);

 private:
  struct Question {
    std::string host;
    std::weak_ptr<void> asker;
    Done done;
  };
  Workers<Question> workers_;
};

}  // namespace ipnscast::nostr::net
