// The embedded node decides between writers: preconditions on the puts of records, over real
// sockets and both of its ports.
#include <future>
#include <thread>

#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/decider/conditional_put.h"
#include "ipnscast/sync/gateway/delegated_routing.h"
#include "ipnscast/sync/gateway/gateway_probe.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_http.h"

using namespace ipnscast;
using namespace ipnscast::bridge;
using namespace ipnscast::sync;
using namespace ipnscast::sync::gateway;

namespace {

using Put = ConditionalPut::Answer;
using Header = std::pair<std::string, std::string>;

constexpr const char* kA = "/ipfs/bafkqaaa";
constexpr const char* kB = "/ipfs/bafkqaalb";

sync::IpnsKey new_key() {
  return *sync::IpnsKey::from_bytes(sync::KeyType::ed25519, random_bytes(32));
}

Bytes record_of(const sync::IpnsKey& key, uint64_t sequence, const std::string& value = kA,
                std::chrono::hours lifetime = std::chrono::hours(1)) {
  return sync::create_record(key, {.value = value,
                                   .sequence = {sequence},
                                   .eol = sync::Eol::after(system_now().wall, lifetime)})
      ->bytes();
}

// One of the two ways to put a record there.
struct Door {
  Endpoint endpoint;
  RecordDialect dialect = RecordDialect::routing;

  HttpCall put(const sync::IpnsKey& key, ByteView record, std::vector<Header> headers = {}) const {
    HttpCall call = dialect == RecordDialect::routing
                        ? routing_put_call(endpoint, key.name(), record)
                        : kubo_routing_put_call(endpoint, key.name(), record);
    call.headers.insert(call.headers.end(), headers.begin(), headers.end());
    return call;
  }
};

struct Stage {
  explicit Stage(NodeOptions options = {}) {
    options.gateway_port = 0;
    options.rpc_port = 0;
    auto started = Node::start(*loop, std::move(options));
    if (!started) FAIL(started.error().message);
    node = std::move(*started);
  }
  std::vector<Door> doors() const {
    return {{{node->gateway_url(), {}}, RecordDialect::routing},
            {{node->rpc_url(), {}}, RecordDialect::rpc_routing}};
  }
  HttpAnswer ask(HttpCall call) {
    auto answer = http->fetch(std::move(call));
    if (!answer) FAIL(answer.error().message);
    return std::move(*answer);
  }
  std::future<ConditionalPut> put_if(const Door& door, const sync::IpnsKey& key, ByteView record,
                                     const std::optional<Bytes>& instead_of) {
    auto told = std::make_shared<std::promise<ConditionalPut>>();
    put_record_if(*http, door.endpoint, door.dialect, key.name(), record, instead_of, Seconds(60),
                  [told](ConditionalPut put) { told->set_value(std::move(put)); });
    return told->get_future();
  }
  DecidersRecord read(const Door& door, const sync::IpnsKey& key) {
    std::promise<DecidersRecord> told;
    read_deciders_record(*http, door.endpoint, door.dialect, key.name(), Seconds(60),
                         [&](DecidersRecord has) { told.set_value(std::move(has)); });
    return told.get_future().get();
  }

  std::unique_ptr<nostr::net::Loop> loop = std::move(*nostr::net::Loop::start());
  std::unique_ptr<HttpClient> http = std::move(*HttpClient::open());
  std::unique_ptr<Node> node;
};

}  // namespace

TEST_CASE("R34: a record is stored on condition of what it replaces, by both ports of the node") {
  Stage stage;
  for (const Door& door : stage.doors()) {
    CAPTURE(door.endpoint.url);
    const auto key = new_key();
    const Bytes first = record_of(key, 1);
    const Bytes second = record_of(key, 2, kB);

    // Nothing is there: only "nothing" is a demand that holds, and a refusal has no body.
    const HttpAnswer none = stage.ask(door.put(key, first, {{"If-Match", record_etag(first)}}));
    CHECK(none.head.status == 412);
    CHECK(none.body.empty());
    CHECK(none.head.header("etag").empty());
    CHECK(stage.ask(door.put(key, first, {{"If-Match", "*"}})).head.status == 412);
    CHECK(stage.read(door, key).answered);
    CHECK_FALSE(stage.read(door, key).record);
    const HttpAnswer stored = stage.ask(door.put(key, first, {{"If-None-Match", "*"}}));
    CHECK(stored.head.status == 200);
    CHECK(stored.head.header("etag") == record_etag(first));

    // Something is there: the refusal brings it, with its tag.
    const HttpAnswer taken = stage.ask(door.put(key, second, {{"If-None-Match", "*"}}));
    CHECK(taken.head.status == 412);
    CHECK(taken.body == first);
    CHECK(taken.head.header("content-type") == sync::IpnsRecord::kMediaType);
    CHECK(taken.head.header("etag") == record_etag(first));
    const std::string other = record_etag(second);
    CHECK(stage.ask(door.put(key, second, {{"If-Match", other}})).head.status == 412);
    // A weak tag equals nothing.
    const std::string weak = "W/" + record_etag(first);
    CHECK(stage.ask(door.put(key, second, {{"If-Match", weak}})).head.status == 412);
    CHECK(stage.read(door, key).record == first);
    // One of several tags will do, also when they come in two headers.
    CHECK(stage
              .ask(door.put(key, second,
                            {{"If-Match", "\"x\", " + other}, {"If-Match", record_etag(first)}}))
              .head.status == 200);
    CHECK(stage.ask(door.put(key, record_of(key, 3), {{"If-Match", "*"}})).head.status == 200);
    CHECK(stage.ask(door.put(key, record_of(key, 4), {{"If-None-Match", other}})).head.status ==
          200);
  }
}

TEST_CASE("R34: a writer that asks again, because it missed the answer, is told of its success") {
  Stage stage;
  for (const Door& door : stage.doors()) {
    CAPTURE(door.endpoint.url);
    const auto key = new_key();
    const Bytes record = record_of(key, 1);
    for (int i = 0; i < 2; ++i) {
      const HttpAnswer answer = stage.ask(door.put(key, record, {{"If-None-Match", "*"}}));
      CHECK(answer.head.status == 200);
      CHECK(answer.head.header("etag") == record_etag(record));
    }
    const HttpAnswer other = stage.ask(door.put(key, record, {{"If-Match", "\"another\""}}));
    CHECK(other.head.status == 200);
    CHECK(stage.ask(door.put(key, record)).head.status == 200);
  }
}

TEST_CASE("S0-18: no record makes room for another value of its own sequence, only for a renewal") {
  Stage stage;
  const auto doors = stage.doors();
  for (const Door& door : doors) {
    CAPTURE(door.endpoint.url);
    const bool routing = door.dialect == RecordDialect::routing;
    const auto key = new_key();
    const Bytes ours = record_of(key, 5);
    // By its end of life it would win.
    const Bytes rival = record_of(key, 5, kB, std::chrono::hours(9));
    const Bytes renewal = record_of(key, 5, kA, std::chrono::hours(2));
    REQUIRE(stage.ask(door.put(key, ours)).head.status == 200);

    const HttpAnswer plain = stage.ask(door.put(key, rival));
    CHECK(plain.head.status == (routing ? 409 : 500));
    if (routing) {
      CHECK(plain.body == ours);
      CHECK(plain.head.header("etag") == record_etag(ours));
    } else {
      CHECK_FALSE(read_kubo_done(plain));
      CHECK_FALSE(read_kubo_done(stage.ask(kubo_name_put_call(door.endpoint, key.name(), rival))));
    }
    const HttpAnswer allowed = stage.ask(door.put(key, rival, {{"If-Match", "*"}}));
    CHECK(allowed.head.status == 409);
    CHECK(allowed.body == ours);
    CHECK(stage.read(door, key).record == ours);

    CHECK(stage.ask(door.put(key, renewal, {{"If-Match", record_etag(ours)}})).head.status == 200);
    CHECK(stage.read(door, key).record == renewal);
    // What ranks lower is refused, with the record for whoever made a demand.
    CHECK(stage.ask(door.put(key, ours)).head.status == (routing ? 400 : 500));
    CHECK(stage.ask(door.put(key, record_of(key, 4))).head.status == (routing ? 400 : 500));
    const HttpAnswer lower = stage.ask(door.put(key, ours, {{"If-Match", "*"}}));
    CHECK(lower.head.status == 409);
    CHECK(lower.body == renewal);
    CHECK(stage.ask(door.put(key, record_of(key, 6, kB))).head.status == 200);
  }
}

TEST_CASE("a demand that the node cannot read is refused, and what does not verify never gets in") {
  Stage stage;
  for (const Door& door : stage.doors()) {
    CAPTURE(door.endpoint.url);
    const auto key = new_key();
    for (const char* bad : {"5", "\"x", "*, \"x\"", "\"x\" \"y\"", ","}) {
      CAPTURE(bad);
      const Bytes record = record_of(key, 1);
      CHECK(stage.ask(door.put(key, record, {{"If-Match", bad}})).head.status == 400);
      CHECK(stage.ask(door.put(key, record, {{"If-None-Match", bad}})).head.status == 400);
    }
    CHECK_FALSE(stage.read(door, key).record);
    const Bytes foreign = record_of(new_key(), 1);
    const int refused = stage.ask(door.put(key, foreign, {{"If-None-Match", "*"}})).head.status;
    CHECK(refused == (door.dialect == RecordDialect::routing ? 400 : 500));
    CHECK_FALSE(stage.read(door, key).record);
  }
}

TEST_CASE("a node with listed writers refuses others whatever they demand, and says so (R34)") {
  NodeOptions options;
  options.writers = {new_key().name()};
  Stage stage(options);
  for (const Door& door : stage.doors()) {
    const auto key = new_key();
    const Bytes record = record_of(key, 1);
    CHECK(stage.ask(door.put(key, record, {{"If-None-Match", "*"}})).head.status == 403);
    const ConditionalPut put = stage.put_if(door, key, record, std::nullopt).get();
    CHECK(put.answer == Put::nothing);
    CHECK(put.never_sent);
    CHECK(put.why.find("403") != std::string::npos);
  }
}

TEST_CASE("a record comes with its ETag, and not again to whoever has it") {
  Stage stage;
  const auto key = new_key();
  const Bytes record = record_of(key, 1);
  const Door routing = stage.doors().front();
  const Door rpc = stage.doors().back();
  REQUIRE(stage.ask(routing.put(key, record)).head.status == 200);
  HttpCall get = routing_get_call(routing.endpoint, key.name());
  HttpCall head = get;
  head.method = "HEAD";
  for (const HttpCall& call : {get, head, ipns_record_call(routing.endpoint, key.name()),
                               kubo_name_get_call(rpc.endpoint, key.name()),
                               kubo_routing_get_call(rpc.endpoint, key.name())}) {
    const HttpAnswer answer = stage.ask(call);
    CHECK(answer.head.status == 200);
    CHECK(answer.head.header("etag") == record_etag(record));
  }
  for (HttpCall call : {get, head}) {
    call.headers.emplace_back("If-None-Match", record_etag(record));
    const HttpAnswer answer = stage.ask(call);
    CHECK(answer.head.status == 304);
    CHECK(answer.body.empty());
  }
}

TEST_CASE("the node says that it heeds preconditions, to probes and to pages") {
  Stage stage;
  for (const Door& door : stage.doors()) {
    CAPTURE(door.endpoint.url);
    const auto port = test::port_of(door.endpoint.url);
    const std::string path = door.dialect == RecordDialect::routing
                                 ? "/routing/v1/ipns/" + new_key().name().to_string()
                                 : "/api/v0/routing/put";
    const std::string answer = test::raw_http(
        port, "OPTIONS " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    INFO(answer);
    CHECK(answer.rfind("HTTP/1.1 204", 0) == 0);
    CHECK(answer.find("accept-precondition: ipns-record\r\n") != std::string::npos);
    if (door.dialect == RecordDialect::routing) {
      const size_t headers = answer.find("access-control-allow-headers:");
      REQUIRE(headers != std::string::npos);
      const std::string line = answer.substr(headers, answer.find('\n', headers) - headers);
      CHECK(line.find("If-Match,") != std::string::npos);
      CHECK(line.find("If-None-Match,") != std::string::npos);
      const size_t exposed = answer.find("access-control-expose-headers:");
      CHECK(answer.substr(exposed, answer.find('\n', exposed) - exposed).find("Etag") !=
            std::string::npos);
    }
    std::promise<ProbeReport> told;
    probe_gateway(*stage.http, door.endpoint,
                  [&](ProbeReport report) { told.set_value(std::move(report)); });
    CHECK(told.get_future().get().dialects.preconditions == true);
  }
}

TEST_CASE(
    "S0-67: of two writers that race, one wins each round and the other gets its record (R34)") {
  Stage stage;
  const auto doors = stage.doors();
  const auto key = new_key();
  std::optional<Bytes> there;
  for (uint64_t round = 1; round <= 50; ++round) {
    CAPTURE(round);
    // Odd rounds race at one port, even ones across both.
    const Door& left = doors[round % 4 / 2];
    const Door& right = doors[round % 2 == 0 ? 1 - round % 4 / 2 : round % 4 / 2];
    const Bytes a = record_of(key, round, kA);
    const Bytes b = record_of(key, round, kB);
    auto first = stage.put_if(left, key, a, there);
    auto second = stage.put_if(right, key, b, there);
    const ConditionalPut one = first.get();
    const ConditionalPut two = second.get();
    REQUIRE((one.answer == Put::stored) + (two.answer == Put::stored) == 1);
    REQUIRE((one.answer == Put::refused) + (two.answer == Put::refused) == 1);
    const Bytes& winner = one.answer == Put::stored ? a : b;
    CHECK((one.answer == Put::refused ? one : two).stored == winner);
    for (const Door& door : doors) CHECK(stage.read(door, key).record == winner);
    there = winner;
  }
}
