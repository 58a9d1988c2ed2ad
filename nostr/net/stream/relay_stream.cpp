#include "ipnscast/nostr/net/stream/relay_stream.h"

namespace ipnscast::nostr::net {
namespace {

std::chrono::microseconds since(Instant start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(system_now().steady - start);
}

// TCP to one address, then on through the proxy.
Result<RawStream> open_plain(const RelayUrl& url, const Access& access, const std::string& address,
                             const Patience& patience) {
  if (!access.proxy) return RawStream::connect(address, url.port(), url.named_by(), patience);
  const std::string proxy = "proxy " + access.proxy->shown();
  if (auto why = refused_by_proxy(url)) return fail(Errc::refused, std::move(*why));
  auto stream = RawStream::connect(address, access.proxy->port, NamedBy::configuration, patience);
  if (!stream) return fail(stream.error().within(proxy));
  if (auto passed = stream->pass_proxy(*access.proxy, url.host(), url.port(), patience); !passed)
    return fail(passed.error().within(proxy));
  return stream;
}

}  // namespace

const std::string& host_to_look_up(const RelayUrl& url, const Access& access) {
  return access.proxy ? access.proxy->host : url.host();
}

Result<RawStream> open_relay_stream(const RelayUrl& url, const Access& access,
                                    const std::vector<std::string>& addresses,
                                    const Patience& patience, StreamTimes& times) {
  Error last{Errc::unreachable, "no address"};
  for (size_t i = 0; i < addresses.size(); ++i) {
    Instant start = system_now().steady;
    // An address that does not answer leaves time for the others.
    const auto share = (patience.until - start) / static_cast<int64_t>(addresses.size() - i);
    auto stream = open_plain(url, access, addresses[i], {start + share, patience.cancelled});
    if (!stream) {
      last = stream.error();
      continue;
    }
    times.connect = since(start);
    if (!url.tls()) return stream;
    start = system_now().steady;
    if (auto safe = stream->start_tls(url, access, patience); !safe) return fail(safe.error());
    times.tls = since(start);
    return stream;
  }
  return fail(std::move(last));
}

}  // namespace ipnscast::nostr::net
