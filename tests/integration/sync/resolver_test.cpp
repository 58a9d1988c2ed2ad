#include "ipnscast/sync/resolve/resolver.h"

#include <atomic>
#include <future>
#include <map>
#include <mutex>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::ScriptedAnswer;
using ipnscast::test::ScriptedHttpServer;
using ipnscast::test::ScriptedRequest;

namespace {

IpnsKey key() { return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 7))); }

std::string record(uint64_t sequence, std::chrono::nanoseconds lifetime = std::chrono::hours(1)) {
  const auto made = create_record(key(), {.value = "/ipfs/bafkqaaa",
                                          .sequence = {sequence},
                                          .eol = Eol::after(system_now().wall, lifetime)});
  return std::string(as_text(made->bytes()));
}

ScriptedAnswer as_record(std::string bytes) {
  return {.headers = {{"Content-Type", "application/vnd.ipfs.ipns-record"}, {"Etag", "\"tag\""}},
          .body = std::move(bytes)};
}

ScriptedAnswer nothing() {
  return {.status = 404, .headers = {{"Content-Type", "text/html"}}, .body = "no"};
}

// A trustless gateway that gives this answer to whoever asks for a record.
ScriptedHttpServer::Script gateway_with(ScriptedAnswer answer) {
  return [answer = std::move(answer)](const ScriptedRequest& request) {
    return request.target.find("?format=ipns-record") != std::string::npos ? answer : nothing();
  };
}

struct Fixture {
  explicit Fixture(const std::vector<std::pair<std::string, int>>& urls,
                   ResolverOptions options = {})
      : book(entries(urls)),
        http(std::move(*gateway::HttpClient::open())),
        resolver(*http, book, options) {}
  ~Fixture() { resolver.close(); }

  static std::vector<gateway::GatewayBook::Entry> entries(
      const std::vector<std::pair<std::string, int>>& urls) {
    std::vector<gateway::GatewayBook::Entry> out;
    for (const auto& [url, tier] : urls) out.push_back({{url, {}}, tier});
    return out;
  }

  gateway::GatewayBook book;
  std::unique_ptr<gateway::HttpClient> http;
  Resolver resolver;
  const IpnsName name = key().name();
};

uint64_t sequence_of(const ResolveReport& report) { return report.best->fields().sequence.value; }

}  // namespace

TEST_CASE(
    "the highest sequence of several gateways wins, and the report says who answered what (S0-15, "
    "S0-16)") {
  ScriptedHttpServer old(gateway_with(as_record(record(3))));
  ScriptedHttpServer newer(gateway_with(as_record(record(4))));
  ScriptedHttpServer without([](const ScriptedRequest&) { return nothing(); });
  Fixture fixture({{old.url(), 1}, {newer.url(), 1}, {without.url(), 1}});
  const auto report = fixture.resolver.resolve_now(fixture.name, {}, Seconds(5));
  REQUIRE(report);
  REQUIRE(report->best);
  CHECK(sequence_of(*report) == 4);
  std::map<std::string, std::string> answers;
  for (const auto& source : report->sources) answers[source.url] = source.answer;
  CHECK(answers[old.url()] == "record");
  CHECK(answers[newer.url()] == "record");
  CHECK(answers[without.url()] == "not found");
}

TEST_CASE(
    "with two of five nodes down nobody waits for them: all five are asked, the first answer is "
    "enough (S1-06, S1-23)") {
  ScriptedHttpServer a(gateway_with(as_record(record(5))));
  ScriptedHttpServer b(gateway_with(as_record(record(5))));
  ScriptedHttpServer c(gateway_with(as_record(record(5))));
  ScriptedHttpServer hanging(
      [](const ScriptedRequest&) { return ScriptedAnswer{.delay = Seconds(600)}; });
  std::string refusing;
  {
    ScriptedHttpServer gone([](const ScriptedRequest&) { return nothing(); });
    refusing = gone.url();
  }
  // Whoever waits for the one that hangs waits for an hour.
  ResolverOptions patient;
  patient.race.listen = patient.race.slow_listen = std::chrono::hours(1);
  Fixture fixture({{hanging.url(), 1}, {refusing, 1}, {a.url(), 1}, {b.url(), 1}, {c.url(), 1}},
                  patient);
  for (int i = 0; i < 50; ++i) {
    const auto report = fixture.resolver.resolve_now(
        fixture.name, {.floor = Sequence{5}, .fresh = true}, std::chrono::hours(1));
    REQUIRE(report);
    REQUIRE(report->best);
    REQUIRE_FALSE(report->cut);
  }
  // All were asked, though the first answer is enough, and the one that hangs soon no more.
  for (auto* server : {&a, &b, &c}) CHECK(server->count("?format=ipns-record") > 0);
  CHECK(hanging.count("?format=ipns-record") == 3);
}

TEST_CASE("a second resolution is answered from the cache without asking anyone (S1-15, S1-03)") {
  ScriptedHttpServer server(gateway_with(as_record(record(5))));
  Fixture fixture({{server.url(), 1}});
  REQUIRE(fixture.resolver.resolve_now(fixture.name, {}, Seconds(5)));
  const auto cached = fixture.resolver.resolve_now(fixture.name, {}, Seconds(5));
  REQUIRE(cached);
  REQUIRE(cached->sources.size() == 1);
  CHECK(cached->sources[0].url == "cache");
  CHECK(fixture.resolver.cache_stats().hits == 1);
  fixture.resolver.invalidate(fixture.name);
  const auto asked = fixture.resolver.resolve_now(fixture.name, {}, Seconds(5));
  REQUIRE(asked);
  CHECK(asked->sources[0].url == server.url());
}

TEST_CASE("a first resolution spends nothing on finding out what a gateway speaks (S1-14)") {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    if (request.target.find("?format=ipns-record") != std::string::npos)
      return as_record(record(5));
    return ScriptedAnswer{.delay = Seconds(60)};
  });
  Fixture fixture({{server.url(), 1}});
  const auto report =
      fixture.resolver.resolve_now(fixture.name, {.floor = Sequence{5}}, Seconds(5));
  REQUIRE(report);
  REQUIRE(report->best);
  for (const ScriptedRequest& request : server.requests())
    CHECK(request.target.find(fixture.name.to_string()) != std::string::npos);
}

TEST_CASE("all gateways down ends in bounded time, with nothing (R21, S1-16)") {
  std::string refusing;
  {
    ScriptedHttpServer gone([](const ScriptedRequest&) { return nothing(); });
    refusing = gone.url();
  }
  ScriptedHttpServer hanging(
      [](const ScriptedRequest&) { return ScriptedAnswer{.delay = std::chrono::hours(1)}; });
  Fixture fixture({{refusing, 1}, {hanging.url(), 1}},
                  {.race = {.answer_by = Milliseconds(200), .listen = Milliseconds(400)}});
  const auto report = fixture.resolver.resolve_now(fixture.name, {}, std::chrono::hours(1));
  REQUIRE(report);
  CHECK_FALSE(report->best);
  CHECK_FALSE(report->cut);  // the race has an end of its own, long before that deadline
  CHECK(report->sources.at(0).answer.substr(0, 6) == "error:");
  CHECK(report->sources.at(1).answer == "no answer");
}

TEST_CASE("the first gateway is down and the last one answers (R21)") {
  ScriptedHttpServer server(gateway_with(as_record(record(9))));
  Fixture fixture({{"http://127.0.0.1:1", 1}, {server.url(), 2}});
  const auto report = fixture.resolver.resolve_now(fixture.name, {}, Seconds(5));
  REQUIRE(report);
  CHECK(sequence_of(*report) == 9);
}

TEST_CASE("the slow path is not waited for, and improves the answer when it comes (S1-20, S0-17)") {
  auto later = as_record(record(8));
  later.delay = Milliseconds(2'000);
  ScriptedHttpServer fast(gateway_with(as_record(record(7))));
  ScriptedHttpServer slow(gateway_with(later));
  Fixture fixture({{fast.url(), 1}, {slow.url(), 3}});
  std::mutex mutex;
  std::vector<std::pair<ResolveUpdate::Kind, uint64_t>> updates;
  std::promise<void> finished;
  fixture.resolver.resolve(fixture.name, {}, [&](const ResolveUpdate& update) {
    if (update.kind == ResolveUpdate::Kind::finished) return finished.set_value();
    std::lock_guard lock(mutex);
    updates.emplace_back(update.kind, sequence_of(update.report));
  });
  finished.get_future().wait();
  using Kind = ResolveUpdate::Kind;
  CHECK(updates == std::vector<std::pair<Kind, uint64_t>>{{Kind::record, 7}, {Kind::record, 8}});
}

TEST_CASE("a record for another name, a broken one and a web page are never an answer (R20)") {
  const auto other = create_record(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 8)),
                                   {.value = "/ipfs/bafkqaaa",
                                    .sequence = {99},
                                    .eol = Eol::after(system_now().wall, std::chrono::hours(1))});
  ScriptedHttpServer liar(gateway_with(as_record(std::string(as_text(other->bytes())))));
  ScriptedHttpServer broken(gateway_with(as_record("garbage")));
  ScriptedHttpServer page(
      gateway_with({.headers = {{"Content-Type", "text/html"}}, .body = "<html>"}));
  ScriptedHttpServer huge(gateway_with(as_record(std::string(20'000, 'x'))));
  ScriptedHttpServer honest(gateway_with(as_record(record(2))));
  Fixture fixture(
      {{liar.url(), 1}, {broken.url(), 1}, {page.url(), 1}, {huge.url(), 1}, {honest.url(), 1}});
  const auto report = fixture.resolver.resolve_now(fixture.name, {}, Seconds(5));
  REQUIRE(report);
  CHECK(sequence_of(*report) == 2);
}

TEST_CASE("that a source answered with what is no record of the name is told (F6)") {
  const std::string good = record(2);
  std::string altered = good;
  altered[altered.size() - 3] ^= 1;
  for (const std::string& body : {altered, good.substr(0, 50), std::string("garbage")}) {
    ScriptedHttpServer liar(gateway_with(as_record(body)));
    Fixture fixture({{liar.url(), 1}});
    const auto report = fixture.resolver.resolve_now(fixture.name, {}, Seconds(60));
    REQUIRE(report);
    CHECK_FALSE(report->best);
    REQUIRE(report->sources.size() == 1);
    CHECK_FALSE(report->sources[0].refused.empty());
  }
}

TEST_CASE("a source that asks for a moment's patience is asked again while there is time (F15)") {
  std::atomic<int> asked{0};
  ScriptedHttpServer busy([&](const ScriptedRequest& request) -> ScriptedAnswer {
    if (request.target.find("?format=ipns-record") == std::string::npos) return nothing();
    if (++asked <= 2) return {.status = 429, .headers = {{"Retry-After", "1"}}};
    return as_record(record(7));
  });
  ResolverOptions patient;
  patient.race.answer_by = Seconds(60);
  patient.race.listen = Seconds(60);
  Fixture fixture({{busy.url(), 1}}, patient);
  const auto report = fixture.resolver.resolve_now(fixture.name, {}, Seconds(60));
  REQUIRE(report);
  REQUIRE(report->best);
  CHECK(sequence_of(*report) == 7);
  CHECK(asked == 3);
}

TEST_CASE("patience beyond the race, or asked for over and over, is not waited for (F15)") {
  for (const char* patience : {"3600", "1"}) {
    std::atomic<int> asked{0};
    ScriptedHttpServer closed([&](const ScriptedRequest& request) -> ScriptedAnswer {
      if (request.target.find("?format=ipns-record") == std::string::npos) return nothing();
      ++asked;
      return {.status = 503, .headers = {{"Retry-After", patience}}};
    });
    ResolverOptions options;
    options.race.answer_by = Seconds(60);
    options.race.listen = Seconds(60);
    Fixture fixture({{closed.url(), 1}}, options);
    const auto report = fixture.resolver.resolve_now(fixture.name, {}, Seconds(120));
    REQUIRE(report);
    CHECK_FALSE(report->best);
    CHECK_FALSE(report->cut);
    CHECK(asked == (std::string_view(patience) == "1" ? 4 : 1));
  }
}

TEST_CASE("an expired record is told as such, not as \"not found\" (R22)") {
  ScriptedHttpServer server(gateway_with(as_record(record(5, -std::chrono::hours(1)))));
  Fixture fixture({{server.url(), 1}});
  std::promise<ResolveUpdate> finished;
  fixture.resolver.resolve(fixture.name, {}, [&](const ResolveUpdate& update) {
    if (update.kind == ResolveUpdate::Kind::finished) finished.set_value(update);
  });
  const ResolveUpdate last = finished.get_future().get();
  CHECK_FALSE(last.report.best);
  REQUIRE(last.expired);
  CHECK(last.expired->fields().sequence.value == 5);
  CHECK(last.report.sources.at(0).answer == "expired record");
}

TEST_CASE("Kubo's RPC is asked where it answers, older nodes by routing/get (S1-18)") {
  const std::string bytes = record(6);
  ScriptedHttpServer node([&](const ScriptedRequest& request) {
    if (request.target == "/api/v0/version")
      return ScriptedAnswer{.body = R"({"Version":"0.30.0"})"};
    if (request.target.find("/api/v0/routing/get") == 0) {
      const auto line = R"({"Extra":")" + to_base64(as_bytes(bytes)) + R"(","Type":5})";
      return ScriptedAnswer{.body = line};
    }
    return ScriptedAnswer{
        .status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "404 page not found"};
  });
  Fixture fixture({{node.url(), 1}});
  const auto report = fixture.resolver.resolve_now(fixture.name, {}, Seconds(5));
  REQUIRE(report);
  REQUIRE(report->best);
  CHECK(sequence_of(*report) == 6);
  CHECK(node.count("/api/v0/name/get") == 1);
}

TEST_CASE(
    "an RPC that fails is told, though the node answers 404 wherever else it is asked (S0-45)") {
  ScriptedHttpServer node([](const ScriptedRequest& request) {
    if (request.target.find("/api/v0/name/get") == 0) {
      return ScriptedAnswer{
          .status = 500,
          .headers = {{"Content-Type", "application/json"}},
          .body = R"({"Message":"context deadline exceeded","Code":0,"Type":"error"})"};
    }
    return nothing();
  });
  Fixture fixture({{node.url(), 1}});
  const auto report = fixture.resolver.resolve_now(fixture.name, {}, Seconds(60));
  REQUIRE(report);
  REQUIRE(report->sources.size() == 1);
  CHECK(report->sources[0].answer == "error: context deadline exceeded");
}

TEST_CASE(
    "a background poll asks one source in rotation, conditionally, and races when that one fails") {
  std::atomic<uint64_t> sequence{1};
  const std::vector<std::string> records = {"", record(1), record(2), record(3)};
  const auto script = [&](const ScriptedRequest& request) {
    if (request.target == "/ipfs/bafkqaaa?format=raw") {
      return ScriptedAnswer{.headers = {{"Content-Type", "application/vnd.ipld.raw"}}};
    }
    if (request.target.find("ipns-record") == std::string::npos) return nothing();
    const std::string tag = "\"" + std::to_string(sequence) + "\"";
    const auto match = request.headers.find("if-none-match");
    if (match != request.headers.end() && match->second == tag)
      return ScriptedAnswer{.status = 304};
    auto answer = as_record(records[sequence]);
    answer.headers[1].second = tag;
    return answer;
  };
  auto first = std::make_unique<ScriptedHttpServer>(script);
  ScriptedHttpServer second(script);
  Fixture fixture({{first->url(), 1}, {second.url(), 1}});
  const auto poll = [&] {
    auto last = std::make_shared<std::promise<ResolveUpdate>>();
    auto future = last->get_future();
    fixture.resolver.poll(fixture.name, [last](const ResolveUpdate& update) {
      if (update.kind == ResolveUpdate::Kind::finished) last->set_value(update);
    });
    return future.get();
  };
  const auto asked = [&] { return first->count("ipns-record") + second.count("ipns-record"); };
  CHECK(poll().report.best);  // first contact: both
  CHECK(asked() == 2);
  while (!fixture.book.dialects(0) || !fixture.book.dialects(1)) std::this_thread::yield();
  CHECK(poll().unchanged);
  CHECK(poll().unchanged);
  CHECK(first->count("ipns-record") == 2);
  CHECK(second.count("ipns-record") == 2);
  sequence = 2;
  CHECK(sequence_of(poll().report) == 2);
  CHECK(asked() == 5);
  first->stop();
  sequence = 3;
  CHECK(sequence_of(poll().report) == 3);
  CHECK(sequence_of(poll().report) == 3);
}

TEST_CASE("closing ends every resolution with a last word (S1-20)") {
  ScriptedHttpServer hanging(
      [](const ScriptedRequest&) { return ScriptedAnswer{.delay = Seconds(60)}; });
  Fixture fixture({{hanging.url(), 1}});
  std::atomic<int> finished{0};
  for (int i = 0; i < 20; ++i) {
    fixture.resolver.resolve(fixture.name, {}, [&](const ResolveUpdate& update) {
      if (update.kind == ResolveUpdate::Kind::finished) ++finished;
    });
  }
  fixture.resolver.close();
  CHECK(finished == 20);
}
