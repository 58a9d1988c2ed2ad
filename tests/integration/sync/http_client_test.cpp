#include "ipnscast/sync/gateway/http_client.h"

#include <zlib.h>

#include <atomic>
#include <ctime>
#include <future>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"

using namespace ipnscast;
using namespace ipnscast::sync::gateway;
using ipnscast::test::ScriptedAnswer;
using ipnscast::test::ScriptedHttpServer;
using ipnscast::test::ScriptedRequest;

namespace {

// In the form of gzip, or of zlib, which HTTP calls deflate.
std::string compressed(const std::string& text, bool zlib) {
  z_stream stream{};
  std::string out(text.size() + 100, '\0');
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, zlib ? 15 : 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::unique_ptr<HttpClient> client() { return std::move(*HttpClient::open()); }

}  // namespace

TEST_CASE("an answer comes whole, with its status and its headers in lower case") {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    return ScriptedAnswer{
        .status = 404, .headers = {{"X-Seen", request.headers.at("accept")}}, .body = "none"};
  });
  const auto answer =
      client()->fetch({.url = server.url() + "/a?b=c", .headers = {{"Accept", "x/y"}}});
  REQUIRE(answer);
  CHECK(answer->head.status == 404);
  CHECK(answer->head.header("x-seen") == "x/y");
  CHECK(as_text(answer->body) == "none");
  CHECK(server.requests().at(0).target == "/a?b=c");
}

TEST_CASE("a host that others named is only reached at a public address") {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.body = "in"}; });
  const std::string port = server.url().substr(server.url().rfind(':'));
  auto http = client();
  REQUIRE(http->fetch({.url = server.url()}));  // a connection that stays open
  const size_t before = server.connections();
  for (const std::string host : {"127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"}) {
    INFO(host);
    const auto answer = http->fetch({.url = "http://" + host + port, .named_by = NamedBy::others});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::refused);
  }
  CHECK(server.connections() == before);
}

TEST_CASE("an .onion name is refused before anybody is asked for it, behind a redirect too") {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{.status = 302, .headers = {{"Location", "http://Example.Onion/x"}}};
  });
  auto http = client();
  for (const std::string& url : {std::string("http://example.onion/"),
                                 std::string("https://a.b.ONION.:8080/x"), server.url()}) {
    INFO(url);
    const auto answer = http->fetch({.url = url});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::refused);
    CHECK(answer.error().message.find(".onion") != std::string::npos);
  }
}

TEST_CASE("Retry-After is read as seconds and as a date") {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    const bool date = request.target == "/date";
    const time_t then = time(nullptr) + 90;
    tm parts{};
    gmtime_r(&then, &parts);
    char text[64];
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return ScriptedAnswer{.status = 429, .headers = {{"Retry-After", date ? text : "120"}}};
  });
  auto http = client();
  const auto seconds = http->fetch({.url = server.url() + "/seconds"});
  REQUIRE(seconds);
  CHECK(seconds->head.retry_after == Seconds(120));
  const auto date = http->fetch({.url = server.url() + "/date"});
  REQUIRE(date);
  CHECK(date->head.retry_after > Seconds(80));
  CHECK(date->head.retry_after <= Seconds(90));
}

TEST_CASE("a body is sent by POST and PUT as it is, without waiting for a 100") {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.body = "ok"}; });
  auto http = client();
  const auto body = std::make_shared<const Bytes>(Bytes(3'000'000, 'z'));
  REQUIRE(http->fetch(
      {.method = "PUT", .url = server.url(), .headers = {{"Content-Type", "a/b"}}, .body = body}));
  REQUIRE(http->fetch({.method = "POST", .url = server.url()}));
  const auto requests = server.requests();
  CHECK(requests.at(0).method == "PUT");
  CHECK(requests.at(0).body.size() == body->size());
  CHECK(requests.at(0).headers.at("content-type") == "a/b");
  CHECK_FALSE(requests.at(0).headers.count("expect"));
  CHECK(requests.at(1).method == "POST");
  CHECK(requests.at(1).body.empty());
  CHECK(server.connections() == 1);
}

TEST_CASE("an answer that grows beyond its bound is cut off, announced or not") {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    ScriptedAnswer answer{.body = std::string(100'000, 'x')};
    if (request.target == "/chunked") answer.trailer = "X-A: b";
    return answer;
  });
  auto http = client();
  for (const char* path : {"/announced", "/chunked"}) {
    const auto answer = http->fetch({.url = server.url() + path, .max_bytes = 50'000});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::too_large);
  }
  CHECK(http->fetch({.url = server.url() + "/announced", .max_bytes = 100'000}));
}

TEST_CASE(
    "a gateway that sends nothing more is given up after the stall time, one that is slow is not") {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    ScriptedAnswer answer{.body = std::string(1000, 'x')};
    if (request.target == "/stall") answer.stall_after = 500;
    if (request.target == "/silent") answer.delay = std::chrono::hours(1);
    if (request.target == "/slow") {
      answer.slice = 100;
      answer.pause = Milliseconds(60);
    }
    return answer;
  });
  auto http = client();
  for (const char* path : {"/stall", "/silent"}) {
    // The deadline is no help here.
    const auto answer = http->fetch({.url = server.url() + path,
                                     .deadline = std::chrono::hours(1),
                                     .stall = Milliseconds(250)});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::timeout);
  }
  CHECK(http->fetch({.url = server.url() + "/slow", .stall = Milliseconds(250)}));
}

TEST_CASE("every call ends by its deadline, whatever the server does") {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{
        .body = std::string(1'000'000, 'x'), .slice = 10, .pause = Milliseconds(20)};
  });
  const auto answer = client()->fetch({.url = server.url(), .deadline = Milliseconds(300)});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Errc::timeout);
}

TEST_CASE("a cut answer and a stream error in the trailer are failures, not ends") {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    ScriptedAnswer answer{.body = std::string(1000, 'x')};
    if (request.target == "/cut") answer.cut_after = 500;
    if (request.target == "/trailer") answer.trailer = "X-Stream-Error: block not found";
    return answer;
  });
  auto http = client();
  CHECK(http->fetch({.url = server.url() + "/cut"}).error().code == Errc::unreachable);
  const auto trailer = http->fetch({.url = server.url() + "/trailer"});
  REQUIRE_FALSE(trailer);
  CHECK(trailer.error().message == "stream error: block not found");
}

TEST_CASE("a trailer that tells of no error is none (F1)") {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    return ScriptedAnswer{
        .body = "whole",
        .trailer = request.target == "/empty" ? "X-Stream-Error:" : "x-stream-error:   \t"};
  });
  auto http = client();
  for (const char* path : {"/empty", "/blank"}) {
    const auto answer = http->fetch({.url = server.url() + path});
    REQUIRE(answer);
    CHECK(as_text(answer->body) == "whole");
  }
}

TEST_CASE("what a proxy compresses unasked is decoded, and bounds count what comes out (F2)") {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    const bool zlib = request.target == "/deflate";
    ScriptedAnswer answer{
        .headers = {{"Content-Encoding", zlib                           ? "deflate"
                                         : request.target == "/unknown" ? "x-other"
                                         : request.target == "/plain"   ? "identity"
                                                                        : "gzip"}},
        .body = request.target == "/plain" ? std::string(5000, 'x')
                                           : compressed(std::string(5000, 'x'), zlib)};
    if (request.target == "/cut") answer.body.resize(answer.body.size() / 2);
    return answer;
  });
  auto http = client();
  for (const char* path : {"/gzip", "/deflate", "/plain"}) {
    INFO(path);
    const auto answer = http->fetch({.url = server.url() + path});
    REQUIRE(answer);
    CHECK(answer->body == Bytes(5000, 'x'));
  }
  CHECK(http->fetch({.url = server.url() + "/gzip", .max_bytes = 4999}).error().code ==
        Errc::too_large);
  CHECK_FALSE(http->fetch({.url = server.url() + "/unknown"}));
  CHECK(server.requests().front().headers.at("accept-encoding") == "identity");
}

TEST_CASE("redirects are followed five times, and never away from http") {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    if (request.target == "/end") return ScriptedAnswer{.body = "end"};
    const int n = request.target == "/file" ? 0 : std::stoi(request.target.substr(1));
    std::string to = n == 1 ? "/end" : "/" + std::to_string(n - 1);
    if (request.target == "/file") to = "file:///etc/hostname";
    return ScriptedAnswer{.status = 302, .headers = {{"Location", to}}, .body = "moved"};
  });
  auto http = client();
  const auto followed = http->fetch({.url = server.url() + "/5"});
  REQUIRE(followed);
  CHECK(as_text(followed->body) == "end");
  CHECK(followed->head.status == 200);
  CHECK(followed->head.url == server.url() + "/end");
  CHECK_FALSE(http->fetch({.url = server.url() + "/6"}));
  CHECK_FALSE(http->fetch({.url = server.url() + "/file"}));
  CHECK(http->fetch({.url = "file:///etc/hostname"}).error().code == Errc::invalid);
}

TEST_CASE("a header with a line break in it never leaves the machine") {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{}; });
  CHECK(client()->fetch({.url = server.url(), .headers = {{"A", "b\r\nC: d"}}}).error().code ==
        Errc::invalid);
  CHECK(server.requests().empty());
}

TEST_CASE("a reader that has no room pauses the transfer and loses no byte") {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{
        .body = std::string(2'000'000, 'x'), .slice = 200'000, .pause = Milliseconds(1)};
  });
  auto http = client();
  std::atomic<size_t> got{0};
  std::atomic<int> refused{0};
  std::promise<Status> done;
  std::atomic<bool> turn{false};
  const HttpId id =
      http->start({.url = server.url(), .stall = Milliseconds(200)},
                  {.chunk =
                       [&](ByteView bytes) {
                         if (!turn.exchange(false)) {
                           ++refused;
                           return false;
                         }
                         got += bytes.size();
                         return true;
                       },
                   .done = [&](Status status, const HttpTimings&) { done.set_value(status); }});
  auto ended = done.get_future();
  while (ended.wait_for(Milliseconds(1)) != std::future_status::ready) {
    turn = true;
    http->resume(id);
  }
  CHECK(ended.get());
  CHECK(got == 2'000'000);
  CHECK(refused > 0);
}

TEST_CASE("a cancelled call ends with that, and so does every call when the client closes") {
  ScriptedHttpServer server(
      [](const ScriptedRequest&) { return ScriptedAnswer{.delay = Milliseconds(60'000)}; });
  auto http = client();
  std::promise<Status> cancelled;
  std::promise<Status> closed;
  const auto into = [](std::promise<Status>& promise) {
    return HttpHandlers{
        .done = [&promise](Status status, const HttpTimings&) { promise.set_value(status); }};
  };
  const HttpId first = http->start({.url = server.url()}, into(cancelled));
  http->start({.url = server.url()}, into(closed));
  http->cancel(first);
  CHECK(cancelled.get_future().get().error().code == Errc::cancelled);
  http->close();
  CHECK(closed.get_future().get().error().code == Errc::closed);
  CHECK(http->fetch({.url = server.url()}).error().code == Errc::closed);
}

TEST_CASE("a port where nobody listens is unreachable, at once") {
  std::string url;
  {
    ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{}; });
    url = server.url();
  }
  CHECK(client()->fetch({.url = url}).error().code == Errc::unreachable);
}
