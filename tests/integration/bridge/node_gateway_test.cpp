// What only a socket shows of the embedded node's gateway: lengths, connections that are used
// again, and how requests get from the wire into the routes.
#include <algorithm>

#include "ipnscast/bridge/node/node_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_http.h"

using namespace ipnscast;

namespace {

// The identity CID of the text "hello".
constexpr const char* kHello = "/ipfs/bafkqabtimvwgy3yk";

struct Stage {
  // All that comes back until the connection closes.
  std::string send(const std::string& requests) const {
    const std::string url = node->gateway_url();
    const auto port = test::port_of(url);
    return test::raw_http(port, requests);
  }
  std::string ask(const std::string& method, const std::string& target,
                  const std::string& header_lines = "") const {
    return send(method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + header_lines +
                "Connection: close\r\n\r\n");
  }

  std::unique_ptr<nostr::net::Loop> loop = std::move(*nostr::net::Loop::start());
  std::unique_ptr<bridge::Node> node =
      std::move(*bridge::Node::start(*loop, {.gateway_port = 0, .rpc_port = 0}));
};

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::string head_of(const std::string& answer) {
  return lower_case(answer.substr(0, answer.find("\r\n\r\n") + 4));
}

std::string body_of(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == answer.npos ? "" : answer.substr(end + 4);
}

std::string value_of(const std::string& answer, const std::string& name) {
  const std::string head = answer.substr(0, answer.find("\r\n\r\n") + 2);
  const size_t at = lower_case(head).find("\r\n" + name + ":");
  if (at == head.npos) return "(none)";
  const size_t begin = head.find_first_not_of(' ', at + name.size() + 3);
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

}  // namespace

TEST_CASE("HEAD of a CAR tells no length, that of a block its own, and neither has a body") {
  Stage stage;
  const std::string car = stage.ask("HEAD", std::string(kHello) + "?format=car");
  CHECK(car.rfind("HTTP/1.1 200", 0) == 0);
  CHECK(value_of(car, "content-length") == "(none)");
  CHECK(value_of(car, "content-type") == "application/vnd.ipld.car; version=1; order=dfs; dups=n");
  CHECK(body_of(car).empty());
  const std::string raw = stage.ask("HEAD", std::string(kHello) + "?format=raw");
  CHECK(value_of(raw, "content-length") == "6");
  CHECK(body_of(raw).empty());
  const std::string none = stage.ask("HEAD", "/ipfs/nonsense?format=raw");
  const std::string none_whole = stage.ask("GET", "/ipfs/nonsense?format=raw");
  CHECK(value_of(none, "content-length") == std::to_string(body_of(none_whole).size()));
  CHECK(body_of(none).empty());
}

TEST_CASE("the connection goes on after HEAD, 304, 206, 416 and 412") {
  Stage stage;
  const std::string path = kHello;
  const std::string absent =
      "/ipfs/bafkreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi?format=raw";
  const std::string etag = value_of(stage.ask("GET", path + "?format=car"), "etag");
  const std::string last =
      "GET " + path + "?format=raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const auto twice = [&](const std::string& first, const std::string& header_lines) {
    return stage.send(first + " HTTP/1.1\r\nHost: x\r\n" + header_lines + "\r\n" + last);
  };
  const auto check = [&](const std::string& answer, const std::string& status,
                         const std::string& body) {
    CAPTURE(answer);
    CHECK(answer.rfind("HTTP/1.1 " + status, 0) == 0);
    // the answer to the second request follows at once
    const std::string rest = body_of(answer);
    CHECK(rest.rfind(body + "HTTP/1.1 200", 0) == 0);
    CHECK(body_of(rest) == "hello\n");
  };
  check(twice("HEAD " + path + "?format=car", ""), "200", "");
  check(twice("HEAD " + path + "?format=raw", ""), "200", "");
  check(twice("GET " + path + "?format=car", "If-None-Match: " + etag + "\r\n"), "304", "");
  check(twice("GET " + path + "?format=raw", "Range: bytes=1-3\r\n"), "206", "ell");
  check(twice("GET " + path + "?format=raw", "Range: bytes=6-\r\n"), "416",
        "the range lies beyond the block of 6 bytes\n");
  check(twice("GET " + absent, "Cache-Control: only-if-cached\r\n"), "412", "");
  check(twice("OPTIONS " + path, ""), "204", "");
}

TEST_CASE("a client or proxy of HTTP/1.0 gets a CAR without the frames that it does not know") {
  Stage stage;
  const std::string target = "/ipfs/bafkqaaa?format=car";
  const std::string old =
      stage.send("GET " + target + " HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
  CHECK(old.substr(0, 12) == "HTTP/1.1 200");
  CHECK(value_of(old, "transfer-encoding") == "(none)");
  CHECK(body_of(old) == std::string("\x19\xa2"
                                    "eroots\x81\xd8*E\x00\x01U\x00\x00gversion\x01",
                                    26));
  const std::string today = stage.ask("GET", target);
  CHECK(value_of(today, "transfer-encoding") == "chunked");
  CHECK(body_of(today) == "1a\r\n" + body_of(old) + "\r\n0\r\n\r\n");
}

TEST_CASE("the headers that decide about an answer get through") {
  Stage stage;
  const std::string raw = std::string(kHello) + "?format=raw";
  const std::string etag = value_of(stage.ask("GET", raw), "etag");
  CHECK(etag == "\"bafkqabtimvwgy3yk.raw\"");
  const auto ask = [&](const std::string& lines) { return stage.ask("GET", raw, lines); };
  CHECK(body_of(ask("Range: bytes=-2\r\nIf-Range: " + etag + "\r\n")) == "o\n");
  CHECK(body_of(ask("Range: bytes=-2\r\nIf-Range: \"other\"\r\n")) == "hello\n");
  CHECK(value_of(ask("Range: bytes=-2\r\n"), "content-range") == "bytes 4-5/6");
  CHECK(ask("If-None-Match: \"x\", W/" + etag + "\r\n").rfind("HTTP/1.1 304", 0) == 0);
  CHECK(value_of(stage.ask("GET", kHello,
                           "Accept: text/html, application/vnd.ipld.raw;q=0.2, "
                           "application/vnd.ipld.car;dups=y;q=0.4\r\n"),
                 "content-type") == "application/vnd.ipld.car; version=1; order=dfs; dups=y");
  CHECK(stage.ask("GET", kHello).rfind("HTTP/1.1 400", 0) == 0);
  for (const char* method : {"POST", "PUT", "DELETE"}) {
    const std::string refused = stage.ask(method, raw, "Content-Length: 0\r\n");
    CHECK(refused.rfind("HTTP/1.1 405", 0) == 0);
    CHECK(value_of(refused, "allow") == "GET, HEAD, OPTIONS");
  }
}

TEST_CASE("what is encoded in a query stays a part of its value") {
  Stage stage;
  const auto name = [&](const std::string& encoded) {
    return value_of(stage.ask("GET", std::string(kHello) + "?format=raw&filename=" + encoded),
                    "content-disposition");
  };
  CHECK(name("a%26b.bin") == "attachment; filename=\"a&b.bin\"");
  CHECK(name("a+b%20c.bin") == "attachment; filename=\"a b c.bin\"");
  CHECK(name("a%3Db%3Fc.bin") == "attachment; filename=\"a=b?c.bin\"");
  CHECK(name("a%2541.bin") == "attachment; filename=\"a_41.bin\"; filename*=UTF-8''a%2541.bin");
  CHECK(name("x%26format%3Dcar") == "attachment; filename=\"x&format=car\"");
}

TEST_CASE("what is encoded in a URL cannot begin a header of the answer") {
  Stage stage;
  const std::string evil = "%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0abody";
  for (const std::string& target :
       {std::string(kHello) + "?format=raw&filename=" + evil,
        std::string(kHello) + "?format=car&filename=" + evil + "&dag-scope=all" + evil,
        std::string(kHello) + "/" + evil + "?format=raw", "/ipfs/" + evil + "?format=raw",
        "/ipns/" + evil + "?format=ipns-record", "/" + evil}) {
    CAPTURE(target);
    const std::string answer =
        stage.ask("GET", target, "Accept: application/vnd.ipld.car;dups=y\r\n");
    CHECK(answer.rfind("HTTP/1.", 0) == 0);
    CHECK(head_of(answer).find("\r\nset-cookie") == std::string::npos);
  }
}
