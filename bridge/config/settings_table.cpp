#include "ipnscast/bridge/config/settings_table.h"

#include <algorithm>
#include <tuple>

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/nostr/signer/nip46.h"
#include "ipnscast/sync/config_settings.h"

namespace ipnscast::bridge {
namespace {

using sync::settings::Form;
using sync::settings::TimeBounds;
using sync::settings::Value;
using Rows = sync::settings::Rows<Settings>;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr TimeBounds kSomeTime{std::chrono::nanoseconds(1)};

// Into an optional one: an empty text is no address.
template <typename Get>
void add_listen(Rows& rows, std::string_view key, Get get, std::string_view help) {
  using Target = std::remove_cvref_t<std::invoke_result_t<Get, Settings&>>;
  constexpr bool kMayBeNone = !std::is_same_v<Target, ListenAddress>;
  const auto read = [](const Value& value) -> Result<Target> {
    const auto text = sync::settings::read_text(value);
    if (!text) return fail(text.error());
    if (kMayBeNone && text->empty()) return Target();
    auto address = parse_listen_address(*text);
    if (!address) return fail(address.error());
    return Target(std::move(*address));
  };
  const auto show = [](const std::optional<ListenAddress>& now) {
    return Value{now ? now->text() : ""};
  };
  auto is = rows.declared(key, {}, Form::text, help);
  is.takes = kMayBeNone ? "ADDRESS:PORT, or nothing" : "ADDRESS:PORT";
  rows.add(std::move(is), get, read, show);
}

Result<nostr::PublicKey> read_key(const std::string& text) {
  auto key = nostr::parse_public_key(text);
  if (!key) return fail(Errc::invalid, "\"" + text + "\": " + key.error().message);
  return key;
}

Result<sync::IpnsName> read_name(const std::string& text) {
  auto name = sync::IpnsName::parse(text);
  if (!name) return fail(Errc::invalid, "\"" + text + "\": " + name.error().message);
  return name;
}

// A name, or a Nostr key as the one name that anyone can compute from it.
Result<sync::IpnsName> read_writer(const std::string& text) {
  if (text.starts_with("npub1")) {
    const auto key = read_key(text);
    if (!key) return fail(key.error());
    return sync::IpnsName::from_nostr_key(key->view());
  }
  auto name = sync::IpnsName::parse(text);
  if (name) return name;
  return fail(Errc::invalid,
              "\"" + text + "\": want an IPNS name or an npub: " + name.error().message);
}

Result<std::string> read_signer(std::string text) {
  if (text == "file") return text;
  if (auto uri = nostr::parse_bunker_uri(text); !uri)
    return fail(Errc::invalid, "want \"file\" or bunker://...: " + uri.error().message);
  return text;
}

Result<std::string> read_dns(std::string text) {
  if (auto server = sync::gateway::parse_endpoint(text); !server)
    return fail(Errc::invalid, server.error().message);
  return text;
}

void identity_rows(Rows& rows) {
  rows.section("identity");
  rows.text("key", {}, &Settings::key, "label of the default key; empty: self");
  rows.parsed("signer", {}, &Settings::signer, read_signer,
              "who signs events: \"file\", or a remote signer as bunker://...");
}

void engine_rows(Rows& rows) {
  for (const auto& row : sync::config_settings()) {
    rows.add({row.is,
              [&row](Settings& s, const Value& value) { return row.store(s.engine, value); },
              [&row](const Settings& s) { return row.shown(s.engine); },
              [&row](const Settings& s) { return row.check(s.engine); }});
  }
}

void bridge_rows(Rows& rows) {
  rows.section("resolve");
  rows.parsed("dns", {}, &Settings::dns, read_dns,
              "DNS over HTTPS for DNSLink, such as https://dns.example/dns-query; empty: the "
              "system's resolver");
  rows.section("bridge");
  rows.list(
      "names", {}, [](auto& s) -> auto& { return s.bridge.names; }, read_name,
      "names that the bridge watches");
  rows.add({rows.declared("poll", {}, Form::range,
                          "time between polls of a name, adapted to how often it changes"),
            [](Settings& s, const Value& value) -> Status {
              const auto range = sync::settings::read_range(value);
              if (!range) return fail(range.error());
              if (auto within = kSomeTime.check(range->first); !within) return within;
              std::tie(s.bridge.poll_min, s.bridge.poll_max) = *range;
              return {};
            },
            [](const Settings& s) {
              return Value{sync::settings::duration_text(s.bridge.poll_min) + " to " +
                           sync::settings::duration_text(s.bridge.poll_max)};
            },
            [](const Settings&) { return Status(); }});
  const auto read_timeout = [](const Value& value) -> Result<std::optional<Milliseconds>> {
    if (sync::settings::read_text(value).value_or("") == "auto") return std::nullopt;
    const auto time = sync::settings::read_duration(value);
    if (!time) return fail(time.error());
    if (auto within = kSomeTime.check(*time); !within) return fail(within.error());
    return *time;
  };
  auto timeout =
      rows.declared("resolve_timeout", {}, Form::duration,
                    "late answers to a poll are taken until this time; auto: as resolve.listen");
  timeout.takes = kSomeTime.text() + ", or \"auto\"";
  rows.add(
      std::move(timeout), [](auto& s) -> auto& { return s.bridge.resolve_timeout; }, read_timeout,
      [](const auto& now) {
        return Value{now ? sync::settings::duration_text(*now) : std::string("auto")};
      });
  rows.flag(
      "keep_alive", {}, [](auto& s) -> auto& { return s.bridge.keep_alive; },
      "renew the records of our own keys before their end of life");
  rows.section("http");
  add_listen(rows, "metrics", &Settings::metrics,
             "address of metrics, health and status page of bridge and up; empty: none");
}

void node_rows(Rows& rows) {
  rows.section("node");
  add_listen(
      rows, "listen", [](auto& s) -> auto& { return s.node.listen; },
      "address of the embedded node's gateway; its RPC stays at 127.0.0.1");
  rows.size(
      "max_bytes", {}, [](auto& s) -> auto& { return s.node.max_bytes; }, {kMiB},
      "blocks that the embedded node keeps");
  rows.list(
      "writers", {}, [](auto& s) -> auto& { return s.node.writers; }, read_writer,
      "IPNS names whose records the embedded node takes, beside those that "
      "bridge.keep_alive renews; an npub stands for the name that anyone can compute from "
      "it; other names get 403; none: any name");
}

void relay_rows(Rows& rows) {
  rows.section("relay");
  add_listen(
      rows, "listen", [](auto& s) -> auto& { return s.relay.listen; },
      "address of the embedded relay; port 0 takes a free one");
  rows.size(
      "max_bytes", {}, [](auto& s) -> auto& { return s.relay.server.max_store_bytes; }, {kMiB},
      "events that the embedded relay keeps: a full one takes updates and deletions");
  rows.list(
      "writers", {}, [](auto& s) -> auto& { return s.relay.server.relay.writers; }, read_key,
      "keys that may publish there, npub or hex; none: anybody");
  rows.flag(
      "owner_private", {}, [](auto& s) -> auto& { return s.relay.server.relay.owner_private; },
      "kind 30078 only from and for its author, by NIP-42 (NIP-78 of September 2026)");
  rows.list(
      "urls", {}, [](auto& s) -> auto& { return s.relay.server.urls; }, nostr::RelayUrl::parse,
      "what clients call the relay when that is no address of this machine (a proxy)");
  rows.number_or_auto(
      "rate", [](auto& s) -> auto& { return s.relay.rate; }, {0, 1'000'000}, "events/s",
      "events a second that one client may publish; 0: no limit; auto: 100, on loopback no "
      "limit");
  rows.number_or_auto(
      "request_rate", [](auto& s) -> auto& { return s.relay.request_rate; }, {0, 1'000'000},
      "requests/s",
      "REQ, COUNT and NEG-OPEN a second of one client; 0: no limit; auto: 100, on loopback "
      "no limit");
  rows.number(
      "max_clients", {}, [](auto& s) -> auto& { return s.relay.server.max_connections; },
      {1, 1'000'000}, "clients", "clients that are connected at a time");
  rows.number_or_auto(
      "max_clients_per_address", [](auto& s) -> auto& { return s.relay.max_clients_per_address; },
      {0, 1'000'000}, "clients",
      "clients of one IP address; 0: no limit; auto: 100, on loopback no limit");
  // One client's answers, and some more.
  rows.size(
      "max_waiting", {}, [](auto& s) -> auto& { return s.relay.server.max_waiting_bytes; },
      {16 * kMiB},
      "answers that all clients have not taken yet; the slowest are closed to make room");
}

void log_rows(Rows& rows) {
  rows.section("log");
  rows.choice(
      "level", {}, [](auto& s) -> auto& { return s.log.level; },
      Rows::Words<LogLevel>{{"debug", LogLevel::debug},
                            {"info", LogLevel::info},
                            {"warning", LogLevel::warning},
                            {"error", LogLevel::error}},
      "what is logged; \"info\" by the bridge, of other commands with -v only");
  rows.choice(
      "format", {}, [](auto& s) -> auto& { return s.log.json; },
      Rows::Words<bool>{{"text", false}, {"json", true}}, "how it is logged");
}

// Rows of one section stand together, sections in the order of their first rows.
std::vector<Setting> by_section(std::vector<Setting> rows) {
  std::vector<std::string_view> sections;
  for (const Setting& row : rows) {
    const auto section = section_of(row.is.key);
    if (std::find(sections.begin(), sections.end(), section) == sections.end())
      sections.push_back(section);
  }
  std::vector<Setting> out;
  for (const std::string_view section : sections) {
    for (const Setting& row : rows) {
      if (section_of(row.is.key) == section) out.push_back(row);
    }
  }
  return out;
}

}  // namespace

const std::vector<Setting>& settings_table() {
  static const auto all = [] {
    Rows rows;
    for (const auto part :
         {identity_rows, engine_rows, bridge_rows, node_rows, relay_rows, log_rows})
      part(rows);
    return by_section(rows.take());
  }();
  return all;
}

const Setting* find_setting(std::string_view key) {
  for (const Setting& row : settings_table()) {
    if (row.is.key == key) return &row;
  }
  return nullptr;
}

std::string key_of(std::string_view member) {
  for (const Setting& row : settings_table()) {
    if (row.is.member == member && !member.empty()) return row.is.key;
  }
  return {};
}

std::string_view section_of(std::string_view key) { return key.substr(0, key.find('.')); }

std::string_view name_of(std::string_view key) { return key.substr(key.find('.') + 1); }

std::string variable_of(std::string_view key) {
  std::string out = "IPNSCAST_" + std::string(key);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '.') c = '_';
  }
  return out;
}

}  // namespace ipnscast::bridge
