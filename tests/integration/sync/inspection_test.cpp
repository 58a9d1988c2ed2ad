// What `gateway probe` finds out about our own node, and about gateways that are at fault.
#include <thread>

#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/inspection/verdict.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_gateway.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::inspection;
using ipnscast::test::BlockTable;
using ipnscast::test::gateway_script;
using ipnscast::test::ScriptedAnswer;
using ipnscast::test::ScriptedHttpServer;
using ipnscast::test::ScriptedRequest;

namespace {

using Answer = Finding::Answer;

struct Http {
  std::unique_ptr<gateway::HttpClient> client = std::move(*gateway::HttpClient::open());
  Report inspect(const std::string& url, const Options& options = {}) {
    return sync::inspection::inspect(*client, {url, {}}, options);
  }
};

bool verified(const Report& report, Feature feature) {
  INFO(to_string(feature) << ": " << report.finding(feature).words);
  CHECK(report.finding(feature).answer == Answer::yes);
  return report.finding(feature).verified;
}

}  // namespace

TEST_CASE("everything that our own node does is found, and verified with what was written there") {
  const auto loop = *nostr::net::Loop::start();
  const auto node = *bridge::Node::start(*loop, {.gateway_port = 0, .rpc_port = 0});
  Http http;
  const Sample sample = make_sample(system_now().wall);
  const Writing rpc = write(*http.client, {node->rpc_url(), {}}, sample, {.timeout = Seconds(5)});
  CHECK(rpc.stored);
  CHECK(rpc.findings.at(Feature::rpc_import).answer == Answer::yes);
  CHECK(rpc.findings.at(Feature::rpc_put).answer == Answer::yes);
  const Writing routed =
      write(*http.client, {node->gateway_url(), {}}, sample, {.timeout = Seconds(5)});
  CHECK(routed.findings.at(Feature::routing_put).answer == Answer::yes);

  const Report report = http.inspect(node->gateway_url(), {.sample = &sample});
  for (const Feature feature :
       {Feature::raw, Feature::car, Feature::partial_car, Feature::ipns_record, Feature::routing})
    CHECK(verified(report, feature));
  for (const Feature feature : {Feature::etag, Feature::record_etag})
    CHECK(report.finding(feature).answer == Answer::yes);
  CHECK(report.finding(Feature::rpc).answer == Answer::no);
  CHECK(report.connect.count() > 0);
  CHECK(report.requests <= 16);
  const Verdict verdict = judge(report);
  CHECK(verdict.fit);
  CHECK(verdict.score >= 90);

  const Report other = http.inspect(node->rpc_url(), {.sample = &sample});
  CHECK(verified(other, Feature::rpc_block));
  CHECK_FALSE(other.rpc_version.empty());
  CHECK(judge(other).fit);
}

TEST_CASE("a HEAD for what our node would say something about leaves the connection fit for more") {
  const auto loop = *nostr::net::Loop::start();
  const auto node = *bridge::Node::start(*loop, {.gateway_port = 0, .rpc_port = 0});
  Http http;
  for (int i = 0; i < 3; ++i) {
    for (const std::string& path :
         {"/ipfs/" + nobodys_cid().to_string(), std::string("/nothing")}) {
      const auto head = http.client->fetch(
          {.method = "HEAD", .url = node->gateway_url() + path, .deadline = Seconds(20)});
      REQUIRE(head);
      CHECK(head->head.status >= 400);
    }
  }
}

TEST_CASE("a gateway whose bytes are not what they claim to be is told a liar (R20)") {
  BlockTable table;
  const Cid root = table.add_tree(2, 100, 1);
  ScriptedHttpServer server(
      gateway_script(table, [](const ScriptedRequest& request, ScriptedAnswer& answer) {
        if (request.target.find("format=raw") != std::string::npos && !answer.body.empty())
          answer.body.back() ^= 1;
      }));
  Http http;
  const Report report = http.inspect(server.url(), {.content = root});
  CHECK(report.finding(Feature::raw).lied);
  CHECK(report.finding(Feature::car).verified);
  CHECK_FALSE(judge(report).fit);
}

TEST_CASE("a web site, a gateway of plain files and one that is not there are unfit") {
  ScriptedHttpServer site([](const ScriptedRequest&) {
    return ScriptedAnswer{.headers = {{"Content-Type", "text/html"}}, .body = "<html>"};
  });
  ScriptedHttpServer plain([](const ScriptedRequest& request) -> ScriptedAnswer {
    const size_t end = std::min(request.target.find('?'), request.target.size());
    const auto cid = Cid::parse(request.target.substr(std::min<size_t>(6, end), end - 6));
    if (!cid || !cid->is_identity()) return {.status = 404, .body = "none"};
    return {.headers = {{"Content-Type", "text/plain"}},
            .body = std::string(as_text(cid->hash.digest))};
  });
  std::string gone;
  {
    ScriptedHttpServer stopped([](const ScriptedRequest&) { return ScriptedAnswer{}; });
    gone = stopped.url();
  }
  Http http;
  const Report of_site = http.inspect(site.url());
  CHECK_FALSE(judge(of_site).fit);
  CHECK(of_site.requests <= 6);
  const Report of_plain = http.inspect(plain.url());
  CHECK(of_plain.finding(Feature::path).answer == Answer::yes);
  CHECK_FALSE(judge(of_plain).fit);
  const Report of_gone = http.inspect(gone);
  CHECK(of_gone.unreachable);
  CHECK(of_gone.requests == 1);
}

TEST_CASE("an RPC that wants authorization says so, and one request hangs no longer than allowed") {
  ScriptedHttpServer closed([](const ScriptedRequest& request) -> ScriptedAnswer {
    if (request.target.rfind("/api/", 0) == 0) return {.status = 403};
    if (request.target.find("bafkqaaa") != std::string::npos)
      return {
          .status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "404 page not found"};
    return {.delay = std::chrono::hours(1)};
  });
  Http http;
  const Report report = http.inspect(closed.url(), {.timeout = Milliseconds(200)});
  CHECK(report.finding(Feature::rpc).answer == Answer::unclear);
  CHECK(report.finding(Feature::rpc).words == "wants authorization");
  CHECK(report.finding(Feature::path).answer == Answer::unclear);
}

TEST_CASE("an inspection that is asked to stop ends beside a gateway that does not answer") {
  ScriptedHttpServer mute(
      [](const ScriptedRequest&) { return ScriptedAnswer{.delay = std::chrono::hours(1)}; });
  Http http;
  std::stop_source stop;
  std::thread stopper([&] {
    while (mute.count("/ipfs/") == 0) std::this_thread::sleep_for(Milliseconds(5));
    stop.request_stop();
  });
  const Report report =
      http.inspect(mute.url(), {.timeout = Milliseconds(600'000), .stop = stop.get_token()});
  stopper.join();
  CHECK(report.requests == 1);
}
