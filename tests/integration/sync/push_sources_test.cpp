#include <condition_variable>
#include <mutex>

#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/source/push/sse_source.h"
#include "ipnscast/sync/source/push/w3name_source.h"
#include "ipnscast/sync/source/push/websocket_source.h"
#include "ipnscast/tests/integration/sync/client_world.h"
#include "ipnscast/tests/support/push/push_server.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using test::Pushed;
using test::PushServer;

namespace {

constexpr Seconds kPatience{100};
const std::string kCid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

IpnsKey key(uint8_t seed = 7) {
  return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, seed)));
}

std::string record(uint64_t sequence, uint8_t seed = 7) {
  const auto made =
      create_record(key(seed), {.value = "/ipfs/" + kCid,
                                .sequence = {sequence},
                                .eol = Eol::after(system_now().wall, std::chrono::hours(1))});
  return std::string(as_text(made->bytes()));
}

Pushed claim(uint64_t sequence, uint8_t seed = 7) {
  return {key(seed).name().to_string(), kCid, std::to_string(sequence), {}};
}

template <typename Done>
void wait_until(const Done& done) {
  const Instant deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(Milliseconds(2));
  }
}

// What a source said, as the sync thread would take it; or nothing, while it has no room.
class Heard final : public SourceSink {
 public:
  bool offer(SourceMessage& message) override {
    const std::lock_guard lock(mutex_);
    if (full_) {
      ++refused_;
      return false;
    }
    words_.push_back(std::move(std::get<SourceWord>(message)));
    return true;
  }
  void push(SourceMessage message) override { offer(message); }

  void set_full(bool full) {
    const std::lock_guard lock(mutex_);
    full_ = full;
  }
  size_t refused() const {
    const std::lock_guard lock(mutex_);
    return refused_;
  }
  // The sequences that were said, as "claim 3" and "record 3".
  std::vector<std::string> sequences() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const SourceWord& word : words_) {
      if (const auto* news = std::get_if<News>(&word))
        out.push_back("claim " + std::to_string(news->sequence.value_or(Sequence{}).value));
      if (const auto* arrived = std::get_if<RecordArrived>(&word))
        out.push_back("record " + std::to_string(arrived->record.sequence.value));
    }
    return out;
  }
  bool said(const std::string& what) const {
    const auto all = sequences();
    return std::find(all.begin(), all.end(), what) != all.end();
  }
  // Nothing: no word yet.
  std::optional<bool> healthy() const {
    const std::lock_guard lock(mutex_);
    std::optional<bool> out;
    for (const SourceWord& word : words_) {
      if (const auto* health = std::get_if<SourceHealth>(&word)) out = health->healthy;
    }
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<SourceWord> words_;  // guarded by mutex_
  bool full_ = false;              // guarded by mutex_
  size_t refused_ = 0;             // guarded by mutex_
};

struct Stage {
  std::unique_ptr<nostr::net::Loop> loop = *nostr::net::Loop::start();
  std::unique_ptr<gateway::HttpClient> http =
      *gateway::HttpClient::open({.connections_per_host = 64});
  std::shared_ptr<Heard> heard = std::make_shared<Heard>();
  ~Stage() { http->close(); }

  static nostr::Backoff::Options quick() {
    return {Milliseconds(10), Milliseconds(50), Milliseconds(60'000)};
  }
  std::unique_ptr<Source> websocket(const PushServer& server,
                                    Milliseconds answer_by = Milliseconds(50)) {
    WebsocketSourceOptions options;
    options.endpoints = {*nostr::RelayUrl::parse(server.websocket_url())};
    options.socket.backoff = quick();
    options.answer_by = answer_by;
    return websocket_source(*loop, options, heard);
  }
  std::unique_ptr<Source> sse(const PushServer& server, Milliseconds dead = Milliseconds(45'000)) {
    SseSourceOptions options;
    options.endpoints = {{server.http_url(), {}}};
    options.stream = {quick(), dead};
    return sse_source(*loop, *http, options, heard);
  }
};

}  // namespace

TEST_CASE("a push server is told all names at once, and what it says arrives (S0-42, S0-43)") {
  Stage stage;
  PushServer server(*stage.loop);
  const auto source = stage.websocket(server, kPatience);
  source->follow({key(7).name(), key(8).name()});
  wait_until([&] { return stage.heard->healthy() == true; });
  CHECK(server.subscriptions() == 2);
  CHECK(server.heard().size() == 1);
  server.push(claim(3));
  server.push({key(8).name().to_string(), {}, {}, record(4, 8)});
  server.push({key(7).name().to_string(), kCid, {}, record(5)});
  wait_until([&] { return stage.heard->said("record 5"); });
  CHECK(stage.heard->sequences() == std::vector<std::string>{"claim 3", "record 4", "record 5"});

  source->follow({key(8).name(), key(9).name()});
  wait_until([&] { return server.heard().size() == 3; });
  CHECK(server.subscriptions() == 2);
  server.push(claim(6, 9));
  wait_until([&] { return stage.heard->said("claim 6"); });
  source->follow({});
  wait_until([&] { return server.sockets() == 0; });
  CHECK(stage.heard->healthy() == false);
}

TEST_CASE("a push server of the other dialect is asked in that one (S0-42)") {
  Stage stage;
  const bool errors = GENERATE(false, true);
  PushServer server(*stage.loop, {.many = false, .errors = errors});
  const auto source = stage.websocket(server);
  source->follow({key(7).name(), key(8).name()});
  wait_until([&] { return server.subscriptions() == 2; });
  wait_until([&] { return stage.heard->healthy() == true; });
  server.push(claim(3));
  wait_until([&] { return stage.heard->said("claim 0"); });  // that dialect says no sequence
}

TEST_CASE("after a push server was away everything is asked for again (S0-45, S0-38)") {
  Stage stage;
  auto server = std::make_unique<PushServer>(*stage.loop);
  const uint16_t port = server->port();
  const auto source = stage.websocket(*server, kPatience);
  source->follow({key().name()});
  wait_until([&] { return stage.heard->healthy() == true; });
  server.reset();
  wait_until([&] { return stage.heard->healthy() == false; });
  server = std::make_unique<PushServer>(*stage.loop, test::PushServerOptions{.port = port});
  wait_until([&] { return stage.heard->healthy() == true; });
  CHECK(server->subscriptions() == 1);
  server->push(claim(3));
  wait_until([&] { return stage.heard->said("claim 3"); });
}

TEST_CASE("many names come over one stream of server-sent events (S0-48)") {
  Stage stage;
  PushServer server(*stage.loop);
  const auto source = stage.sse(server);
  std::vector<IpnsName> names;
  for (int seed = 1; seed <= 60; ++seed) names.push_back(key(static_cast<uint8_t>(seed)).name());
  source->follow(names);
  wait_until([&] { return stage.heard->healthy() == true; });
  CHECK(server.streams() == 2);  // fifty in one
  for (int seed = 1; seed <= 60; ++seed) server.push(claim(100 + seed, static_cast<uint8_t>(seed)));
  wait_until([&] { return stage.heard->sequences().size() == 60; });
  source->follow({});
  wait_until([&] {
    server.stream(": still there?\n\n");  // a server notices who has left when it writes
    return server.streams() == 0;
  });
}

TEST_CASE("where streams of many names are not offered, each name has its own (S0-47)") {
  Stage stage;
  PushServer server(*stage.loop, {.many_streams = false});
  const auto source = stage.sse(server);
  source->follow({key(7).name(), key(8).name()});
  wait_until([&] { return stage.heard->healthy() == true; });
  CHECK(server.streams() == 2);
  server.push(claim(3, 8));
  wait_until([&] { return stage.heard->said("claim 3"); });
  server.stream("event: ipns-update\ndata: {\"cid\":\"" + kCid + "\"}\n\n");  // S0-47's own form
  wait_until([&] { return stage.heard->sequences().size() == 3; });
}

TEST_CASE("a stream goes on where it was cut: what was said meanwhile is not missed (S0-48)") {
  Stage stage;
  PushServer server(*stage.loop);
  const auto source = stage.sse(server, Milliseconds(300));  // the server says nothing: it is dead
  source->follow({key().name()});
  wait_until([&] { return server.streams() == 1; });
  server.push(claim(3));
  wait_until([&] { return stage.heard->said("claim 3"); });
  wait_until([&] { return server.last_ids().size() >= 2; });
  CHECK(server.last_ids()[0].empty());
  CHECK(server.last_ids()[1] == "e-0");
  CHECK(stage.heard->sequences().size() == 1);
}

TEST_CASE("a w3name service is asked once and then listened to; records come along") {
  Stage stage;
  PushServer server(*stage.loop);
  const std::string name = key().name().to_string();
  server.push({name, kCid, {}, record(3)});
  W3nameSourceOptions options;
  options.endpoints = {{server.http_url(), {}}};
  options.socket.backoff = Stage::quick();
  const auto source = w3name_source(*stage.loop, *stage.http, options, stage.heard);
  source->follow({key().name()});
  wait_until([&] { return stage.heard->said("record 3"); });
  server.push({name, kCid, {}, record(4)});
  server.push({key(8).name().to_string(), kCid, {}, record(5, 8)});
  server.push({name, kCid, {}, record(6)});
  wait_until([&] { return stage.heard->said("record 6"); });
  CHECK(stage.heard->sequences() == std::vector<std::string>{"record 3", "record 4", "record 6"});
  CHECK(stage.heard->healthy() == true);
}

TEST_CASE("while nobody takes what push servers say they are not read, and nothing is lost") {
  Stage stage;
  PushServer server(*stage.loop);
  const bool stream = GENERATE(false, true);
  const auto source = stream ? stage.sse(server) : stage.websocket(server, kPatience);
  source->follow({key().name()});
  wait_until([&] { return stage.heard->healthy() == true; });
  stage.heard->set_full(true);
  for (uint64_t sequence = 1; sequence <= 2'000; ++sequence) server.push(claim(sequence));
  wait_until([&] { return stage.heard->refused() > 0; });
  CHECK(stage.heard->sequences().empty());
  stage.heard->set_full(false);
  source->room();
  wait_until([&] { return stage.heard->said("claim 2000"); });
  CHECK(stage.heard->sequences().size() == 2'000);
}

TEST_CASE("a push server that says too much is read more slowly, and nothing is lost (S0-45)") {
  Stage stage;
  PushServer server(*stage.loop);
  const bool stream = GENERATE(false, true);
  const auto source = stream ? stage.sse(server) : stage.websocket(server, kPatience);
  source->follow({key().name()});
  wait_until([&] { return stage.heard->healthy() == true; });
  constexpr uint64_t kSaid = 2'600;  // a burst and more
  const Instant start = std::chrono::steady_clock::now();
  for (uint64_t sequence = 1; sequence <= kSaid; ++sequence) server.push(claim(sequence));
  wait_until([&] { return stage.heard->sequences().size() == kSaid; });
  CHECK(std::chrono::steady_clock::now() - start >= Milliseconds(100));  // one breath at least
  CHECK(stage.heard->said("claim " + std::to_string(kSaid)));
}

TEST_CASE("with no relay at all a client follows over a push server, and the record decides") {
  test::World world;
  PushServer server(*world.loop);
  const std::string kind = GENERATE("websocket", "sse");
  Config writer_config = world.config("writer" + kind);
  writer_config.relays.clear();
  auto writer = Client::open(std::move(writer_config));
  REQUIRE(writer);
  test::Changes changes;
  Config config = world.config("reader" + kind);
  config.relays.clear();
  config.poll_min = config.poll_max = config.poll_healthy = std::chrono::hours(1);
  if (kind == "websocket")
    config.websocket = {*nostr::RelayUrl::parse(server.websocket_url())};
  else
    config.sse = {server.http_url()};
  const auto first = (*writer)->publish(world.key, world.tree("one" + kind));
  REQUIRE(first);
  auto reader = Client::open(std::move(config));
  REQUIRE(reader);
  REQUIRE((*reader)->watch(world.key.name(), changes.options()));
  REQUIRE(changes.next());
  wait_until([&] { return server.subscriptions() + server.streams() == 1; });

  const auto second = (*writer)->publish(world.key, world.tree("two" + kind));
  REQUIRE(second);
  const std::string name = world.key.name().to_string();
  server.push({name, second->cid.to_string(), "0", {}});  // S0-44
  const auto change = changes.next();
  REQUIRE(change);
  CHECK(change->cid == second->cid.as_v1());
  CHECK(to_string(change->source) == kind);
}

TEST_CASE(
    "an application hands in what it heard by a way of its own, and is not believed (S0-37)") {
  test::World world;
  Config writer_config = world.config("writer");
  writer_config.relays.clear();
  auto writer = Client::open(std::move(writer_config));
  REQUIRE(writer);
  test::Changes changes;
  Config config = world.config("reader");
  config.relays.clear();
  config.poll_min = config.poll_max = config.poll_healthy = std::chrono::hours(1);
  auto reader = Client::open(std::move(config));
  REQUIRE(reader);
  const IpnsName name = world.key.name();
  const auto first = (*writer)->publish(world.key, world.tree("one"));
  REQUIRE(first);
  REQUIRE((*reader)->watch(name, changes.options()));
  REQUIRE(changes.next());
  const auto second = (*writer)->publish(world.key, world.tree("two"));
  REQUIRE(second);
  // A lie leads to the truth.
  REQUIRE((*reader)->tell({.name = name, .cid = *Cid::parse(kCid), .sequence = Sequence{99}}));
  const auto change = changes.next();
  REQUIRE(change);
  CHECK(change->sequence == second->sequence);
  CHECK(change->source == SourceKind::poll);
  CHECK((*reader)->tell({.name = name}).error().code == Errc::invalid);
  const std::string foreign = record(9, 8);
  const Status refused = (*reader)->tell({.name = name, .record = to_bytes(as_bytes(foreign))});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::signature);
}
