#include "ipnscast/nostr/net/fd_watch.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ipnscast::nostr::net {

Status FdWatch::open() {
  epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return fail(Errc::io, std::string("epoll: ") + std::strerror(errno));
  return {};
}

bool FdWatch::watch(int fd, uint32_t events, Ready ready) {
  auto entry = std::make_shared<Entry>(Entry{next_token_++, std::move(ready)});
  epoll_event event{};
  event.events = events;
  event.data.u64 = entry->token;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return false;
  by_token_[entry->token] = fd;
  entries_[fd] = std::move(entry);
  return true;
}

void FdWatch::change(int fd, uint32_t events) {
  const auto found = entries_.find(fd);
  if (found == entries_.end()) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = found->second->token;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void FdWatch::forget(int fd) {
  const auto found = entries_.find(fd);
  if (found == entries_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  by_token_.erase(found->second->token);
  entries_.erase(found);
}

void FdWatch::serve() {
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    const auto fd = by_token_.find(event.data.u64);
    if (fd == by_token_.end()) continue;         // forgotten by an earlier call of this round
    const auto entry = entries_.at(fd->second);  // kept: it may forget itself
    entry->ready(event.events);
  }
}

}  // namespace ipnscast::nostr::net
