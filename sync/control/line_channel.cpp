#include "ipnscast/sync/control/line_channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ipnscast::sync::control {
namespace {

constexpr size_t kPiece = 16'384;
constexpr timeval kSlowestReader{2, 0};

// Room for one descriptor; the system closes what more there is.
union Attached {
  cmsghdr head;
  char bytes[CMSG_SPACE(sizeof(int))];
};

int descriptor_in(msghdr& message) {
  for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    int out = -1;
    std::memcpy(&out, CMSG_DATA(one), sizeof(out));
    return out;
  }
  return -1;
}

}  // namespace

LineChannel::LineChannel(Descriptor socket) : socket_(std::move(socket)) {
  (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &kSlowestReader,
                     sizeof(kSlowestReader));
}

Result<std::string> LineChannel::read(std::optional<Instant> deadline) {
  size_t looked_at = 0;
  for (;;) {
    const size_t end = read_.find('\n', looked_at);
    if (end != std::string::npos) {
      std::string out = read_.substr(0, end);
      read_.erase(0, end + 1);
      return out;
    }
    looked_at = read_.size();
    if (read_.size() > kMaxLine) return fail(Errc::too_large, "a line of over 1 MiB");
    if (auto filled = fill(deadline); !filled) return fail(filled.error());
  }
}

Status LineChannel::fill(std::optional<Instant> deadline) {
  for (;;) {
    pollfd wanted{socket_.get(), POLLIN, 0};
    int wait = -1;
    if (deadline) {
      const auto left =
          std::chrono::ceil<Milliseconds>(*deadline - std::chrono::steady_clock::now());
      wait = static_cast<int>(std::clamp<int64_t>(left.count(), 0, INT32_MAX));
    }
    const int ready = ::poll(&wanted, 1, wait);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return fail(Errc::timeout, "the other side says nothing");
    char piece[kPiece];
    iovec part{piece, sizeof(piece)};
    Attached attached;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = attached.bytes;
    message.msg_controllen = sizeof(attached.bytes);
    const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno != ECONNRESET)
      return fail(Errc::io, std::string("a local socket: ") + std::strerror(errno));
    if (size <= 0) return fail(Errc::closed, "the other side is gone");
    if (const int number = descriptor_in(message); number >= 0) descriptor_ = Descriptor(number);
    read_.append(piece, static_cast<size_t>(size));
    return {};
  }
}

Status LineChannel::write(std::string_view line, int descriptor) {
  if (line.size() > kMaxLine) return fail(Errc::too_large, "a line of over 1 MiB");
  std::string text(line);
  text += '\n';
  const std::lock_guard lock(writing_);
  for (size_t sent = 0; sent < text.size();) {
    iovec part{text.data() + sent, text.size() - sent};
    Attached attached{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (descriptor >= 0) {
      message.msg_control = attached.bytes;
      message.msg_controllen = sizeof(attached.bytes);
      cmsghdr* const head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(head), &descriptor, sizeof(descriptor));
    }
    const ssize_t size = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      shut();
      return fail(Errc::closed, "the other side is gone, or reads nothing");
    }
    sent += static_cast<size_t>(size);
    descriptor = -1;  // it went with the first piece
  }
  return {};
}

void LineChannel::shut() { (void)::shutdown(socket_.get(), SHUT_RDWR); }

void LineChannel::shut_reading() { (void)::shutdown(socket_.get(), SHUT_RD); }

}  // namespace ipnscast::sync::control
