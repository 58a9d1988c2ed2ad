#include "ipnscast/sync/dnslink/txt_lookup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/gateway/endpoint.h"

namespace ipnscast::sync::dnslink {
namespace {

constexpr const char* kMessage = "application/dns-message";
constexpr int kTries = 2;

std::string base64url(ByteView bytes) {
  std::string out = to_base64(bytes);
  std::replace(out.begin(), out.end(), '+', '-');
  std::replace(out.begin(), out.end(), '/', '_');
  while (out.ends_with('=')) out.pop_back();
  return out;
}

// The resolver's state; without one the system has none to offer.
class SystemResolver {
 public:
  SystemResolver(Milliseconds deadline, uint16_t loopback_port) {
    good_ = res_ninit(&state_) == 0;
    if (!good_) return;
    if (loopback_port != 0) {
      state_.nscount = 1;
      state_.nsaddr_list[0].sin_family = AF_INET;
      state_.nsaddr_list[0].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      state_.nsaddr_list[0].sin_port = htons(loopback_port);
    }
    // Whole seconds for each server and try; the second try waits for twice as long.
    const int shares = 3 * std::max(state_.nscount, 1);
    const auto each = std::chrono::duration_cast<Seconds>(deadline / shares).count();
    state_.retrans = static_cast<int>(std::clamp<decltype(each)>(each, 1, 30));
    state_.retry = kTries;
  }
  ~SystemResolver() {
    if (good_) res_nclose(&state_);
  }
  SystemResolver(const SystemResolver&) = delete;
  SystemResolver& operator=(const SystemResolver&) = delete;

  Result<Bytes> ask(ByteView query) {
    if (!good_) return fail(Errc::unreachable, "DNS: the system's resolver is not configured");
    Bytes answer(kMaxDnsMessage);
    const int size = res_nsend(&state_, query.data(), static_cast<int>(query.size()), answer.data(),
                               static_cast<int>(answer.size()));
    if (size < 0) return fail(Errc::unreachable, "DNS: no server answered");
    answer.resize(std::min<size_t>(static_cast<size_t>(size), answer.size()));
    return answer;
  }

 private:
  struct __res_state state_ = {};
  bool good_ = false;
};

bool is_loopback(std::string_view url) {
  for (const std::string_view start : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    if (!url.starts_with(start)) continue;
    url.remove_prefix(start.size());
    return url.empty() || url.front() == ':' || url.front() == '/';
  }
  return false;
}

Result<TxtAnswer> ask_over_https(gateway::Http& http, const std::string& url, Milliseconds deadline,
                                 const std::string& name) {
  constexpr uint16_t kId = 0;  // so that caches know the question again
  const auto query = make_txt_query(name, kId);
  if (!query) return fail(query.error());
  gateway::HttpCall call;
  call.url = url + (url.find('?') == std::string::npos ? "?dns=" : "&dns=") + base64url(*query);
  call.headers.emplace_back("Accept", kMessage);
  call.max_bytes = kMaxDnsMessage;
  call.deadline = deadline;
  call.stall = Milliseconds(0);
  const auto answer = http.fetch(std::move(call));
  if (!answer) return fail(answer.error().within("DNS over HTTPS"));
  if (Status status = gateway::check_status(*answer); !status)
    return fail(Errc::unreachable, "DNS over HTTPS: " + status.error().message);
  if (gateway::media_type(answer->head) != kMessage)
    return fail(Errc::mismatch, "DNS over HTTPS: not such a server");
  return read_txt_answer(answer->body, name, kId);
}

}  // namespace

TxtLookup system_lookup(Milliseconds deadline, uint16_t loopback_port) {
  return [deadline, loopback_port](const std::string& name) -> Result<TxtAnswer> {
    const Bytes random = random_bytes(2);
    const auto id = static_cast<uint16_t>(random[0] << 8 | random[1]);
    const auto query = make_txt_query(name, id);
    if (!query) return fail(query.error());
    const auto answer = SystemResolver(deadline, loopback_port).ask(*query);
    if (!answer) return fail(answer.error());
    return read_txt_answer(*answer, name, id);
  };
}

Result<TxtLookup> https_lookup(gateway::Http& http, const std::string& url, Milliseconds deadline) {
  if (!url.starts_with("https://") && !is_loopback(url))
    return fail(Errc::invalid, "want https:// (http:// on loopback only)");
  return TxtLookup([&http, url, deadline](const std::string& name) {
    return ask_over_https(http, url, deadline, name);
  });
}

}  // namespace ipnscast::sync::dnslink
