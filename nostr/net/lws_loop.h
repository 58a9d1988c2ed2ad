#pragma once

// Private: what the files of nostr/net share. The only header that includes libwebsockets.
#include <libwebsockets.h>

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/net/event_fd_keeper.h"
#include "ipnscast/nostr/net/fd_watch.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/loop_watchdog.h"
#include "ipnscast/nostr/net/message/deflater.h"
#include "ipnscast/nostr/net/socket_door.h"
#include "ipnscast/nostr/net/stream/name_lookup.h"
#include "ipnscast/nostr/net/stream/tls_client.h"

namespace ipnscast::nostr::net {

class ClientSocket;

// What lws reads at once, of any connection.
constexpr size_t kReceiveBufferBytes = 16 * 1024;

struct Loop::Impl {
  ~Impl();

  // Any thread.
  void post(Task task);

  // Net thread only.
  void at(Instant when, Task task);
  void run_posted();
  void run_due();
  void arm_timer();
  void serve();
  // The vhost for outgoing connections that trust this CA file ("" for the system's). Errc::invalid
  // when the file is unusable, Errc::io when lws is out of memory.
  Result<lws_vhost*> client_vhost(const std::string& ca_file);
  // Has lws watch the epoll of `watch`, and opens the door that ClientSocket hands sockets through.
  Status open_watch();
  // A timer that runs out while the machine sleeps, so that waking up wakes the loop.
  Status open_alarm();
  // Probes the connections and calls back when the machine has slept.
  void notice_sleep();

  // constant after construction
  lws_context* context = nullptr;
  EventFdKeeper wake_fd;
  std::thread thread;
  std::unique_ptr<NameLookup> names;
  std::function<SleepClocks()> clocks;
  std::unique_ptr<LoopWatchdog> watchdog;

  std::atomic<uint64_t> rounds = 0;  // that the thread has come round

  // guarded by mutex
  std::mutex mutex;
  std::deque<Task> posted;
  bool stopping = false;

  // net thread only
  struct Wake {
    lws_sorted_usec_list_t list{};  // first: lws hands us its address
    lws_context* context = nullptr;
  } wake;  // ends lws's wait for the earliest timer
  std::multimap<Instant, Task> timers;
  Deflater deflater;  // of all servers: what they send stands alone
  FdWatch watch;
  bool watch_ready = false;
  SocketDoor door;
  UniqueFd alarm;
  SleepDetector sleep;
  using Resumed = std::function<void(Milliseconds)>;
  std::vector<std::weak_ptr<Resumed>> resumed;
  struct ClientVhost {
    TlsContext tls;
    lws_vhost* vhost = nullptr;
  };
  std::map<std::string, ClientVhost> client_vhosts;  // by CA file
  std::deque<std::string> vhost_names;               // lws keeps pointers to them
  std::unordered_map<uint64_t, ClientSocket*> clients;
  uint64_t next_id = 1;
  Rng rng = make_rng();  // for jitter
};

// The callback of outgoing connections, in websocket_client.cpp.
int on_client_event(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t size);

}  // namespace ipnscast::nostr::net
