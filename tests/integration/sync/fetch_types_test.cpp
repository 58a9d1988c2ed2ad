// Fetching from gateways whose headers call their answers something else than what they are.
#include "ipnscast/tests/integration/sync/fetch_fixture.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

TEST_CASE("what bytes prove counts, not what a header calls them (F12)") {
  for (const bool streams : {true, false}) {
    for (const char* type :
         {"application/octet-stream", "text/html", "text/plain; charset=utf-8", ""}) {
      INFO(type << (streams ? " as a stream" : " block by block"));
      BlockTable table;
      const Cid root = table.add_tree(3, 1'000, 5);
      ScriptedHttpServer server(
          gateway_script(table, [&](const ScriptedRequest& request, ScriptedAnswer& answer) {
            if (is_car(request) && !streams) answer = {.status = 406};
            answer.headers.clear();
            if (*type != 0) answer.headers.emplace_back("Content-Type", type);
          }));
      Fixture fixture({server.url()});
      REQUIRE(fixture.fetcher.fetch_now(root, kPatient));
      CHECK(fixture.whole(root));
      CHECK_FALSE(fixture.book.left_alone(0, std::chrono::steady_clock::now()));
    }
  }
}

TEST_CASE("whoever sends a page where a block was asked for has not lied (F12, R20)") {
  BlockTable table;
  const Cid root = table.add_tree(3, 1'000, 5);
  ScriptedHttpServer site([](const ScriptedRequest&) {
    return ScriptedAnswer{.headers = {{"Content-Type", "text/html"}}, .body = "<html>log in"};
  });
  ScriptedHttpServer honest(gateway_script(table));
  Fixture fixture({site.url(), honest.url()});
  REQUIRE(fixture.fetcher.fetch_now(root, kPatient));
  CHECK(fixture.whole(root));
  CHECK(fixture.book.memories(system_now()).at(0).lies == 0);
}
