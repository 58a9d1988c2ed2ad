#include "ipnscast/nostr/nip/nip65.h"

#include <algorithm>

namespace ipnscast::nostr {
namespace {

void add(std::vector<RelayUrl>& list, const RelayUrl& url) {
  if (std::find(list.begin(), list.end(), url) == list.end()) list.push_back(url);
}

}  // namespace

Result<RelayList> parse_relay_list(const Event& event) {
  if (event.kind != kRelayListKind) return fail(Errc::mismatch, "relay list: want kind 10002");
  RelayList out;
  size_t seen = 0;
  for (const Tag& tag : event.tags) {
    if (tag.size() < 2 || tag[0] != "r") continue;
    if (++seen > kMaxListedRelays) break;
    const auto url = RelayUrl::parse_foreign(tag[1]);
    if (!url) continue;
    const std::string marker = tag.size() > 2 ? tag[2] : "";
    if (marker.empty() || marker == "write") add(out.write, *url);
    if (marker.empty() || marker == "read") add(out.read, *url);
  }
  return out;
}

UnsignedEvent make_relay_list(const RelayList& list, UnixSeconds now) {
  UnsignedEvent out{.created_at = now, .kind = kRelayListKind, .tags = {}, .content = ""};
  const auto in = [](const std::vector<RelayUrl>& urls, const RelayUrl& url) {
    return std::find(urls.begin(), urls.end(), url) != urls.end();
  };
  for (const RelayUrl& url : list.write) {
    out.tags.push_back({"r", url.text()});
    if (!in(list.read, url)) out.tags.back().push_back("write");
  }
  for (const RelayUrl& url : list.read) {
    if (!in(list.write, url)) out.tags.push_back({"r", url.text(), "read"});
  }
  return out;
}

std::optional<RelayList> newest_relay_list(std::span<const Event> events, const PublicKey& author) {
  const Event* newest = nullptr;
  for (const Event& event : events) {
    if (event.kind != kRelayListKind || event.pubkey != author) continue;
    if (newest == nullptr || supersedes(event, *newest)) newest = &event;
  }
  if (newest == nullptr) return std::nullopt;
  auto list = parse_relay_list(*newest);
  if (!list || (list->write.empty() && list->read.empty())) return std::nullopt;
  return std::move(*list);
}

std::vector<RelayUrl> marked_by(std::vector<RelayUrl> named, const std::vector<RelayUrl>& own) {
  for (RelayUrl& url : named) {
    if (std::any_of(own.begin(), own.end(), [&url](const RelayUrl& known) {
          return known.named_by() == NamedBy::configuration && known.same_origin(url);
        })) {
      url = url.as_ours();
    }
  }
  return named;
}

std::vector<RelayUrl> usable_relays(const std::vector<RelayUrl>& listed,
                                    const std::vector<RelayUrl>& own) {
  std::vector<RelayUrl> out;
  for (const RelayUrl& url : marked_by(listed, own)) {
    if (out.size() == kMaxAuthorRelays) break;
    if (url.named_by() == NamedBy::configuration || (url.tls() && is_public_host(url.host())))
      add(out, url);
  }
  return out;
}

}  // namespace ipnscast::nostr
