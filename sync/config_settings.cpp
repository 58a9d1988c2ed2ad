#include "ipnscast/sync/config_settings.h"

#include <algorithm>

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/hint/hint_kinds.h"

namespace ipnscast::sync {
namespace {

using settings::Form;
using settings::Rows;
using settings::TimeBounds;
using settings::Value;
using std::chrono::nanoseconds;
using C = Config;

constexpr TimeBounds kAnyTime{nanoseconds(0)};
constexpr TimeBounds kSomeTime{nanoseconds(1)};
constexpr TimeBounds kPollTime{Milliseconds(100)};
// A renewal has half of it: it asks everybody, signs, and brings the record to all.
constexpr TimeBounds kLifetime{std::chrono::minutes(1),
                               "a shorter record is over before it can be renewed"};
constexpr uint64_t kOneByte = 1;

// Kinds under which a hint replaces older hints of its name and nothing else.
template <typename Get>
void add_kinds(Rows<C>& rows, std::string_view key, Get get, std::string_view help) {
  auto is = rows.declared(key, key, Form::numbers, help);
  is.takes = "a list of numbers from 30000 to 39999";
  const auto read = [](const Value& value) -> Result<std::vector<int>> {
    auto numbers = settings::read_numbers(value);
    if (!numbers) return numbers;
    if (auto allowed = check_hint_kinds(*numbers); !allowed) return fail(allowed.error());
    return numbers;
  };
  const auto show = [](const std::vector<int>& numbers) {
    Value::List list;
    for (const int number : numbers) list.push_back({int64_t{number}});
    return Value{std::move(list)};
  };
  rows.add(std::move(is), get, read, show, check_hint_kinds);
}

// The gateways of a tier, which share one member with those of the others.
void add_gateways(Rows<C>& rows, std::string_view key, int tier, std::string_view help) {
  const auto store = [tier](C& config, const Value& value) -> Status {
    const auto read = settings::read_gateways(value, tier);
    if (!read) return fail(read.error());
    std::erase_if(config.gateways, [tier](const Gateway& one) { return one.tier == tier; });
    const auto at = std::find_if(config.gateways.begin(), config.gateways.end(),
                                 [tier](const Gateway& one) { return one.tier > tier; });
    config.gateways.insert(at, read->begin(), read->end());
    return {};
  };
  rows.add({rows.declared(key, {}, Form::gateways, help), store,
            [](const C&) { return Value{Value::List{}}; }, [](const C&) { return Status(); }});
}

// HTTP servers that tell of changes.
template <typename Get>
void add_servers(Rows<C>& rows, std::string_view key, Get get, std::string_view help) {
  const auto check = [](const std::vector<std::string>& urls) -> Status {
    for (const std::string& url : urls) {
      if (auto endpoint = gateway::parse_endpoint(url); !endpoint) return fail(endpoint.error());
    }
    return {};
  };
  const auto read = [check](const Value& value) -> Result<std::vector<std::string>> {
    auto urls = settings::read_texts(value);
    if (!urls) return urls;
    if (auto allowed = check(*urls); !allowed) return fail(allowed.error());
    return urls;
  };
  const auto show = [](const std::vector<std::string>& urls) {
    Value::List list;
    for (const std::string& url : urls) list.push_back({url});
    return Value{std::move(list)};
  };
  rows.add(rows.declared(key, key, Form::texts, help), get, read, show, check);
}

void relay_rows(Rows<C>& rows) {
  rows.section("relays");
  rows.list("urls", "relays", &C::relays, nostr::RelayUrl::parse,
            "relays that hints are published to and read from, ws:// or wss://");
  add_kinds(rows, "kinds", &C::kinds, "event kinds of hints among own devices");
  rows.flag("public", "publish_public", &C::publish_public,
            "announce under the public kinds too, for readers with other keys");
  add_kinds(rows, "public_kinds", &C::public_kinds, "event kinds of announcements for others");
  rows.flag("private", "private_hints", &C::private_hints,
            "encrypt our hints to our own key, so that only our devices can read them");
  rows.text("topic", "topic", &C::topic, "the t tag of our hints; {name} stands for the name");
  const auto show_quorum = [](const nostr::Quorum& quorum) {
    return Value{static_cast<int64_t>(quorum.count)};
  };
  rows.add(rows.declared("quorum", "quorum", Form::quorum,
                         "who must acknowledge for a publish to succeed: so many relays, "
                         "\"first\", \"all\", or a list of those that must"),
           &C::quorum, settings::read_quorum, show_quorum, [](const nostr::Quorum& quorum) {
             constexpr settings::Bounds kRelays{0, 1'000};
             return kRelays.check(static_cast<int64_t>(std::min<size_t>(quorum.count, INT32_MAX)));
           });
  rows.time("read_back", "read_back", &C::read_back, kAnyTime,
            "after this time a publish is read back and compared; 0: never");
  rows.parsed(
      "proxy", "access.proxy", [](auto& c) -> auto& { return c.access.proxy; },
      nostr::net::ProxyUrl::parse,
      "the proxy that relays are reached through, socks5://HOST:PORT or http://HOST:PORT; it looks "
      "their names up");
  rows.text(
      "ca_file", "access.ca_file", [](auto& c) -> auto& { return c.access.ca_file; },
      "certificate authorities as PEM, for relays and gateways; empty: the system's");
  const auto read_pins = [](const Value& value) -> Result<nostr::net::KeyPins> {
    const auto texts = settings::read_texts(value);
    if (!texts) return fail(texts.error());
    return nostr::net::KeyPins::parse(*texts);
  };
  rows.add(
      rows.declared("pins", "access.pins", Form::texts,
                    "keys that relays must show over TLS, instead of authorities: "
                    "\"sha256/BASE64\" for all, \"wss://RELAY sha256/BASE64\" for one"),
      [](auto& c) -> auto& { return c.access.pins; }, read_pins,
      [](const nostr::net::KeyPins&) { return Value{Value::List{}}; });
  rows.flag("auth", "auth", &C::auth, "answer AUTH challenges (NIP-42)");
  rows.flag("compat", "compat", &C::compat, "ask for the other spellings of a name too");
}

void trust_rows(Rows<C>& rows) {
  rows.section("trust");
  const auto read_author = [](const std::string& text) -> Result<nostr::PublicKey> {
    auto key = nostr::parse_public_key(text);
    if (!key) return fail(Errc::invalid, "\"" + text + "\": " + key.error().message);
    return key;
  };
  rows.list("authors", "trusted_authors", &C::trusted_authors, read_author,
            "keys whose hints are trusted, npub or hex; none: the own key");
  rows.choice("confirm", "confirm", &C::confirm,
              Rows<C>::Words<Confirm>{{"always", Confirm::always}, {"trusted", Confirm::trusted}},
              "whether a trusted hint is handed over before its record confirms it");
  rows.flag("open", "open", &C::open, "listen to hints of any author, within a budget");
  rows.choice("expired", "expired", &C::expired,
              Rows<C>::Words<ExpiredPolicy>{{"last-good", ExpiredPolicy::last_good},
                                            {"reject", ExpiredPolicy::reject}},
              "what becomes of content whose record has expired");
}

void source_rows(Rows<C>& rows) {
  rows.section("sources");
  rows.list("websocket", "websocket", &C::websocket, nostr::RelayUrl::parse,
            "push servers over WebSocket, ws:// or wss://; without a path /ws/ipns is meant");
  add_servers(rows, "sse", &C::sse,
              "push servers of server-sent events, http:// or https://, asked at /sse/ipns");
  add_servers(rows, "w3name", &C::w3name,
              "w3name services, http:// or https://, asked at /name/NAME/watch");
  rows.flag("pubsub", "pubsub", &C::pubsub,
            "listen to IPNS over pubsub at those of gateways.nodes that offer it");
  rows.time("poll_min", "poll_min", &C::poll_min, kPollTime,
            "shortest time between polls of a name");
  rows.time("poll_max", "poll_max", &C::poll_max, kPollTime,
            "longest time between polls of a name");
  rows.time("poll_healthy", "poll_healthy", &C::poll_healthy, kPollTime,
            "the same while the source of its latest change is healthy");
  rows.time("debounce", "debounce", &C::debounce, kAnyTime,
            "shortest time between hints of a name that are followed up");
}

void resolve_rows(Rows<C>& rows) {
  rows.section("gateways");
  add_gateways(rows, "nodes", 1, "own nodes, asked first");
  add_gateways(rows, "public", 2,
               "public gateways and delegated routers, asked after a delay or when the nodes fail");
  add_gateways(rows, "slow", 3, "the slow path, beside the others");
  using Hosts = gateway::ProviderHosts;
  rows.choice("providers", "providers", &C::providers,
              Rows<C>::Words<Hosts>{
                  {"public", Hosts::public_only}, {"any", Hosts::any}, {"none", Hosts::none}},
              "who is asked for content that no gateway has: hosts that routers name, at public "
              "addresses over TLS or at any");
  rows.section("resolve");
  rows.time("answer_by", "answer_by", &C::answer_by, kSomeTime,
            "an answer or \"not yet\" comes by this time");
  rows.time("listen", "listen", &C::listen, kSomeTime, "late answers are taken until this time");
  rows.time("slow_listen", "slow_listen", &C::slow_listen, kSomeTime, "the same for the slow path");
  rows.time("settle", "settle", &C::settle, kAnyTime,
            "the best answer is taken this long after the first one");
  rows.time("cache", "record_cache", &C::record_cache, kAnyTime,
            "records are kept for their TTL, this long at most");
  rows.time("negative", "not_found_cache", &C::not_found_cache, kAnyTime,
            "\"not found\" is kept this long");
  rows.number("breaker_failures", "breaker_failures", &C::breaker_failures, {1, 1'000'000},
              "failures", "so many in a row and a gateway is left alone");
  rows.time("breaker", "breaker", &C::breaker, kAnyTime, "how long such a gateway is left alone");
}

void fetch_rows(Rows<C>& rows) {
  rows.section("fetch");
  rows.size("max_bytes", "fetch_max_bytes", &C::fetch_max_bytes, {kOneByte},
            "largest content that is fetched");
  rows.time("stall", "fetch_stall", &C::fetch_stall, kSomeTime,
            "without a new byte for this long another gateway goes on");
  rows.number("parallel", "parallel", &C::parallel, {1, 64}, "fetches", "fetches at a time");
  rows.size("cache_bytes", "cache_bytes", &C::cache_bytes, {},
            "blocks that are kept; the current version of a name stays beyond it");
  rows.number("versions", "versions", &C::versions, {0, 10'000}, "versions",
              "versions of a name that are kept whatever the cache size");
  rows.section("handover");
  rows.number("lanes", "handler_lanes", &C::handler_lanes, {1, 64}, "handlers",
              "--exec commands and handlers side by side, one at a time for each name; a slow one "
              "makes room for others, unless this is 1");
  rows.time("handler_timeout", "handler_timeout", &C::handler_timeout, kSomeTime,
            "a command that takes longer is ended, and its change comes again");
  rows.number("history", "history_versions", &C::history_versions, {1, 100'000}, "versions",
              "versions of a name that history and replay know; the oldest are dropped first");
  rows.size("kept", "kept_bytes", &C::kept_bytes, {kOneByte},
            "content of own publishes that is kept besides fetch.cache_bytes: displaced ones, "
            "until forget --lost, and queued ones");
}

void publish_rows(Rows<C>& rows) {
  rows.section("publish");
  rows.time("lifetime", "record_lifetime", &C::record_lifetime, kLifetime,
            "how long our records are valid");
  rows.time("ttl", "record_ttl", &C::record_ttl, kAnyTime,
            "how long others may cache them, no longer than they are valid");
  rows.choice(
      "profile", "profile", &C::profile,
      Rows<C>::Words<PackProfile>{{"kubo-256k", kKubo256k}, {"unixfs-v1-2025", kUnixfsV1_2025}},
      "how content is cut into blocks");
  rows.flag("v1", "record_v1", &C::record_v1, "records carry the legacy V1 fields too");
  rows.flag("announcer", "record_announcer", &C::record_announcer,
            "records name our Nostr key and relays, so that whoever resolves a name finds its "
            "hints");
  rows.flag("previous", "record_previous", &C::record_previous, "records link to the value before");
  rows.text("decider", "publish_decider", &C::publish_decider,
            "which of gateways.nodes decides between devices that write one name: its URL, or "
            "\"none\"; empty: the first that can, and that is not on this machine");
  rows.time("settle", "publish_settle", &C::publish_settle, kAnyTime,
            "after a publish, how long to listen for another device that published too");
  rows.time("stall", "publish_stall", &C::publish_stall, kSomeTime,
            "a node is given up when no byte of content has moved for this long; there is no limit "
            "on the whole time");
  rows.flag("vector", "publish_vector", &C::publish_vector,
            "records tell which publish of each device they contain; that shows how many devices "
            "write");
  rows.choice("over", "publish_over", &C::publish_over,
              Rows<C>::Words<PublishOver>{{"base", PublishOver::base}, {"any", PublishOver::any}},
              "what a publish may replace: what this device has taken in, or anything (--replace)");
  rows.time("retry_min", "retry_min", &C::retry_min, kSomeTime,
            "first wait after a failed publish");
  rows.time("retry_max", "retry_max", &C::retry_max, kSomeTime,
            "longest wait after failed publishes");
  rows.number(
      "queue", "outbox.max_events", [](auto& c) -> auto& { return c.outbox.max_events; },
      {1, 10'000'000}, "events", "what waits for relays at most");
  rows.time(
      "max_age", "outbox.max_age", [](auto& c) -> auto& { return c.outbox.max_age; }, kSomeTime,
      "after this time an event that a relay still lacks is given up");
  rows.choice("at_rest", "encrypt_at_rest", &C::encrypt_at_rest,
              Rows<C>::Words<bool>{{"none", false}, {"aes-256-gcm", true}},
              "how stored contents are encrypted");
}

void device_rows(Rows<C>& rows) {
  rows.section("devices");
  rows.flag("announce", "announce_device", &C::announce_device,
            "tell our other devices, encrypted, that there is this one and what it has taken in, "
            "as long as watch runs");
  rows.text("name", "device_name", &C::device_name,
            "what others call this device; empty: the name of this machine");
}

}  // namespace

const std::vector<settings::Setting<Config>>& config_settings() {
  static const auto all = [] {
    Rows<C> rows;
    for (const auto part :
         {relay_rows, trust_rows, source_rows, resolve_rows, fetch_rows, publish_rows, device_rows})
      part(rows);
    return rows.take();
  }();
  return all;
}

}  // namespace ipnscast::sync
