#include "ipnscast/tools/bench/names.h"

#include <atomic>
#include <cstring>
#include <future>
#include <thread>
#include <unordered_map>

#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/nostr/net/websocket_server.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/sync/client.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/tools/bench/measure.h"
#include "ipnscast/tools/bench/server_process.h"

namespace ipnscast::tools {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kValue = "/ipfs/bafkqaaa";
constexpr std::chrono::minutes kNamesPatience{10};

sync::IpnsKey numbered_key(size_t number) {
  Bytes seed(32, 0x5a);
  std::memcpy(seed.data(), &number, sizeof number);
  return std::move(*sync::IpnsKey::from_bytes(sync::KeyType::ed25519, seed));
}

nostr::SecretKey bench_author() {
  return std::move(*nostr::SecretKey::from_bytes(Bytes(32, 0x17)));
}

sync::IpnsRecord numbered_record(const sync::IpnsKey& key) {
  return *sync::create_record(key,
                              {.value = std::string(kValue),
                               .sequence = {1},
                               .eol = sync::Eol::after(system_now().wall, std::chrono::hours(48))});
}

struct NamesServers {
  std::unordered_map<std::string, Bytes> records;  // by path
  std::unique_ptr<nostr::net::Loop> loop = std::move(nostr::net::Loop::start().value());
  std::unique_ptr<nostr::server::RelayServer> relay;
  std::unique_ptr<nostr::net::WebSocketServer> gateway;
  std::atomic<uint64_t> asked = 0;
};

// A trustless gateway that has every name's record, and how often it was asked for one.
void answer(NamesServers& servers, const nostr::net::HttpRequest& request,
            const std::shared_ptr<nostr::net::HttpReply>& reply) {
  if (request.path == "/asked") {
    const std::string text = std::to_string(servers.asked);
    return reply->send({200, {{"content-type", "text/plain"}}, to_bytes(as_bytes(text))});
  }
  if (request.path.starts_with("/ipfs/bafkqaaa"))
    return reply->send({200, {{"content-type", "application/vnd.ipld.raw"}}, {}});
  const auto found = servers.records.find(request.path);
  if (found == servers.records.end()) return reply->send({404, {}, {}});
  ++servers.asked;
  reply->send({200, {{"content-type", "application/vnd.ipfs.ipns-record"}}, found->second});
}

// Announces every name at the relay.
bool announce_all(NamesServers& servers, size_t names) {
  nostr::PoolOptions options;
  options.relays = {*nostr::RelayUrl::parse(servers.relay->url())};
  const auto pool = nostr::Pool::start(*servers.loop, std::move(options));
  const nostr::SecretKey secret = bench_author();
  std::promise<void> all;
  std::atomic<size_t> left = names;
  std::atomic<bool> good = true;
  for (size_t i = 0; i < names; ++i) {
    const sync::IpnsKey key = numbered_key(i);
    const sync::IpnsRecord record = numbered_record(key);
    const auto event = sync::make_hint_event({.name = key.name(),
                                              .cid = *sync::Cid::parse("bafkqaaa"),
                                              .sequence = {1},
                                              .timestamp = system_now().wall,
                                              .device_id = {},
                                              .parent = {},
                                              .record = to_bytes(record.bytes())},
                                             system_now().seconds());
    pool->publish(nostr::sign_event(secret, *event), {}, [&](const nostr::PublishReport& report) {
      if (report.stored_count() != 1) good = false;
      if (--left == 0) all.set_value();
    });
    // Within what waits for one relay at a time.
    while (i + 1 - (names - left) > 500) std::this_thread::sleep_for(Milliseconds(1));
  }
  all.get_future().wait();
  return good;
}

std::vector<uint16_t> start_servers(size_t names, bool relay, std::shared_ptr<void>& keep) {
  const auto servers = std::make_shared<NamesServers>();
  keep = servers;
  for (size_t i = 0; i < names; ++i) {
    const sync::IpnsKey key = numbered_key(i);
    servers->records["/ipns/" + key.name().to_string()] = to_bytes(numbered_record(key).bytes());
  }
  auto gateway = nostr::net::listen(
      *servers->loop, {},
      {.http = [all = servers.get()](const auto& request,
                                     const auto& reply) { answer(*all, request, reply); },
       .opened = {},
       .frame = {},
       .drained = {},
       .closed = {}});
  if (!gateway) return {};
  servers->gateway = std::move(*gateway);
  std::vector<uint16_t> out = {servers->gateway->port(), 0};
  if (!relay) return out;
  auto started = nostr::server::RelayServer::start(*servers->loop, {.port = 0});
  if (!started) return {};
  servers->relay = std::move(*started);
  out[1] = servers->relay->port();
  return announce_all(*servers, names) ? out : std::vector<uint16_t>{};
}

// How often the gateway was asked for a record so far.
Result<double> asked(const std::string& gateway) {
  auto http = sync::gateway::HttpClient::open();
  if (!http) return fail(http.error());
  sync::gateway::HttpCall call;
  call.url = gateway + "/asked";
  const auto answer = (*http)->fetch(std::move(call));
  (*http)->close();
  if (!answer) return fail(answer.error());
  return std::stod(std::string(as_text(answer->body)));
}

}  // namespace

Result<NamesFigures> bench_names(size_t names, bool relay, Seconds measured) {
  const ServerProcess servers(
      2, [&](std::shared_ptr<void>& keep) { return start_servers(names, relay, keep); });
  if (servers.ports().empty()) return fail(Errc::io, "bench: relay and gateway do not start");
  auto folder = TemporaryDirectory::make();
  if (!folder) return fail(folder.error());
  std::vector<sync::IpnsName> all;
  for (size_t i = 0; i < names; ++i) all.push_back(numbered_key(i).name());
  const std::string gateway = "http://127.0.0.1:" + std::to_string(servers.ports()[0]);

  NamesFigures out;
  const double before = resident_mib();
  std::atomic<size_t> handed = 0;
  sync::Config config;
  config.state_dir = folder->path() / "state";
  config.gateways = {{gateway}};
  config.trusted_authors = {bench_author().public_key()};
  if (relay)
    config.relays = {
        *nostr::RelayUrl::parse("ws://127.0.0.1:" + std::to_string(servers.ports()[1]))};
  const auto start = steady_clock::now();
  auto client = sync::Client::open(std::move(config));
  if (!client) return fail(client.error());
  for (const sync::IpnsName& name : all) {
    sync::WatchOptions options;
    options.on_change = [&](const sync::Change&) {
      ++handed;
      return Status{};
    };
    if (const Status watched = (*client)->watch(name, std::move(options)); !watched)
      return fail(watched.error());
  }
  while (handed < names) {
    if (steady_clock::now() > start + kNamesPatience)
      return fail(Errc::timeout, "bench: only " + std::to_string(handed) + " names have come");
    std::this_thread::sleep_for(Milliseconds(10));
  }
  out.seconds = std::chrono::duration<double>(steady_clock::now() - start).count();
  // The first polls, which follow the watching closely, are over.
  std::this_thread::sleep_for(relay ? std::chrono::seconds(130) : std::chrono::seconds(65));
  const auto asked_before = asked(gateway);
  if (!asked_before) return fail(asked_before.error());
  const double cpu_before = cpu_seconds();
  const auto from = steady_clock::now();
  std::this_thread::sleep_for(measured);
  const double seconds = std::chrono::duration<double>(steady_clock::now() - from).count();
  out.core = (cpu_seconds() - cpu_before) / seconds;
  const auto asked_after = asked(gateway);
  if (!asked_after) return fail(asked_after.error());
  out.polls = (*asked_after - *asked_before) / seconds;
  out.mib = resident_mib() - before;
  return out;
}

}  // namespace ipnscast::tools
