#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "ipnscast/sync/client.h"
#include "ipnscast/tools/session/relay_query.h"

namespace ipnscast::tools {

// Why a change was noticed by a poll only, where relays had a hint of it: its author is not
// trusted, so that relays are not asked for these hints. When a poll has found something, this asks
// them once who announces it, and says so. Only a hint that claims what a record has proved counts;
// whether its author is the publisher is for a person to decide. Has a thread of its own ("trust").
class UntrustedHints {
 public:
  struct Options {
    RelayQueryOptions query;  // relays, signer, access
    std::vector<int> kinds;
    bool compat = true;
    std::set<nostr::PublicKey> trusted;
  };
  // Is told one line for each author; on the thread.
  using Say = std::function<void(const std::string&)>;

  // For a client of this configuration; its lines go to the log. Null where relays are asked for
  // everybody's hints anyway, or are not to learn what is watched.
  static std::unique_ptr<UntrustedHints> of(const sync::Config& config);

  // Relays are asked `first` after a change was noticed, then at most once a minute, and more
  // seldom while they have nothing to tell.
  UntrustedHints(Options options, Say say, Milliseconds first = Milliseconds(2'000));
  // Ends the question that is under way.
  ~UntrustedHints();

  // A change that was handed over. Does not block. Any thread.
  void noticed(const sync::Change& change);

 private:
  struct Proved {
    sync::Cid root;
    sync::Sequence sequence;
  };
  using Changes = std::map<sync::IpnsName, Proved>;

  void run();
  // Whether anybody was found.
  bool ask(const Changes& changes);

  // constant after construction
  const Options options_;
  const Say say_;
  const Milliseconds first_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  Changes waiting_;
  std::set<sync::IpnsName> said_;
  RelayQuery* query_ = nullptr;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace ipnscast::tools
