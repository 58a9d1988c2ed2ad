#include "ipnscast/nostr/net/loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cassert>
#include <condition_variable>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/nostr/net/client_socket.h"
#include "ipnscast/nostr/net/deflate_extension.h"
#include "ipnscast/nostr/net/lws_loop.h"

namespace ipnscast::nostr::net {
namespace {

// lws 4.1.6 and 4.3 say that they are about to close a connection where it has a session of its own
// only.
constexpr size_t kSessionBytes = 1;

const lws_protocols kClientProtocols[] = {
    {"ipnscast-client", on_client_event, kSessionBytes, kReceiveBufferBytes, 0, nullptr, 0},
    {nullptr, nullptr, 0, 0, 0, nullptr, 0}};

// The epoll of our own descriptors is served outside lws_service(), as the timers are.
int on_watch_event(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* /*in*/,
                   size_t /*size*/) {
  if (wsi != nullptr && reason == LWS_CALLBACK_RAW_RX_FILE) {
    static_cast<Loop::Impl*>(lws_context_user(lws_get_context(wsi)))->watch_ready = true;
  }
  return 0;
}

const lws_protocols kWatchProtocols[] = {{"ipnscast-watch", on_watch_event, 0, 0, 0, nullptr, 0},
                                         {nullptr, nullptr, 0, 0, 0, nullptr, 0}};

// Some hundreds of connections at most, and a handshake asks three times.
TlsPeerCheck* client_of(void* impl, ssl_st* ssl) {
  for (const auto& [id, client] : static_cast<Loop::Impl*>(impl)->clients) {
    if (client->wsi() != nullptr && lws_get_ssl(client->wsi()) == ssl) return client;
  }
  return nullptr;
}

}  // namespace

void Loop::Impl::post(Task task) {
  {
    std::lock_guard lock(mutex);
    posted.push_back(std::move(task));
    if (posted.size() > 1) return;  // the loop was woken for the first one and takes all
  }
  lws_cancel_service(context);
}

void Loop::Impl::run_posted() {
  std::deque<Task> batch;
  {
    std::lock_guard lock(mutex);
    batch.swap(posted);
  }
  for (Task& task : batch) task();
}

void Loop::Impl::at(Instant when, Task task) {
  const bool first = timers.empty() || when < timers.begin()->first;
  timers.emplace(when, std::move(task));
  if (first) arm_timer();
}

void Loop::Impl::arm_timer() {
  if (timers.empty()) return;
  const auto wait = std::chrono::duration_cast<std::chrono::microseconds>(
      timers.begin()->first - std::chrono::steady_clock::now());
  // The timers run outside lws_service(): lws does not take kindly to sockets being closed while it
  // walks its own. It serves its timers before it polls, so the callback has to end the poll that
  // follows. Whole milliseconds, because poll() counts in them and would spin through the rest.
  lws_sul_schedule(
      context, 0, &wake.list,
      [](lws_sorted_usec_list_t* list) {
        lws_cancel_service(reinterpret_cast<Wake*>(list)->context);
      },
      std::max<int64_t>(1, wait.count() + 999));
}

void Loop::Impl::run_due() {
  const Instant now = std::chrono::steady_clock::now();
  while (!timers.empty() && timers.begin()->first <= now) {
    Task task = std::move(timers.begin()->second);
    timers.erase(timers.begin());
    task();
  }
  arm_timer();
}

Result<lws_vhost*> Loop::Impl::client_vhost(const std::string& ca_file) {
  if (const auto found = client_vhosts.find(ca_file); found != client_vhosts.end()) {
    return found->second.vhost;
  }
  auto tls = make_tls_context(ca_file, client_of, this);
  if (!tls) return fail(tls.error());
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.protocols = kClientProtocols;
  info.extensions = kClientExtensions;
  vhost_names.push_back("client" + ca_file);
  info.vhost_name = vhost_names.back().c_str();
  info.provided_client_ssl_ctx = tls->get();
  info.http_proxy_address = "";  // not the one of the environment: ours come with each connection
  lws_vhost* vhost = lws_create_vhost(context, &info);
  if (vhost == nullptr) return fail(Errc::io, "cannot set up connections");
  client_vhosts[ca_file] = {std::move(*tls), vhost};
  return vhost;
}

Status Loop::Impl::open_watch() {
  if (auto opened = watch.open(); !opened) return opened;
  if (auto opened = door.open(); !opened) return opened;
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = kWatchProtocols;
  info.vhost_name = "watch";
  lws_vhost* vhost = lws_create_vhost(context, &info);
  lws_sock_file_fd_type descriptor{};
  descriptor.filefd = ::fcntl(watch.fd(), F_DUPFD_CLOEXEC, 0);  // lws closes it
  if (vhost == nullptr || descriptor.filefd < 0 ||
      lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, descriptor,
                                 kWatchProtocols[0].name, nullptr) == nullptr) {
    return fail(Errc::io, "cannot watch sockets");
  }
  return {};
}

Status Loop::Impl::open_alarm() {
  constexpr time_t kSeconds = 3;  // the watchdog wants it to come round
  alarm = UniqueFd(::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  const itimerspec every{{kSeconds, 0}, {kSeconds, 0}};
  const auto rung = [this](uint32_t) {
    uint64_t count = 0;
    (void)!::read(alarm.get(), &count, sizeof(count));
  };
  if (!alarm || ::timerfd_settime(alarm.get(), 0, &every, nullptr) != 0 ||
      !watch.watch(alarm.get(), EPOLLIN, rung)) {
    return fail(Errc::io, "cannot set a timer");
  }
  return {};
}

void Loop::Impl::notice_sleep() {
  const Milliseconds asleep = sleep.tick(clocks());
  if (asleep.count() == 0) return;
  log_info("net", "this machine slept " + std::to_string(asleep.count() / 1000) +
                      " s: every connection is tried");
  for (const auto& [id, client] : clients) client->probe();
  std::erase_if(resumed, [](const auto& call) { return call.expired(); });
  for (const auto& call : std::vector(resumed)) {
    if (const auto alive = call.lock()) (*alive)(asleep);
  }
}

void Loop::Impl::serve() {
  set_thread_name("net");
  for (;;) {
    ++rounds;
    notice_sleep();
    run_due();
    if (std::exchange(watch_ready, false)) watch.serve();
    run_posted();
    {
      std::lock_guard lock(mutex);
      if (stopping && posted.empty()) break;
    }
    lws_service(context, 0);  // does not wait for sockets when something was posted meanwhile
  }
  // The close frames of sockets that were let go of, without waiting for any of them.
  constexpr int kLastRounds = 4;
  for (int i = 0; i < kLastRounds; ++i) lws_service(context, -1);
}

Loop::Impl::~Impl() {
  names.reset();
  {
    std::lock_guard lock(mutex);
    stopping = true;
  }
  lws_cancel_service(context);
  if (thread.joinable()) thread.join();
  watchdog.reset();
  timers.clear();
  lws_sul_cancel(&wake.list);
  assert(clients.empty());
  lws_context_destroy(context);
  wake_fd.close_leaked();
}

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

Result<std::unique_ptr<Loop>> Loop::start(std::function<SleepClocks()> clocks,
                                          Milliseconds stuck_after) {
  // Its lines go through one buffer of the process, whichever thread writes them. What matters
  // reaches our callbacks.
  lws_set_log_level(0, nullptr);
  std::unique_ptr<Loop> loop(new Loop());
  Impl& impl = *loop->impl_;
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  info.user = &impl;
  info.pt_serv_buf_size = 64 * 1024;
  impl.context = lws_create_context(&info);
  if (impl.context == nullptr) return fail(Errc::io, "cannot start the network loop");
  impl.wake_fd.find([&impl] { lws_cancel_service(impl.context); });
  impl.wake.context = impl.context;
  impl.clocks = std::move(clocks);
  if (auto opened = impl.open_watch(); !opened) return fail(opened.error());
  if (auto opened = impl.open_alarm(); !opened) return fail(opened.error());
  impl.names = std::make_unique<NameLookup>();
  impl.thread = std::thread([&impl] { impl.serve(); });
  impl.watchdog = std::make_unique<LoopWatchdog>(impl.rounds, impl.thread, stuck_after);
  return loop;
}

void Loop::post(Task task) { impl_->post(std::move(task)); }

void Loop::run(Task task) {
  assert(!on_net_thread());
  std::mutex mutex;
  std::condition_variable done_changed;
  bool done = false;
  post([&] {
    task();
    std::lock_guard lock(mutex);
    done = true;
    done_changed.notify_one();
  });
  std::unique_lock lock(mutex);
  done_changed.wait(lock, [&] { return done; });
}

void Loop::at(Instant when, Task task) { impl_->at(when, std::move(task)); }

std::shared_ptr<void> Loop::on_resume(std::function<void(Milliseconds asleep)> call) {
  auto token = std::make_shared<Impl::Resumed>(std::move(call));
  impl_->resumed.push_back(token);
  return token;
}

bool Loop::on_net_thread() const { return std::this_thread::get_id() == impl_->thread.get_id(); }

}  // namespace ipnscast::nostr::net
