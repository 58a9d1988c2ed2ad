#include "ipnscast/sync/gateway/breaker.h"
#include "ipnscast/sync/gateway/delegated_routing.h"
#include "ipnscast/sync/gateway/gateway_book.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/gateway/latency.h"
#include "ipnscast/sync/gateway/trustless.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::gateway;

namespace {

constexpr const char* kName = "k51qzi5uqu5dljtg5upm7x7ugan9lql3ewyknv4r4mhhkwzn8n7cnbd1unfwgq";
constexpr const char* kCid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";

HttpAnswer answer(int status, std::string_view type, std::string_view body) {
  HttpAnswer out;
  out.head.status = status;
  if (!type.empty()) out.head.headers["content-type"] = type;
  out.body = to_bytes(body);
  return out;
}

std::string header(const HttpCall& call, std::string_view name) {
  for (const auto& [key, value] : call.headers) {
    if (key == name) return value;
  }
  return "(absent)";
}

Instant at(int ms) { return Instant{} + std::chrono::hours(1) + Milliseconds(ms); }

}  // namespace

TEST_CASE("a request names its format in the query and in Accept, and carries the authorization") {
  const Endpoint endpoint{"http://host:8080/", "Bearer x"};
  const HttpCall raw = raw_block_call(endpoint, *Cid::parse(kCid));
  CHECK(raw.url == std::string("http://host:8080/ipfs/") + kCid + "?format=raw");
  CHECK(header(raw, "Accept") == "application/vnd.ipld.raw");
  CHECK(header(raw, "Authorization") == "Bearer x");
  const HttpCall car = car_call({"http://host/gate", {}}, *Cid::parse(kCid), {}, 1000);
  CHECK(car.url == std::string("http://host/gate/ipfs/") + kCid +
                       "?format=car&dag-scope=all&car-version=1&car-order=dfs&car-dups=n");
  CHECK(header(car, "Authorization") == "(absent)");
  CHECK(car.max_bytes == 1000);
}

TEST_CASE("a name in any spelling is asked for in its canonical form, past caches (R25)") {
  const auto name = *IpnsName::parse("12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV");
  const HttpCall call = ipns_record_call({"http://host", {}}, name, "\"etag\"");
  CHECK(call.url == std::string("http://host/ipns/") + kName + "?format=ipns-record");
  CHECK(header(call, "Cache-Control") == "no-cache");
  CHECK(header(call, "If-None-Match") == "\"etag\"");
  CHECK(routing_get_call({"http://host", {}}, name).url ==
        std::string("http://host/routing/v1/ipns/") + kName);
}

TEST_CASE("a router's 404, and its 200 with another type, both mean that there is no record") {
  const char* type = "application/vnd.ipfs.ipns-record";
  CHECK(read_ipns_record(answer(200, "Application/VND.ipfs.ipns-record; q=1", "bytes"))->record ==
        to_bytes(std::string_view("bytes")));
  CHECK(read_ipns_record(answer(200, "text/plain", "routing: not found")).error().code ==
        Errc::not_found);
  CHECK(read_ipns_record(answer(404, "text/plain", "")).error().code == Errc::not_found);
  CHECK(read_ipns_record(answer(500, "text/plain", "x: routing: not found")).error().code ==
        Errc::not_found);
  CHECK(read_ipns_record(answer(500, "text/plain", "x")).error().code == Errc::unreachable);
  CHECK(read_ipns_record(answer(429, type, "")).error().code == Errc::busy);
  CHECK(read_ipns_record(answer(406, type, "")).error().code == Errc::unsupported);
  CHECK(read_ipns_record(answer(304, "", ""))->not_modified);
}

TEST_CASE("an ETag without quotes, as Kubo sends it, is kept as it came") {
  HttpAnswer got = answer(200, "application/vnd.ipfs.ipns-record", "r");
  got.head.headers["etag"] = "ABCDEF";
  CHECK(read_ipns_record(got)->etag == "ABCDEF");
}

TEST_CASE("a page instead of a block or a CAR is a mismatch, whatever its status (R20)") {
  const Cid cid = *make_cid(Codec::raw, as_bytes("block"));
  CHECK(read_raw_block(cid, answer(200, "text/html", "<html>")).error().code == Errc::mismatch);
  CHECK(read_raw_block(cid, answer(200, "application/vnd.ipld.raw", "<html>")).error().code ==
        Errc::signature);
  CHECK(check_car_head(answer(200, "text/html", "").head).error().code == Errc::mismatch);
  CHECK(check_car_head(
      answer(200, "application/vnd.ipld.car; version=1; order=dfs; dups=n", "").head));
  CHECK(check_car_head(answer(504, "", "").head).error().code == Errc::unreachable);
}

TEST_CASE("a block and a record are what their bytes are, whatever a header calls them (F12)") {
  const Cid cid = *make_cid(Codec::raw, as_bytes("block"));
  const auto key = IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 4));
  const auto record = create_record(*key, {.value = "/ipfs/bafkqaaa", .eol = {4'000'000'000, 0}});
  REQUIRE(record);
  const std::string bytes(as_text(record->bytes()));
  for (const char* type :
       {"", "text/html", "application/octet-stream", "application/vnd.ipld.car"}) {
    INFO(type);
    CHECK(read_raw_block(cid, answer(200, type, "block")));
    CHECK(read_ipns_record(answer(200, type, bytes))->record == record->bytes());
  }
  CHECK(read_trustless_probe(answer(200, "application/octet-stream", "")) == Speaks::perhaps);
  CHECK(read_trustless_probe(answer(200, "text/plain", "")) == Speaks::no);
}

TEST_CASE("an error text is quoted without control characters and bounded") {
  const auto status =
      check_status(answer(500, "text/plain", "bad\x1b[31m" + std::string(1000, 'x') + "\nmore"));
  CHECK(status.error().message.substr(0, 18) == "HTTP 500: bad?[31m");
  CHECK(status.error().message.size() < 200);
}

TEST_CASE("a probe tells a gateway, a router and a web site apart") {
  CHECK(read_trustless_probe(answer(200, "application/vnd.ipld.raw", "")) == Speaks::yes);
  CHECK(read_trustless_probe(answer(200, "text/html", "<html>")) == Speaks::no);
  CHECK(read_trustless_probe(answer(404, "text/plain", "404 page not found\n")) == Speaks::no);
  CHECK(read_trustless_probe(answer(429, "", "")) == Speaks::perhaps);
  CHECK(read_routing_probe(answer(400, "text/plain", "unable to parse name")) == Speaks::yes);
  CHECK(read_routing_probe(answer(404, "text/plain", "404 page not found\n")) == Speaks::no);
  CHECK(read_routing_probe(answer(404, "", "")) == Speaks::perhaps);
  CHECK(read_kubo_version(answer(200, "application/json", R"({"Version":"0.43.0"})")) == "0.43.0");
  CHECK_FALSE(read_kubo_version(answer(200, "application/json", "[1]")));
  CHECK_FALSE(read_kubo_version(answer(200, "application/json", "{")));
}

TEST_CASE("a CAR is imported as one file, and pinned with the last part only") {
  const HttpCall call =
      kubo_dag_import_call({"http://host", {}}, as_bytes("CAR\r\n--bytes"), false);
  CHECK(call.url == "http://host/api/v0/dag/import?stats=true&pin-roots=false");
  const std::string type = header(call, "Content-Type");
  const std::string boundary = type.substr(type.find("boundary=") + 9);
  CHECK(as_text(*call.body) ==
        "--" + boundary +
            "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n"
            "Content-Type: application/octet-stream\r\n\r\nCAR\r\n--bytes\r\n--" +
            boundary + "--\r\n");
}

TEST_CASE("an import answers with its roots, their pin errors, or the error of a late line (R2)") {
  const std::string root =
      std::string(R"({"Root":{"Cid":{"/":")") + kCid + R"("},"PinErrorMsg":"gone"}})";
  const auto roots = read_kubo_dag_import(
      answer(200, "application/json",
             root + "\n" + R"({"Stats":{"BlockCount":1,"BlockBytesCount":2}})" + "\n"));
  REQUIRE(roots);
  REQUIRE(roots->size() == 1);
  CHECK(roots->at(0).cid.to_string() == kCid);
  CHECK(roots->at(0).pin_error == "gone");
  const auto late = read_kubo_dag_import(answer(
      200, "application/json", root + "\n" + R"({"Message":"disk full","Code":0,"Type":"error"})"));
  CHECK(late.error().message == "disk full");
  CHECK(read_kubo_dag_import(answer(200, "application/json", "nonsense")).error().code ==
        Errc::parse);
}

TEST_CASE("Kubo's \"not found\" is told from its failures and from a command it does not know") {
  CHECK(read_kubo_name_get(
            answer(500, "application/json", R"({"Message":"routing: not found","Type":"error"})"))
            .error()
            .code == Errc::not_found);
  CHECK(read_kubo_name_get(answer(404, "text/plain", "404 page not found")).error().code ==
        Errc::unsupported);
  CHECK(read_kubo_name_get(answer(500, "text/plain", "boom")).error().code == Errc::unreachable);
  CHECK(read_kubo_name_get(answer(500, "application/json", R"({"Message":"no","Type":"error"})"))
            .error()
            .code == Errc::refused);
  CHECK(read_kubo_pin_rm(
      answer(500, "application/json", R"({"Message":"not pinned","Type":"error"})")));
}

TEST_CASE("an older node's record comes as base64 in the one line that carries a value") {
  const auto record =
      read_kubo_routing_get(answer(200, "application/json",
                                   R"({"Extra":"","ID":"12D3","Responses":null,"Type":1})"
                                   "\n"
                                   R"({"Extra":"aGVsbG8=","ID":"","Responses":null,"Type":5})"
                                   "\n"));
  REQUIRE(record);
  CHECK(as_text(*record) == "hello");
  CHECK(read_kubo_routing_get(answer(200, "application/json", "")).error().code == Errc::not_found);
  CHECK_FALSE(read_kubo_routing_get(answer(200, "application/json", R"({"Extra":"*","Type":5})")));
}

TEST_CASE(
    "a gateway that fails three times is left alone for 30 s, then tried with one call (S1-19)") {
  Breaker breaker;
  for (int i = 0; i < 3; ++i) {
    CHECK(breaker.admit(at(i)));
    breaker.failed(at(i));
  }
  CHECK_FALSE(breaker.admit(at(29'000)));
  CHECK(breaker.admit(at(31'000)));
  CHECK_FALSE(breaker.admit(at(31'001)));
  breaker.failed(at(31'002));
  CHECK_FALSE(breaker.admit(at(60'000)));
  CHECK(breaker.admit(at(62'000)));
  breaker.succeeded();
  CHECK(breaker.admit(at(62'001)));
  CHECK(breaker.admit(at(62'002)));
}

TEST_CASE("\"not found\" never counts against a gateway, three timeouts do (R21)") {
  GatewayBook book({{{"http://a", {}}, 1}});
  for (int i = 0; i < 10; ++i) book.report(0, fail(Errc::not_found, ""), at(i));
  CHECK(book.admit(0, at(20)));
  for (int i = 0; i < 3; ++i) book.report(0, fail(Errc::timeout, ""), at(i));
  CHECK_FALSE(book.admit(0, at(20)));
}

TEST_CASE("a gateway that lies is left alone at once (R20)") {
  GatewayBook book({{{"http://a", {}}, 1}});
  book.report_lie(0, at(0));
  CHECK_FALSE(book.admit(0, at(29'999)));
  CHECK(book.admit(0, at(30'000)));
}

TEST_CASE("Retry-After holds for the whole host and for no other") {
  GatewayBook book(
      {{{"https://a:1/x", {}}, 1}, {{"https://a:1/y", {}}, 1}, {{"https://b", {}}, 1}});
  book.report(0, fail(Errc::busy, "HTTP 429"), at(0), Seconds(60));
  CHECK_FALSE(book.admit(0, at(59'000)));
  CHECK_FALSE(book.admit(1, at(59'000)));
  CHECK(book.admit(2, at(0)));
  CHECK(book.admit(1, at(60'000)));
  book.report(2, fail(Errc::busy, "HTTP 429"), at(0), Seconds(1'000'000));
  CHECK_FALSE(book.admit(2, at(3'599'000)));
  CHECK(book.admit(2, at(3'600'000)));
}

TEST_CASE("how many failures, and for how long, is the configuration's to say") {
  GatewayBook book({{{"http://a", {}}, 1}}, {.failures = 2, .open = Milliseconds(500)});
  book.report(0, fail(Errc::timeout, ""), at(0));
  CHECK(book.admit(0, at(1)));
  book.report(0, fail(Errc::timeout, ""), at(2));
  CHECK_FALSE(book.admit(0, at(501)));
  CHECK(book.admit(0, at(502)));
  CHECK_FALSE(book.admit(0, at(503)));
  book.report(0, fail(Errc::cancelled, ""), at(504));
  CHECK(book.admit(0, at(505)));
}

TEST_CASE(
    "a gateway that answered comes before a silent one, and one that fails comes last (R20)") {
  GatewayBook book({{{"http://silent", {}}, 1},
                    {{"http://failing", {}}, 1},
                    {{"http://good", {}}, 1},
                    {{"http://public", {}}, 2}});
  book.note_latency(1, Milliseconds(1));
  book.report(1, fail(Errc::unreachable, ""), at(0));
  book.note_latency(2, Milliseconds(200));
  book.note_latency(3, Milliseconds(1));
  CHECK(book.by_latency() == std::vector<size_t>{2, 0, 1, 3});
  book.report(1, {}, at(1));
  CHECK(book.by_latency() == std::vector<size_t>{1, 2, 0, 3});
}

TEST_CASE("how long a pause is borne follows from the round trip, where it is known") {
  GatewayBook book({{{"http://far", {}}, 1}, {{"http://reused", {}}, 1}});
  book.note_connected(0, Milliseconds(90));
  book.note_connected(0, Milliseconds(50));
  book.note_connected(0, Milliseconds(0));
  CHECK(book.pause_limit(0, Milliseconds(900)) == Milliseconds(200));
  CHECK(book.pause_limit(1, Milliseconds(900)) == Milliseconds(900));
  CHECK(book.pause_limit(1, Milliseconds(3)) == Milliseconds(75));
  CHECK(book.pause_limit(1, Milliseconds(9'000)) == Milliseconds(1'000));
}

TEST_CASE("a gateway of which nothing is known is given what the fastest needs, twice") {
  GatewayBook book({{{"http://known", {}}, 1}, {{"http://new", {}}, 1}});
  CHECK(book.hedge_delay(1, Milliseconds(300)) == Milliseconds(300));
  book.note_latency(0, Milliseconds(60));
  CHECK(book.hedge_delay(1, Milliseconds(300)) == Milliseconds(120));
  book.report(0, fail(Errc::unreachable, ""), at(0));
  CHECK(book.hedge_delay(1, Milliseconds(300)) == Milliseconds(300));
}

TEST_CASE("the fastest gateway of the own nodes comes first, and its p95 is the hedge delay") {
  GatewayBook book(
      {{{"http://slow", {}}, 1}, {{"http://fast", {}}, 1}, {{"http://public", {}}, 2}});
  for (int i = 1; i <= 20; ++i) {
    book.note_latency(0, Milliseconds(400));
    book.note_latency(1, Milliseconds(10 * i));
    book.note_latency(2, Milliseconds(1));
  }
  CHECK(book.by_latency() == std::vector<size_t>{1, 0, 2});
  CHECK(book.hedge_delay(1, Milliseconds(300)) == Milliseconds(190));
  CHECK(GatewayBook({{{"http://new", {}}, 1}}).hedge_delay(0, Milliseconds(300)) ==
        Milliseconds(300));
}
