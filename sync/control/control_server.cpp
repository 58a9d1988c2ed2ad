#include "ipnscast/sync/control/control_server.h"

#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <set>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/sync/control/connection.h"
#include "ipnscast/sync/control/local_socket.h"

namespace ipnscast::sync::control {
namespace {

constexpr size_t kMaxConnections = 64;
constexpr Milliseconds kNoDescriptors{200};

// The server of the connection that this thread serves.
thread_local const void* serves_for = nullptr;

}  // namespace

// What the threads of connections use; it outlives the server where one of them ends it.
struct ControlServer::Shared {
  Shared(Descriptor socket, nlohmann::json what, Serve how)
      : listening(std::move(socket)), facts(std::move(what)), serve(std::move(how)) {}

  const Descriptor listening;
  const nlohmann::json facts;
  const Serve serve;
  std::mutex mutex;
  std::condition_variable changed;
  // guarded by mutex
  bool closing = false;
  std::set<std::shared_ptr<Connection>> connections;

  void accept(const std::shared_ptr<Shared>& self);
  void begin(const std::shared_ptr<Shared>& self, Descriptor socket);
};

void ControlServer::Shared::accept(const std::shared_ptr<Shared>& self) {
  set_thread_name("control");
  for (;;) {
    Descriptor socket(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::unique_lock lock(mutex);
    if (closing) return;
    if (!socket) {
      if (errno != EINTR && errno != ECONNABORTED) {
        log_warning("control", std::string("a connection: ") + std::strerror(errno));
        changed.wait_for(lock, kNoDescriptors, [&] { return closing; });
      }
      continue;
    }
    lock.unlock();
    if (const Status ours = check_peer(socket.get()); !ours) {
      log_warning("control", ours.error().message);
      continue;
    }
    begin(self, std::move(socket));
  }
}

void ControlServer::Shared::begin(const std::shared_ptr<Shared>& self, Descriptor socket) {
  auto connection = std::make_shared<Connection>(std::move(socket));
  {
    const std::lock_guard lock(mutex);
    if (connections.size() >= kMaxConnections) return connection->turn_away();
    connections.insert(connection);
  }
  // It says itself when it is through.
  std::thread([self, connection] {
    set_thread_name("control-line");
    connection->run(self->facts, [&](Call& call) {
      serves_for = self.get();
      return self->serve(call);
    });
    const std::lock_guard lock(self->mutex);
    self->connections.erase(connection);
    self->changed.notify_all();
  }).detach();
}

Result<std::unique_ptr<ControlServer>> ControlServer::start(const std::filesystem::path& state_dir,
                                                            nlohmann::json facts, Serve serve) {
  const auto folder = Folder::open_own(state_dir);
  if (!folder) return fail(folder.error());
  auto socket = listen_in(*folder, std::string(kSocket));
  if (!socket) return fail(socket.error());
  auto shared = std::make_shared<Shared>(std::move(*socket), std::move(facts), std::move(serve));
  std::thread accepting([shared] { shared->accept(shared); });
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(shared), std::move(accepting)));
}

void ControlServer::close() {
  if (!accepting_.joinable()) return;
  std::unique_lock lock(shared_->mutex);
  shared_->closing = true;
  shared_->changed.notify_all();
  (void)::shutdown(shared_->listening.get(), SHUT_RDWR);
  for (const auto& connection : shared_->connections) connection->shut();
  lock.unlock();
  accepting_.join();
  lock.lock();
  const size_t own = serves_for == shared_.get() ? 1 : 0;
  shared_->changed.wait(lock, [&] { return shared_->connections.size() <= own; });
}

}  // namespace ipnscast::sync::control
