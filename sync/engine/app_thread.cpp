#include "ipnscast/sync/engine/app_thread.h"

#include <exception>

#include "ipnscast/nostr/base/thread_name.h"

namespace ipnscast::sync {

AppThread::AppThread(Done done)
    : done_(std::move(done)), inbox_(1024), thread_([this] { serve(); }) {}

AppThread::~AppThread() { close(); }

void AppThread::close() {
  inbox_.close();
  inbox_.drain();
  if (thread_.joinable()) thread_.join();
}

void AppThread::set_handler(const IpnsName& name, Handler handler) {
  std::lock_guard lock(mutex_);
  handlers_[name] = std::make_shared<const Handler>(std::move(handler));
}

void AppThread::remove_handler(const IpnsName& name) {
  std::lock_guard lock(mutex_);
  handlers_.erase(name);
}

void AppThread::deliver(action::Deliver what) { inbox_.push_reserved(std::move(what)); }

Status AppThread::call(const IpnsName& name, const Change& change) {
  std::shared_ptr<const Handler> handler;
  {
    std::lock_guard lock(mutex_);
    const auto found = handlers_.find(name);
    if (found == handlers_.end()) return fail(Errc::cancelled, "no handler any more");
    handler = found->second;
  }
  try {
    return (*handler)(change);
  } catch (const std::exception& thrown) {
    return fail(Errc::internal, std::string("the handler threw: ") + thrown.what());
  } catch (...) {
    return fail(Errc::internal, "the handler threw");
  }
}

void AppThread::serve() {
  set_thread_name("app");
  while (auto next = inbox_.pop()) {
    Status status = call(next->name, next->change);
    done_({next->name, next->job, std::move(status)});
  }
}

}  // namespace ipnscast::sync
