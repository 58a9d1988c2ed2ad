#include "ipnscast/bridge/config/options.h"

#include "ipnscast/bridge/config/gateway_setting.h"
#include "ipnscast/bridge/config/value.h"
#include "ipnscast/sync/hint/hint_kinds.h"

namespace ipnscast::bridge {
namespace {

// Stores into the member that `get` names.
template <typename Get>
auto into(Get get) {
  return [get](Settings& s, const Option& option, const Value& value) -> Status {
    return store(get(s), option, value);
  };
}

// Stores the kinds of hints into the member that `get` names.
template <typename Get>
auto hint_kinds_into(Get get) {
  return [get](Settings& s, const Option& option, const Value& value) -> Status {
    std::vector<int> kinds;
    if (auto stored = store(kinds, option, value); !stored) return stored;
    if (auto allowed = sync::check_hint_kinds(kinds); !allowed) return allowed;
    get(s) = std::move(kinds);
    return {};
  };
}

// Stores gateways into the member that `get` names.
template <typename Get>
auto gateways_into(Get get) {
  return [get](Settings& s, const Option& option, const Value& value) -> Status {
    std::vector<GatewaySetting> gateways;
    if (auto stored = store(gateways, option, value); !stored) return stored;
    for (const GatewaySetting& gateway : gateways) {
      if (auto checked = to_gateway(gateway, 1); !checked) return fail(checked.error());
    }
    get(s) = std::move(gateways);
    return {};
  };
}

Status history_kind(Settings& s, const Option& option, const Value& value) {
  std::optional<int> kind;
  if (auto stored = store(kind, option, value); !stored) return stored;
  if (auto allowed = sync::check_history_kind(*kind); !allowed) return allowed;
  s.relays.history_kind = kind;
  return {};
}

Status poll_range(Settings& s, const Option&, const Value& value) {
  return store_range(s.bridge.poll_fastest, s.bridge.poll_slowest, value);
}

// clang-format off: one key a line reads as the table that it is.
// Declared, so that a configuration can be written for what is to come; told when it is set.
constexpr bool kWithoutEffect = true;

std::vector<Option> make_options() {
  return {
      {"identity", "key", Type::text, "", "", "label of the default key",
       into([](Settings& s) -> auto& { return s.identity.key; })},
      {"identity", "signer", Type::text, "file", "",
       "who signs events: \"file\", or a remote signer as bunker://...",
       into([](Settings& s) -> auto& { return s.identity.signer; })},
      {"identity", "device_name", Type::text, "", "",
       "what this device is called among ours; unset: the host name",
       into([](Settings& s) -> auto& { return s.identity.device_name; }), kWithoutEffect},
      {"relays", "urls", Type::texts, "", "",
       "relays that hints are published to and read from, ws:// or wss://",
       into([](Settings& s) -> auto& { return s.relays.urls; })},
      {"relays", "kinds", Type::numbers, "30078", "",
       "event kinds of hints among own devices, from 30000 to 39999",
       hint_kinds_into([](Settings& s) -> auto& { return s.relays.kinds; })},
      {"relays", "public", Type::flag, "false", "",
       "announce under the public kinds too, for readers with other keys",
       into([](Settings& s) -> auto& { return s.relays.announce_public; })},
      {"relays", "public_kinds", Type::numbers, "30078,30079", "",
       "event kinds of announcements for others, from 30000 to 39999",
       hint_kinds_into([](Settings& s) -> auto& { return s.relays.public_kinds; })},
      {"relays", "private", Type::flag, "false", "",
       "encrypt our hints to our own key, so that only our devices can read them",
       into([](Settings& s) -> auto& { return s.relays.private_hints; })},
      {"relays", "history_kind", Type::number, "", "",
       "regular kind, from 1000 to 9999, under which each change is repeated, so that it can be "
       "replayed; unset: none",
       history_kind, kWithoutEffect},
      {"relays", "topic", Type::text, "ipns-sync", "",
       "t tag of our hints; {name} stands for the name",
       into([](Settings& s) -> auto& { return s.relays.topic; })},
      {"relays", "quorum", Type::quorum, "1", "relays",
       "who must acknowledge for a publish to succeed: so many relays, \"first\", \"all\", or a "
       "list "
       "of those that must",
       into([](Settings& s) -> auto& { return s.relays.quorum; })},
      {"relays", "target", Type::number, "3", "relays", "relays that a hint should reach",
       into([](Settings& s) -> auto& { return s.relays.target; }), kWithoutEffect},
      {"relays", "read_back", Type::duration, "2s", "",
       "after this time a publish is read back and compared",
       into([](Settings& s) -> auto& { return s.relays.read_back; })},
      {"relays", "proxy", Type::text, "", "",
       "socks5://HOST:PORT or http://HOST:PORT that relays are reached through; it looks their "
       "names up",
       into([](Settings& s) -> auto& { return s.relays.proxy; })},
      {"relays", "ca_file", Type::text, "", "",
       "certificate authorities as PEM; unset: the system's",
       into([](Settings& s) -> auto& { return s.relays.ca_file; })},
      {"relays", "pins", Type::texts, "", "",
       "keys that relays must show over TLS, instead of authorities: \"sha256/BASE64\" for all, "
       "\"wss://RELAY sha256/BASE64\" for one",
       into([](Settings& s) -> auto& { return s.relays.pins; })},
      {"relays", "auth", Type::flag, "true", "", "answer AUTH challenges (NIP-42)",
       into([](Settings& s) -> auto& { return s.relays.auth; })},
      {"relays", "compat", Type::flag, "true", "", "ask for the other spellings of a name too",
       into([](Settings& s) -> auto& { return s.relays.compat; })},
      {"trust", "authors", Type::texts, "", "",
       "keys whose hints are trusted, npub or hex; unset: the own key",
       into([](Settings& s) -> auto& { return s.trust.authors; })},
      {"trust", "confirm", Type::choice, "always", "always|trusted",
       "whether a trusted hint is handed over before its record confirms it",
       into([](Settings& s) -> auto& { return s.trust.confirm; })},
      {"trust", "open", Type::flag, "false", "", "listen to hints of any author, within a budget",
       into([](Settings& s) -> auto& { return s.trust.open; })},
      {"trust", "discover", Type::flag, "false", "",
       "use the announcer and relays that a verified record names",
       into([](Settings& s) -> auto& { return s.trust.discover; }), kWithoutEffect},
      {"trust", "expired", Type::choice, "last-good", "last-good|reject",
       "what becomes of content whose record has expired",
       into([](Settings& s) -> auto& { return s.trust.expired; })},
      {"sources", "websocket", Type::texts, "", "", "push servers that speak WebSocket",
       into([](Settings& s) -> auto& { return s.sources.websocket; }), kWithoutEffect},
      {"sources", "sse", Type::texts, "", "",
       "push servers that speak SSE; {name} stands for the name",
       into([](Settings& s) -> auto& { return s.sources.sse; }), kWithoutEffect},
      {"sources", "w3name", Type::texts, "", "", "w3name services",
       into([](Settings& s) -> auto& { return s.sources.w3name; }), kWithoutEffect},
      {"sources", "pubsub", Type::flag, "true", "",
       "the bridge listens to IPNS over pubsub at those of our nodes that offer it",
       into([](Settings& s) -> auto& { return s.sources.pubsub; })},
      {"sources", "poll_min", Type::duration, "30s", "", "shortest time between polls of a name",
       into([](Settings& s) -> auto& { return s.sources.poll_min; })},
      {"sources", "poll_max", Type::duration, "60s", "", "longest time between polls of a name",
       into([](Settings& s) -> auto& { return s.sources.poll_max; })},
      {"sources", "poll_healthy", Type::duration, "120s", "",
       "the same while the source of its latest change is healthy",
       into([](Settings& s) -> auto& { return s.sources.poll_healthy; })},
      {"sources", "debounce", Type::duration, "500ms", "",
       "shortest time between hints of a name that are followed up",
       into([](Settings& s) -> auto& { return s.sources.debounce; })},
      {"gateways", "nodes", Type::gateways, "", "", "own nodes, asked first",
       gateways_into([](Settings& s) -> auto& { return s.gateways.nodes; })},
      {"gateways", "public", Type::gateways, "", "",
       "public gateways and delegated routers, asked after a delay or when the nodes fail",
       gateways_into([](Settings& s) -> auto& { return s.gateways.public_gateways; })},
      {"gateways", "slow", Type::gateways, "", "", "the slow path, beside the others",
       gateways_into([](Settings& s) -> auto& { return s.gateways.slow; })},
      {"gateways", "providers", Type::choice, "public", "public|any|none",
       "who is asked for content that no gateway has: hosts that routers name, at public addresses "
       "over TLS or at any",
       into([](Settings& s) -> auto& { return s.gateways.providers; })},
      {"resolve", "answer_by", Type::duration, "2s", "", "an answer or \"not yet\" comes by then",
       into([](Settings& s) -> auto& { return s.resolve.answer_by; })},
      {"resolve", "listen", Type::duration, "5s", "", "late answers are taken until then",
       into([](Settings& s) -> auto& { return s.resolve.listen; })},
      {"resolve", "slow_listen", Type::duration, "60s", "", "the same for the slow path",
       into([](Settings& s) -> auto& { return s.resolve.slow_listen; })},
      {"resolve", "settle", Type::duration, "150ms", "",
       "the best answer this long after the first one",
       into([](Settings& s) -> auto& { return s.resolve.settle; })},
      {"resolve", "cache", Type::duration, "60s", "",
       "records are kept for their TTL, this long at most",
       into([](Settings& s) -> auto& { return s.resolve.cache; })},
      {"resolve", "negative", Type::duration, "30s", "", "\"not found\" is kept this long",
       into([](Settings& s) -> auto& { return s.resolve.negative; })},
      {"resolve", "breaker_failures", Type::number, "3", "failures",
       "so many in a row and a gateway is left alone",
       into([](Settings& s) -> auto& { return s.resolve.breaker_failures; })},
      {"resolve", "breaker", Type::duration, "30s", "", "for this long",
       into([](Settings& s) -> auto& { return s.resolve.breaker; })},
      {"resolve", "dns", Type::text, "", "",
       "DNS over HTTPS for DNSLink, such as https://dns.example/dns-query; none: the system's "
       "resolver",
       into([](Settings& s) -> auto& { return s.resolve.dns; })},
      {"fetch", "max_bytes", Type::size, "4GiB", "", "largest content that is fetched",
       into([](Settings& s) -> auto& { return s.fetch.max_bytes; })},
      {"fetch", "stall", Type::duration, "3s", "",
       "without a new byte for this long another gateway goes on",
       into([](Settings& s) -> auto& { return s.fetch.stall; })},
      {"fetch", "parallel", Type::number, "8", "", "fetches at a time",
       into([](Settings& s) -> auto& { return s.fetch.parallel; })},
      {"fetch", "cache_bytes", Type::size, "1GiB", "", "blocks that are kept",
       into([](Settings& s) -> auto& { return s.fetch.cache_bytes; })},
      {"fetch", "versions", Type::number, "5", "",
       "versions of a name that are kept whatever the cache size",
       into([](Settings& s) -> auto& { return s.fetch.versions; })},
      {"handover", "lanes", Type::number, "4", "handlers",
       "--exec commands and handlers side by side, one at a time for each name; a slow one makes "
       "room for others, unless this is 1",
       into([](Settings& s) -> auto& { return s.handover.lanes; })},
      {"handover", "handler_timeout", Type::duration, "10m", "",
       "then a command is ended, and its change comes again",
       into([](Settings& s) -> auto& { return s.handover.handler_timeout; })},
      {"handover", "kept", Type::size, "1GiB", "",
       "content of own publishes that is kept besides fetch.cache_bytes: displaced ones, until "
       "forget --lost, and queued ones",
       into([](Settings& s) -> auto& { return s.handover.kept; })},
      {"publish", "lifetime", Type::duration, "48h", "", "how long our records are valid",
       into([](Settings& s) -> auto& { return s.publish.lifetime; })},
      {"publish", "ttl", Type::duration, "5m", "", "how long others may cache them",
       into([](Settings& s) -> auto& { return s.publish.ttl; })},
      {"publish", "profile", Type::choice, "kubo-256k", "kubo-256k|unixfs-v1-2025",
       "how content is cut into blocks",
       into([](Settings& s) -> auto& { return s.publish.profile; })},
      {"publish", "v1", Type::flag, "true", "", "records carry the legacy V1 fields too",
       into([](Settings& s) -> auto& { return s.publish.v1; })},
      {"publish", "announcer", Type::flag, "false", "",
       "records name our Nostr key and relays, so that whoever resolves a name finds its hints",
       into([](Settings& s) -> auto& { return s.publish.announcer; })},
      {"publish", "previous", Type::flag, "false", "", "records link to the value before",
       into([](Settings& s) -> auto& { return s.publish.previous; })},
      {"publish", "decider", Type::text, "", "",
       "which of gateways.nodes decides between devices that write one name: its URL, or \"none\"; "
       "unset: the first that can, and that is not on this machine",
       into([](Settings& s) -> auto& { return s.publish.decider; })},
      {"publish", "settle", Type::duration, "2s", "",
       "after a publish, how long to listen for another device that published too",
       into([](Settings& s) -> auto& { return s.publish.settle; })},
      {"publish", "stall", Type::duration, "30s", "",
       "a node is given up when no byte of content has moved for this long; there is no limit on "
       "the whole time",
       into([](Settings& s) -> auto& { return s.publish.stall; })},
      {"publish", "vector", Type::flag, "true", "",
       "records tell which publish of each device they contain; that shows how many devices write",
       into([](Settings& s) -> auto& { return s.publish.vector; })},
      {"publish", "over", Type::choice, "base", "base|any",
       "what a publish may replace: what this device has taken in, or anything (--replace)",
       into([](Settings& s) -> auto& { return s.publish.over; })},
      {"publish", "retry_min", Type::duration, "1s", "", "first wait after a failed publish",
       into([](Settings& s) -> auto& { return s.publish.retry_min; })},
      {"publish", "retry_max", Type::duration, "5m", "", "longest wait after failed publishes",
       into([](Settings& s) -> auto& { return s.publish.retry_max; })},
      {"publish", "queue", Type::number, "1000", "events", "what waits for relays at most",
       into([](Settings& s) -> auto& { return s.publish.queue; })},
      {"publish", "max_age", Type::duration, "720h", "",
       "after which an event that a relay still lacks is given up",
       into([](Settings& s) -> auto& { return s.publish.max_age; })},
      {"publish", "at_rest", Type::choice, "none", "none|aes-256-gcm",
       "how stored contents are encrypted",
       into([](Settings& s) -> auto& { return s.publish.at_rest; })},
      {"bridge", "names", Type::texts, "", "", "names that the bridge watches",
       into([](Settings& s) -> auto& { return s.bridge.names; })},
      {"bridge", "names_from", Type::text, "", "", "URL or name of a list of names",
       into([](Settings& s) -> auto& { return s.bridge.names_from; })},
      {"bridge", "store", Type::text, "sqlite", "",
       "where names and leases are kept: \"sqlite\" or postgresql://...",
       into([](Settings& s) -> auto& { return s.bridge.store; })},
      {"bridge", "poll", Type::range, "5s to 10m", "",
       "time between polls of a name, adapted to how often it changes", poll_range},
      {"bridge", "resolve_timeout", Type::duration, "5s", "", "for one poll",
       into([](Settings& s) -> auto& { return s.bridge.resolve_timeout; })},
      {"bridge", "keep_alive", Type::flag, "false", "",
       "renew the records of our own keys before their end of life",
       into([](Settings& s) -> auto& { return s.bridge.keep_alive; })},
      {"bridge", "warn_before_eol", Type::duration, "12h", "",
       "warn this long before a record expires",
       into([](Settings& s) -> auto& { return s.bridge.warn_before_eol; }), kWithoutEffect},
      {"bridge", "shards", Type::number, "0", "",
       "parts that the names are divided into; 0: as many as processors",
       into([](Settings& s) -> auto& { return s.bridge.shards; }), kWithoutEffect},
      {"push", "listen", Type::text, "127.0.0.1:8080", "",
       "address of the WebSocket and SSE server",
       into([](Settings& s) -> auto& { return s.push.listen; }), kWithoutEffect},
      {"push", "tls_cert", Type::text, "", "", "certificate chain as PEM; unset: no TLS",
       into([](Settings& s) -> auto& { return s.push.tls_cert; }), kWithoutEffect},
      {"push", "tls_key", Type::text, "", "", "its key as PEM",
       into([](Settings& s) -> auto& { return s.push.tls_key; }), kWithoutEffect},
      {"push", "origins", Type::texts, "*", "", "origins of web pages that may connect",
       into([](Settings& s) -> auto& { return s.push.origins; }), kWithoutEffect},
      {"push", "tokens", Type::texts, "", "",
       "tokens, one of which a client must show; unset: none needed",
       into([](Settings& s) -> auto& { return s.push.tokens; }), kWithoutEffect},
      {"push", "max_clients", Type::number, "10000", "clients", "connected at a time",
       into([](Settings& s) -> auto& { return s.push.max_clients; }), kWithoutEffect},
      {"push", "max_names_per_client", Type::number, "1000", "names", "subscribed by one client",
       into([](Settings& s) -> auto& { return s.push.max_names_per_client; }), kWithoutEffect},
      {"push", "ping", Type::duration, "30s", "", "between pings and keep-alive comments",
       into([](Settings& s) -> auto& { return s.push.ping; }), kWithoutEffect},
      {"http", "metrics", Type::text, "127.0.0.1:9464", "",
       "address of metrics, health and status page; empty: none",
       into([](Settings& s) -> auto& { return s.http.metrics; })},
      {"http", "admin", Type::text, "", "",
       "Unix socket of the administration; unset: admin.sock in the state directory",
       into([](Settings& s) -> auto& { return s.http.admin; }), kWithoutEffect},
      {"node", "listen", Type::text, "127.0.0.1:8081", "",
       "address of the embedded node's gateway; its RPC stays at 127.0.0.1",
       into([](Settings& s) -> auto& { return s.node.listen; })},
      {"node", "max_bytes", Type::size, "10GiB", "", "blocks that the embedded node keeps",
       into([](Settings& s) -> auto& { return s.node.max_bytes; })},
      {"node", "writers", Type::texts, "", "",
       "IPNS names whose records the embedded node takes, beside those that bridge.keep_alive "
       "renews; an npub stands for the name that anyone can compute from it; other names get 403; "
       "unset: any name",
       into([](Settings& s) -> auto& { return s.node.writers; })},
      {"relay", "listen", Type::text, "127.0.0.1:7777", "", "address of the embedded relay",
       into([](Settings& s) -> auto& { return s.relay.listen; })},
      {"relay", "max_bytes", Type::size, "1GiB", "", "events that the embedded relay keeps",
       into([](Settings& s) -> auto& { return s.relay.max_bytes; })},
      {"relay", "writers", Type::texts, "", "",
       "keys that may publish there, npub or hex; unset: anybody",
       into([](Settings& s) -> auto& { return s.relay.writers; })},
      {"relay", "owner_private", Type::flag, "false", "",
       "serve kind 30078 to its author only (NIP-78 of September 2026)",
       into([](Settings& s) -> auto& { return s.relay.owner_private; })},
      {"relay", "urls", Type::texts, "", "",
       "what clients call the relay when that is no address of this machine (a proxy)",
       into([](Settings& s) -> auto& { return s.relay.urls; })},
      {"relay", "rate", Type::number, "", "events/s",
       "that one client may publish; 0: no limit; unset: 100, on loopback no limit",
       into([](Settings& s) -> auto& { return s.relay.rate; })},
      {"relay", "request_rate", Type::number, "", "requests/s",
       "REQ, COUNT and NEG-OPEN of one client; 0: no limit; unset: 100, on loopback no limit",
       into([](Settings& s) -> auto& { return s.relay.request_rate; })},
      {"relay", "max_clients", Type::number, "1000", "clients", "connected at a time",
       into([](Settings& s) -> auto& { return s.relay.max_clients; })},
      {"relay", "max_clients_per_address", Type::number, "", "clients",
       "the same of one IP address; 0: no limit; unset: 100, on loopback no limit",
       into([](Settings& s) -> auto& { return s.relay.max_clients_per_address; })},
      {"relay", "max_waiting", Type::size, "256MiB", "",
       "answers that all clients have not taken yet; the slowest are closed to make room",
       into([](Settings& s) -> auto& { return s.relay.max_waiting; })},
      {"log", "level", Type::choice, "info", "debug|info|warning|error",
       "what is logged; \"info\" by the bridge, of other commands with -v only",
       into([](Settings& s) -> auto& { return s.log.level; })},
      {"log", "format", Type::choice, "text", "text|json", "how it is logged",
       into([](Settings& s) -> auto& { return s.log.format; })},
  };
}
// clang-format on

}  // namespace

const std::vector<Option>& options() {
  static const std::vector<Option> all = make_options();
  return all;
}

}  // namespace ipnscast::bridge
