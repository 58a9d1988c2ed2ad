// What a conditional put tells when the node is not there, or is another one than we think.
#include "ipnscast/sync/decider/conditional_put.h"

#include <atomic>
#include <future>

#include "ipnscast/sync/gateway/gateway_probe.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::gateway;
using test::ScriptedAnswer;
using test::ScriptedHttpServer;
using test::ScriptedRequest;

namespace {

using Put = ConditionalPut::Answer;

const IpnsKey& key() {
  static const IpnsKey made = *IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 7));
  return made;
}

Bytes record() {
  return create_record(key(), {.value = "/ipfs/bafkqaaa",
                               .sequence = {1},
                               .eol = Eol::after(system_now().wall, std::chrono::hours(1))})
      ->bytes();
}

struct Client {
  ConditionalPut put(const Endpoint& endpoint, Milliseconds deadline = Seconds(20)) {
    std::promise<ConditionalPut> told;
    put_record_if(*http, endpoint, RecordDialect::routing, key().name(), record(), std::nullopt,
                  deadline, [&](ConditionalPut out) { told.set_value(std::move(out)); });
    return told.get_future().get();
  }
  DecidersRecord read(const Endpoint& endpoint) {
    std::promise<DecidersRecord> told;
    read_deciders_record(*http, endpoint, RecordDialect::routing, key().name(), Seconds(20),
                         [&](DecidersRecord out) { told.set_value(std::move(out)); });
    return told.get_future().get();
  }
  std::unique_ptr<HttpClient> http = std::move(*HttpClient::open());
};

ScriptedAnswer decides(ScriptedAnswer answer) {
  answer.headers.emplace_back("Accept-Precondition", "ipns-record");
  return answer;
}

}  // namespace

TEST_CASE("what certainly never reached the decider is told from what it may have stored (R34)") {
  Client client;
  for (const Endpoint& nowhere : {Endpoint{"http://127.0.0.1:1", {}},      // refused
                                  Endpoint{"http://nowhere.invalid", {}},  // no such name
                                  Endpoint{"http://10.0.0.1", {}, NamedBy::others}}) {  // private
    CAPTURE(nowhere.url);
    const ConditionalPut put = client.put(nowhere);
    CHECK(put.answer == Put::nothing);
    CHECK(put.never_sent);
    CHECK_FALSE(put.why.empty());
  }
  ScriptedHttpServer silent(
      [](const ScriptedRequest&) { return ScriptedAnswer{.delay = Seconds(60)}; });
  // TLS with a server that speaks none: the request waits for a connection that never comes.
  const ConditionalPut no_tls =
      client.put({"https" + silent.url().substr(std::string("http").size()), {}}, Seconds(2));
  CHECK(no_tls.answer == Put::nothing);
  CHECK(no_tls.never_sent);
  const ConditionalPut late = client.put({silent.url(), {}}, Milliseconds(500));
  CHECK(late.answer == Put::nothing);
  CHECK_FALSE(late.never_sent);
  client.http->close();
  CHECK(client.put({silent.url(), {}}).never_sent);
}

TEST_CASE("answers of something that heeds no preconditions decide nothing (R34)") {
  Client client;
  for (const int status : {200, 409, 412, 404, 502}) {
    CAPTURE(status);
    ScriptedHttpServer proxy([&](const ScriptedRequest&) {
      return ScriptedAnswer{.status = status,
                            .headers = {{"Content-Type", IpnsRecord::kMediaType}},
                            .body = "some bytes"};
    });
    const ConditionalPut put = client.put({proxy.url(), {}});
    CHECK(put.answer == Put::nothing);
    CHECK_FALSE(put.never_sent);
    CHECK_FALSE(client.read({proxy.url(), {}}).answered);
    std::promise<ProbeReport> told;
    probe_gateway(*client.http, {proxy.url(), {}},
                  [&](ProbeReport report) { told.set_value(std::move(report)); });
    const auto offers = told.get_future().get().dialects.preconditions;
    CHECK(offers == (status == 502 ? std::nullopt : std::optional(false)));
  }
}

TEST_CASE("a gateway does not get the word of the one that it redirects to (R34)") {
  // Two origins at one address, so that the redirect may be followed.
  std::atomic<int> followed = 0;
  ScriptedHttpServer redirects([&](const ScriptedRequest& request) {
    const std::string& host = request.headers.at("host");
    const std::string port = host.substr(host.find(':'));
    if (host.starts_with("localhost")) {
      ++followed;
      return decides({.status = 400});
    }
    return ScriptedAnswer{.status = 307,
                          .headers = {{"Location", "http://localhost" + port + request.target}}};
  });
  Client client;
  std::promise<ProbeReport> told;
  probe_gateway(*client.http, {redirects.url(), {}},
                [&](ProbeReport report) { told.set_value(std::move(report)); });
  CHECK(told.get_future().get().dialects.preconditions == false);
  CHECK(followed > 0);
}

TEST_CASE("a refusal brings the decider's record, and an endless one is cut (R34)") {
  Client client;
  const std::string stored(as_text(record()));
  ScriptedHttpServer refuses([&](const ScriptedRequest& request) {
    return decides({.status = request.method == "PUT" ? 412 : 200,
                    .headers = {{"Content-Type", IpnsRecord::kMediaType}},
                    .body = stored});
  });
  const ConditionalPut put = client.put({refuses.url(), {}});
  CHECK(put.answer == Put::refused);
  CHECK(put.stored == to_bytes(stored));
  const DecidersRecord has = client.read({refuses.url(), {}});
  CHECK(has.answered);
  CHECK(has.record == to_bytes(stored));
  ScriptedHttpServer empty([&](const ScriptedRequest& request) {
    return decides({.status = request.method == "PUT" ? 412 : 404});
  });
  const ConditionalPut none = client.put({empty.url(), {}});
  CHECK(none.answer == Put::refused);
  CHECK_FALSE(none.stored);
  CHECK(client.read({empty.url(), {}}).answered);
  CHECK_FALSE(client.read({empty.url(), {}}).record);
  ScriptedHttpServer floods([&](const ScriptedRequest&) {
    return decides({.status = 412, .body = std::string(IpnsRecord::kMaxBytes + 1, 'x')});
  });
  const ConditionalPut cut = client.put({floods.url(), {}});
  CHECK(cut.answer == Put::nothing);
  CHECK_FALSE(cut.never_sent);
}
