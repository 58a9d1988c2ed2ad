#include <future>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/tests/integration/sync/fetch_fixture.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

TEST_CASE("a DAG arrives whole in one stream, and a second fetch asks nobody (S0-04, S1-15)") {
  BlockTable table;
  const Cid root = table.add_tree(10, 5'000, 1);
  ScriptedHttpServer server(gateway_script(table));
  Fixture fixture({server.url()});
  const auto report = fixture.fetcher.fetch_now(root, kPatient);
  REQUIRE(report);
  CHECK(report->blocks == 111);
  CHECK(fixture.whole(root));
  CHECK(server.requests().size() == 1);
  const auto again = fixture.fetcher.fetch_now(root, kPatient);
  REQUIRE(again);
  CHECK(again->blocks == 0);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a stream that is larger than all buffers flows through with pauses") {
  BlockTable table;
  const Cid root = table.add_tree(8, 200'000, 1);
  ScriptedHttpServer server(gateway_script(table));
  Fixture fixture({server.url()});
  const auto report = fixture.fetcher.fetch_now(root, {.stall = Milliseconds(2'000)});
  REQUIRE(report);
  CHECK(report->bytes > 64u * 200'000u);
  CHECK(fixture.whole(root));
}

TEST_CASE("a 200 with a hole in it is noticed, and the hole is filled from another gateway (R20)") {
  BlockTable whole;
  const Cid root = whole.add_tree(6, 1'000, 2);
  BlockTable holed = whole;
  for (const auto& [cid, block] : whole.blocks()) {
    if (block.find("2/3/") == 0) holed.remove(*Cid::parse(cid));
  }
  ScriptedHttpServer first(gateway_script(holed));
  ScriptedHttpServer second(gateway_script(whole));
  Fixture fixture({first.url(), second.url()});
  const auto report = fixture.fetcher.fetch_now(root, kPatient);
  REQUIRE(report);
  CHECK(fixture.whole(root));
  CHECK(report->blocks_by_gateway.at(second.url()) == 6);
  CHECK(second.requests().size() == 6);
}

TEST_CASE("a block that lies is refused, and its gateway is left alone at once (R20)") {
  BlockTable whole;
  const Cid root = whole.add_tree(4, 1'000, 3);
  BlockTable lying = whole;
  for (auto& [cid, block] : lying.blocks()) {
    if (block.find("3/2/1/") == 0) block[10] = '!';
  }
  ScriptedHttpServer liar(gateway_script(lying));
  ScriptedHttpServer honest(gateway_script(whole));
  Fixture fixture({liar.url(), honest.url()});
  REQUIRE(fixture.fetcher.fetch_now(root, kPatient));
  CHECK(fixture.whole(root));
  CHECK(fixture.book.left_alone(0, std::chrono::steady_clock::now()));
  CHECK_FALSE(fixture.book.left_alone(1, std::chrono::steady_clock::now()));
}

TEST_CASE("a stream that stalls or is cut is continued elsewhere without starting over (R21)") {
  for (const bool stall : {true, false}) {
    BlockTable table;
    const Cid root = table.add_tree(8, 2'000, 4);
    ScriptedHttpServer failing(
        gateway_script(table, [&](const ScriptedRequest& request, ScriptedAnswer& answer) {
          if (!is_car(request)) return;
          if (stall)
            answer.stall_after = answer.body.size() / 2;
          else
            answer.cut_after = answer.body.size() / 2;
        }));
    ScriptedHttpServer second(gateway_script(table));
    Fixture fixture({failing.url(), second.url()});
    const auto report = fixture.fetcher.fetch_now(root, kShort);
    REQUIRE(report);
    CHECK(fixture.whole(root));
    CHECK(report->blocks == 73);
    CHECK(report->blocks_by_gateway.at(failing.url()) > 20);
    CHECK(report->blocks_by_gateway.at(second.url()) > 20);
  }
}

TEST_CASE("a stream that goes quiet gets company long before its stall time (S1-20, R21)") {
  BlockTable table;
  const Cid root = table.add_tree(8, 2'000, 14);
  const auto stalls = gateway_script(table, [](const ScriptedRequest&, ScriptedAnswer& answer) {
    answer.stall_after = answer.body.size() / 2;
  });
  ScriptedHttpServer quiet[] = {ScriptedHttpServer(stalls), ScriptedHttpServer(stalls),
                                ScriptedHttpServer(stalls), ScriptedHttpServer(stalls)};
  ScriptedHttpServer honest(gateway_script(table));
  Fixture fixture({quiet[0].url(), quiet[1].url(), quiet[2].url(), quiet[3].url(), honest.url()});
  REQUIRE(fixture.fetcher.fetch_now(
      root, {.deadline = Milliseconds(20'000), .stall = Milliseconds(60'000)}));
  CHECK(fixture.whole(root));
}

TEST_CASE("of a long stream that goes quiet only what is missing is asked for elsewhere (R21)") {
  BlockTable table;
  const Cid root = table.add_tree(8, 40'000, 15);
  ScriptedHttpServer quiet(
      gateway_script(table, [](const ScriptedRequest&, ScriptedAnswer& answer) {
        answer.stall_after = answer.body.size() * 3 / 4;
      }));
  ScriptedHttpServer honest(gateway_script(table));
  Fixture fixture({quiet.url(), honest.url()});
  const auto report = fixture.fetcher.fetch_now(
      root, {.deadline = Milliseconds(20'000), .stall = Milliseconds(60'000)});
  REQUIRE(report);
  CHECK(fixture.whole(root));
  CHECK(report->blocks == 73);
  CHECK(report->blocks_by_gateway.at(quiet.url()) > 50);
  for (const auto& request : honest.requests())
    CHECK(request.target.find(root.to_string()) == std::string::npos);
}

TEST_CASE("a gateway that is slow to begin gets company after the hedge delay") {
  BlockTable table;
  const Cid root = table.add_tree(3, 1'000, 5);
  ScriptedHttpServer slow(gateway_script(table, [](const ScriptedRequest&, ScriptedAnswer& answer) {
    answer.delay = std::chrono::hours(1);
  }));
  ScriptedHttpServer fast(gateway_script(table));
  Fixture fixture({slow.url(), fast.url()});
  REQUIRE(fixture.fetcher.fetch_now(root, {.hedge = Milliseconds(50)}));
  CHECK(fixture.whole(root));
}

TEST_CASE("a gateway that is slow is not asked a second time beside itself, in another dialect") {
  BlockTable table;
  const Cid root = table.add_tree(3, 1'000, 5);
  ScriptedHttpServer slow(gateway_script(table, [](const ScriptedRequest&, ScriptedAnswer& answer) {
    answer.delay = Milliseconds(500);
  }));
  Fixture fixture({slow.url()});
  FetchOptions options = kPatient;
  options.hedge = Milliseconds(50);
  REQUIRE(fixture.fetcher.fetch_now(root, options));
  CHECK(slow.requests().size() == 1);
  CHECK(fixture.whole(root));
}

TEST_CASE("of a new version that shares blocks only the new ones are asked for (S2-13)") {
  BlockTable table;
  std::vector<Cid> nodes;
  for (int i = 0; i < 20; ++i)
    nodes.push_back(table.add_node({table.add_raw("file " + std::to_string(i))}));
  const Cid old_root = table.add_node(nodes);
  nodes[7] = table.add_node({table.add_raw("file 7, new"), table.add_raw("more")});
  const Cid new_root = table.add_node(nodes);
  ScriptedHttpServer server(gateway_script(table));
  Fixture fixture({server.url()});
  REQUIRE(fixture.fetcher.fetch_now(old_root, kPatient));
  FetchOptions options = kPatient;
  options.shares = true;
  const auto report = fixture.fetcher.fetch_now(new_root, options);
  REQUIRE(report);
  CHECK(report->blocks == 4);
  CHECK(fixture.whole(new_root));
  const auto requests = server.requests();
  CHECK(requests.size() == 5);  // the first version; root, node, two leaves
  for (size_t i = 1; i < requests.size(); ++i) CHECK_FALSE(is_car(requests[i]));
}

TEST_CASE(
    "a DAG of which nothing is known comes as one stream, although much else is in the cache") {
  BlockTable table;
  const Cid known = table.add_tree(2, 100, 1);
  const Cid root = table.add_tree(12, 100, 2);
  ScriptedHttpServer server(gateway_script(table));
  Fixture fixture({server.url()});
  REQUIRE(fixture.fetcher.fetch_now(known, kPatient));
  FetchOptions options = kPatient;
  options.shares = true;
  std::set<std::string> told;
  options.on_block = [&](std::string_view key) { told.emplace(key); };
  const auto report = fixture.fetcher.fetch_now(root, options);
  REQUIRE(report);
  CHECK(report->blocks == 1 + 12 + 144);
  CHECK(told.size() == report->blocks);
  CHECK(fixture.whole(root));
  const auto requests = server.requests();
  REQUIRE(requests.size() == 3);
  CHECK_FALSE(is_car(requests[1]));
  CHECK(is_car(requests[2]));
}

TEST_CASE("what a stream below a known node leaves out is asked for again") {
  BlockTable table;
  const Cid root = table.add_tree(5, 100, 3);
  ScriptedHttpServer server(
      gateway_script(table, [&](const ScriptedRequest& request, ScriptedAnswer& answer) {
        if (is_car(request)) answer.body.resize(answer.body.size() / 2);
      }));
  ScriptedHttpServer no_car(
      gateway_script(table, [](const ScriptedRequest& request, ScriptedAnswer& answer) {
        if (is_car(request)) answer = {.status = 406, .body = "no CAR here"};
      }));
  Fixture fixture({server.url(), no_car.url()});
  FetchOptions options = kPatient;
  options.shares = true;
  REQUIRE(fixture.fetcher.fetch_now(root, options));
  CHECK(fixture.whole(root));
}

TEST_CASE(
    "a gateway that knows no CAR is asked block by block, and one that sends a web page is passed "
    "over (R20)") {
  BlockTable table;
  const Cid root = table.add_tree(4, 500, 6);
  ScriptedHttpServer raw_only(
      gateway_script(table, [](const ScriptedRequest& request, ScriptedAnswer& answer) {
        if (is_car(request)) answer = {.status = 406, .body = "no CAR here"};
      }));
  ScriptedHttpServer page([](const ScriptedRequest&) {
    return ScriptedAnswer{.headers = {{"Content-Type", "text/html"}}, .body = "<html>"};
  });
  Fixture fixture({page.url(), raw_only.url()});
  REQUIRE(fixture.fetcher.fetch_now(root, kPatient));
  CHECK(fixture.whole(root));
}

TEST_CASE("a stream in another order than was asked for is taken as well") {
  BlockTable table;
  const Cid root = table.add_tree(5, 500, 7);
  ScriptedHttpServer server(
      gateway_script(table, [&](const ScriptedRequest& request, ScriptedAnswer& answer) {
        if (is_car(request)) answer.body = table.car(root, true);
      }));
  Fixture fixture({server.url()});
  REQUIRE(fixture.fetcher.fetch_now(root, kPatient));
  CHECK(fixture.whole(root));
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a stream of sections that can carry nothing ends with its first piece") {
  BlockTable table;
  const Cid root = table.add_tree(5, 500, 12);
  ScriptedHttpServer hostile(
      gateway_script(table, [&](const ScriptedRequest& request, ScriptedAnswer& answer) {
        if (!is_car(request)) return;
        const std::string all = answer.body;
        answer.body.resize(static_cast<size_t>(all[0]) + 1);    // the header
        const std::string section("\x05\x01\x55\x70\x00x", 6);  // of a hash that has no bytes
        for (int i = 0; i < 1'000'000; ++i) answer.body += section;
        answer.body += all.substr(static_cast<size_t>(all[0]) + 1);
      }));
  ScriptedHttpServer honest(gateway_script(table));
  Fixture fixture({hostile.url(), honest.url()});
  FetchOptions options = kPatient;
  const auto report = fixture.fetcher.fetch_now(root, options);
  REQUIRE(report);
  CHECK(fixture.whole(root));
  CHECK(report->blocks_by_gateway.count(hostile.url()) == 0);
}

TEST_CASE(
    "content that nobody has is told as not found, content that is too large as that, silence as a "
    "timeout") {
  BlockTable table;
  const Cid root = table.add_tree(5, 5'000, 8);
  ScriptedHttpServer server(gateway_script(table));
  ScriptedHttpServer silent(
      [](const ScriptedRequest&) { return ScriptedAnswer{.delay = std::chrono::hours(1)}; });
  Fixture fixture({server.url()});
  BlockTable other;
  CHECK(fixture.fetcher.fetch_now(other.add_raw("elsewhere"), kPatient).error().code ==
        Errc::not_found);
  FetchOptions small = kPatient;
  small.max_bytes = 50'000;
  CHECK(fixture.fetcher.fetch_now(root, small).error().code == Errc::too_large);
  Fixture waiting({silent.url()});
  CHECK(waiting.fetcher.fetch_now(root, {.deadline = Milliseconds(400)}).error().code ==
        Errc::timeout);
}

TEST_CASE("a node that speaks nothing but Kubo's RPC is fetched from by its own commands") {
  BlockTable table;
  const Cid root = table.add_tree(3, 500, 9);
  ScriptedHttpServer node([&](const ScriptedRequest& request) {
    const size_t arg = request.target.find("arg=");
    const std::string cid = arg == std::string::npos ? "" : request.target.substr(arg + 4, 59);
    if (request.method == "POST" && request.target.find("/api/v0/dag/export") == 0 &&
        table.find(cid) != nullptr) {
      return ScriptedAnswer{.body = table.car(*Cid::parse(cid))};
    }
    return ScriptedAnswer{
        .status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "404 page not found"};
  });
  Fixture fixture({node.url()});
  REQUIRE(fixture.fetcher.fetch_now(root, kPatient));
  CHECK(fixture.whole(root));
}

TEST_CASE("a gateway that asks for a moment's patience is asked again after it, and as a stream") {
  BlockTable table;
  const Cid root = table.add_tree(4, 300, 3);
  std::atomic<int> refusals{1};
  std::atomic<int> streams{0};
  ScriptedHttpServer busy(gateway_script(table, [&](const ScriptedRequest& request, auto& answer) {
    if (is_car(request)) ++streams;
    if (refusals.fetch_sub(1) > 0)
      answer = {.status = 429, .headers = {{"Retry-After", "1"}}, .body = "later"};
  }));
  ScriptedHttpServer empty([](const ScriptedRequest&) { return ScriptedAnswer{.status = 404}; });
  Fixture fixture({busy.url(), empty.url()});
  REQUIRE(fixture.fetcher.fetch_now(root, kPatient));
  CHECK(fixture.whole(root));
  CHECK(streams == 2);
}

TEST_CASE("patience that reaches beyond the deadline ends a fetch at once") {
  ScriptedHttpServer busy([](const ScriptedRequest&) {
    return ScriptedAnswer{.status = 429, .headers = {{"Retry-After", "3000"}}};
  });
  Fixture fixture({busy.url()});
  BlockTable table;
  const auto fetched = fixture.fetcher.fetch_now(table.add_raw("x"), kPatient);
  REQUIRE_FALSE(fetched);
  CHECK(fetched.error().code == Errc::busy);
}

TEST_CASE("content that nobody has is not found, whatever dialects they lack") {
  ScriptedHttpServer gateway([](const ScriptedRequest& request) {
    return ScriptedAnswer{.status = request.method == "POST" ? 405 : 404};
  });
  Fixture fixture({gateway.url()});
  BlockTable table;
  const auto fetched = fixture.fetcher.fetch_now(table.add_raw("x"), kPatient);
  REQUIRE_FALSE(fetched);
  CHECK(fetched.error().code == Errc::not_found);
}

TEST_CASE("a fetch can be cancelled, and closing ends those that run and those that wait") {
  BlockTable table;
  const Cid root = table.add_raw("x");
  ScriptedHttpServer silent(
      [](const ScriptedRequest&) { return ScriptedAnswer{.delay = Seconds(60)}; });
  Fixture fixture({silent.url()});
  std::promise<Errc> cancelled;
  const FetchId id = fixture.fetcher.fetch(
      root, {}, [&](Result<FetchReport> result) { cancelled.set_value(result.error().code); });
  fixture.fetcher.cancel(id);
  CHECK(cancelled.get_future().get() == Errc::cancelled);
  std::vector<std::promise<Errc>> ends(5);
  for (auto& end : ends) {
    fixture.fetcher.fetch(
        root, {}, [&end](Result<FetchReport> result) { end.set_value(result.error().code); });
  }
  fixture.fetcher.close();
  for (auto& end : ends) CHECK(end.get_future().get() == Errc::closed);
}

TEST_CASE("in random trials with failing gateways the DAG arrives whole as long as one is honest") {
  const auto seed = make_rng()();
  INFO("seed " << seed);
  Rng rng(seed);
  BlockTable table;
  const Cid root = table.add_tree(6, 3'000, 10);
  const FetchOptions options{.deadline = Milliseconds(60'000), .stall = Milliseconds(3'000)};
  for (int trial = 0; trial < 12; ++trial) {
    std::vector<std::unique_ptr<ScriptedHttpServer>> servers;
    std::vector<std::string> urls;
    const size_t honest = rng() % 3;
    for (size_t i = 0; i < 3; ++i) {
      const uint64_t fault = i == honest ? 0 : 1 + rng() % 5;
      const size_t where = rng() % 100;
      servers.push_back(std::make_unique<ScriptedHttpServer>(
          gateway_script(table, [fault, where](const ScriptedRequest&, ScriptedAnswer& answer) {
            const size_t at = answer.body.size() * where / 100;
            if (fault == 1) answer.cut_after = at;
            if (fault == 2) answer.stall_after = at;
            if (fault == 3 && at < answer.body.size()) answer.body[at] ^= 1;
            if (fault == 4) answer.body.resize(at);
            if (fault == 5) answer = {.status = 500};
          })));
      urls.push_back(servers.back()->url());
    }
    Fixture fixture(urls);
    const auto report = fixture.fetcher.fetch_now(root, options);
    INFO("trial " << trial << ": " << (report ? "fetched" : report.error().message));
    REQUIRE(report);
    REQUIRE(fixture.whole(root));
  }
}
