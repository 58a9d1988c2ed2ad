#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "ipnscast/nostr/base/bytes_order.h"
#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/sync/cache/block_cache.h"
#include "ipnscast/sync/publish/content_sender.h"
#include "ipnscast/sync/publish/errand_book.h"
#include "ipnscast/sync/publish/kept_content.h"
#include "ipnscast/sync/publish/record_sender.h"
#include "ipnscast/sync/state/publish_state.h"

namespace ipnscast::sync {

// Finishes what publishing left undone, in this run or an earlier one: brings content to nodes and
// records to places that lack them, and takes pins of old versions off the nodes. What is owed
// stands in the state file (publish_state.h), so that kill -9 at any instant loses none of it. The
// thread "errands". Thread-safe. Everything it is given outlives it.
class Errands {
 public:
  struct Parts {
    store::Writer& writer;
    gateway::Http& http;
    gateway::GatewayBook& book;
    BlockCache& cache;
    RecordSender& records;
    ContentSender& contents;
    KeptContent& kept;
  };

  // Records that have to be renewed, see Publisher.
  struct Renewals {
    // The names, and when. Must not block.
    std::function<std::vector<std::pair<IpnsName, UnixMillis>>()> due;
    // On the errands thread. An error: again later.
    std::function<Status(const IpnsName&)> renew;
  };

  Errands(Parts parts, ErrandBook::Options options, Renewals renewals);
  ~Errands();

  // Begins with what earlier runs left.
  void start();

  // As long as the guard lives, errands about this root or name are left to whoever has it; then
  // they are looked at. Waits while such a root is being unpinned, ten seconds at most.
  using Guard = std::shared_ptr<const void>;
  Guard hold(const Cid& root) { return hold_bytes(root.as_v1().encode()); }
  Guard hold(const IpnsName& name) { return hold_bytes(name.bytes()); }

  // A record was brought to these gateways (of the book), with this outcome: notes who has it now.
  // What is none of `asked` is left alone. Any thread.
  void note_brought(const IpnsName& name, ByteView record, const std::vector<size_t>& asked,
                    const std::vector<Outcome::Place>& places);
  // Looks at what is owed and due again. Any thread.
  void wake();
  // The node has all of the root, checked. Any thread.
  void note_stored(size_t node, const Cid& root);

  // Nothing is begun any more, and what is cut off from now on is no failure. Does not wait.
  void begin_close();
  // Ends the thread; what is under way ends with its senders. Idempotent.
  void close();

 private:
  Guard hold_bytes(Bytes what);
  void release(const Bytes& what);
  void loop();
  Result<std::vector<Errand>> load();
  Instant add_renewals(std::vector<Errand>& out) const;
  void perform(const std::vector<Errand>& due);
  void bring_content(const Errand& errand);
  void unpin(const Errand& errand);
  void renew(const Errand& errand);
  void bring_record(const IpnsName& name, const std::vector<Errand>& errands);
  std::optional<size_t> gateway_of(const std::string& url) const;
  void done(const Errand& errand);
  void failed(const Errand& errand, Milliseconds at_least = Milliseconds(0));

  // constant after construction
  const Parts parts_;
  const Milliseconds first_retry_;
  const Renewals renewals_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  ErrandBook book_;
  std::multiset<Bytes, BytesLess> held_;
  std::set<Bytes, BytesLess> unpinning_;  // roots
  bool woken_ = false;
  bool closed_ = false;

  std::once_flag closed_once_;
  std::thread thread_;
};

}  // namespace ipnscast::sync
