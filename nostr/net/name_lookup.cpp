#include "nostr/net/name_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "nostr/base/thread_name.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kMaxWaiting = 1024;
constexpr size_t kMaxAddresses = 8;

Result<std::vector<std::string>> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error == EAI_NONAME || error == EAI_ADDRFAMILY) {
    // AI_ADDRCONFIG hides loopback names on a machine without any other address.
    hints.ai_flags = 0;
    error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  }
  if (error != 0) return fail(Errc::unreachable, host + ": " + gai_strerror(error));
  std::vector<std::string> out;
  for (const addrinfo* a = found; a != nullptr && out.size() < kMaxAddresses; a = a->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(a->ai_addr, a->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    if (std::find(out.begin(), out.end(), text.data()) == out.end()) out.emplace_back(text.data());
  }
  freeaddrinfo(found);
  if (out.empty()) return fail(Errc::unreachable, host + ": no address");
  return out;
}

}  // namespace

NameLookup::NameLookup() : inbox_(kMaxWaiting), thread_([this] { serve(); }) {}

NameLookup::~NameLookup() {
  inbox_.close();
  inbox_.drain();
  thread_.join();
}

void NameLookup::look_up(std::string host, Done done) {
  Question question{std::move(host), std::move(done)};
  if (!inbox_.try_push(std::move(question))) {
    question.done(fail(Errc::busy, question.host + ": too many look-ups are waiting"));
  }
}

void NameLookup::serve() {
  set_thread_name("dns");
  while (auto question = inbox_.pop()) question->done(resolve(question->host));
}

}  // namespace ipnscast::nostr::net
