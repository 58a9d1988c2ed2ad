#include "ipnscast/sync/gateway/kubo_pubsub.h"

#include "ipnscast/sync/ipfs/ipld/multibase.h"
#include "ipnscast/sync/ipfs/ipld/protobuf.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::gateway;

namespace {

constexpr UnixMillis kNow{1'790'000'000'000};

IpnsKey key(uint8_t seed = 7) {
  return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, seed)));
}

IpnsRecord record(uint64_t sequence, uint8_t seed = 7,
                  std::chrono::hours lifetime = std::chrono::hours(48)) {
  return *create_record(
      key(seed),
      {.value = "/ipfs/bafkqaaa", .sequence = {sequence}, .eol = Eol::after(kNow, lifetime)});
}

std::string line_of(ByteView data) {
  return R"({"from":"12D3KooW","data":")" + multibase_encode(Base::base64_url, data) +
         R"(","seqno":"uGA","topicIDs":["uLw"]})";
}

struct Taken {
  std::vector<std::string> lines;
  size_t dropped = 0;
  void add(PubsubLines& from, std::string_view bytes) {
    dropped += from.add(as_bytes(bytes), [this](std::string_view l) { lines.emplace_back(l); });
  }
};

HttpAnswer answer(int status, std::string_view type, std::string_view body) {
  HttpAnswer out;
  out.head.status = status;
  out.head.headers["content-type"] = type;
  out.body = to_bytes(body);
  return out;
}

Errc offered(int status, std::string_view type, std::string_view body) {
  const Status read = read_kubo_pubsub_ls(answer(status, type, body));
  REQUIRE_FALSE(read);
  return read.error().code;
}

}  // namespace

TEST_CASE("a subscription asks for the name's topic in multibase, without an end (S0-29)") {
  const auto name =
      *IpnsName::parse("k51qzi5uqu5dhpd0555r4k9qkacx91j6b2v3r516y2wt8nmg8un8r3b7835pro");
  const HttpCall call = kubo_pubsub_sub_call({"http://host:5001/", "Bearer x"}, name);
  CHECK(call.method == "POST");
  // As Kubo 0.42 had it in "topicIDs".
  CHECK(
      call.url ==
      "http://host:5001/api/v0/pubsub/sub?arg=uL3JlY29yZC9MMmx3Ym5NdkFDUUlBUklnUFFzY2R2SlFyVkJtMTZs"
      "b1FXb2NVY3pScnhiZ1hjRlBOdjFSYVlPN1JMUQ");
  CHECK(call.endless);
  CHECK(call.headers.at(0).second == "Bearer x");
}

TEST_CASE("a line of pubsub is the record, as it is or inside of a libp2p Record (S0-29)") {
  const auto name = key().name();
  const auto raw = read_kubo_pubsub_line(line_of(record(3).bytes()));
  REQUIRE(raw);
  const auto direct = read_pubsub_record(name, *raw, kNow);
  REQUIRE(direct);
  CHECK(direct->fields().sequence == Sequence{3});

  Bytes wrapper;
  append_bytes_field(wrapper, 1, name.routing_key());
  append_bytes_field(wrapper, 2, record(4).bytes());
  append_bytes_field(wrapper, 5, as_bytes("2026-11-21T21:41:56Z"));
  const auto inner = read_pubsub_record(name, *read_kubo_pubsub_line(line_of(wrapper)), kNow);
  REQUIRE(inner);
  CHECK(inner->fields().sequence == Sequence{4});
}

TEST_CASE("what does not verify for the name is no record, whoever says it") {
  const auto name = key().name();
  CHECK_FALSE(read_pubsub_record(name, record(1, 8).bytes(), kNow));  // another name's
  CHECK_FALSE(read_pubsub_record(name, record(1, 7, std::chrono::hours(-1)).bytes(), kNow));
  Bytes forged = record(1).bytes();
  forged[forged.size() / 2] ^= 1;
  CHECK_FALSE(read_pubsub_record(name, forged, kNow));
  Bytes wrapped;
  append_bytes_field(wrapped, 2, forged);
  CHECK_FALSE(read_pubsub_record(name, wrapped, kNow));
  CHECK_FALSE(read_pubsub_record(name, {}, kNow));
}

TEST_CASE("a line that is none of pubsub is refused, and the node's own error is told") {
  for (const std::string line :
       {"", "{", "[]", "null", "7", "{}", R"({"data":7})", R"({"data":""})", R"({"data":"u*"})",
        R"({"data":"mAAAA"})", R"({"data":{"data":"uAAAA"}})", "\xff\xfe"}) {
    INFO(line);
    const auto read = read_kubo_pubsub_line(line);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Errc::parse);
  }
  const std::string deep(PubsubLines::kMaxLine, '[');
  CHECK_FALSE(read_kubo_pubsub_line(deep));
  const auto told = read_kubo_pubsub_line(R"({"Message":"gone","Code":0,"Type":"error"})");
  REQUIRE_FALSE(told);
  CHECK(told.error().code == Errc::refused);
  CHECK(told.error().message == "gone");
}

TEST_CASE("lines are found however the stream is cut, and one beyond the bound is dropped alone") {
  const std::string most(PubsubLines::kMaxLine, 'x');
  const std::string stream = "a\n\n \r\nbc\n" + most + "\n" + most + "y\nd\r\n" +
                             std::string(5 * most.size(), 'z') + "\ne\nrest";
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{16'384}, stream.size()}) {
    INFO(piece);
    PubsubLines lines;
    Taken taken;
    for (size_t at = 0; at < stream.size(); at += piece) taken.add(lines, stream.substr(at, piece));
    CHECK(taken.lines == std::vector<std::string>{"a", "bc", most, "d\r", "e"});
    CHECK(taken.dropped == 2);
  }
}

TEST_CASE("a record of the largest size fits into a line") {
  const std::string line = line_of(Bytes(IpnsRecord::kMaxBytes + 200, 0xff));
  PubsubLines lines;
  Taken taken;
  taken.add(lines, line + "\n");
  REQUIRE(taken.lines.size() == 1);
  CHECK(read_kubo_pubsub_line(taken.lines[0])->size() == IpnsRecord::kMaxBytes + 200);
}

TEST_CASE("whether a node offers pubsub is told from off, from no RPC, and from not reached") {
  CHECK(read_kubo_pubsub_ls(answer(200, "application/json", "{\"Strings\":null}\n")));
  CHECK(read_kubo_pubsub_ls(fail(Errc::too_large, "a long list")));
  CHECK(
      offered(500, "application/json",
              R"({"Message":"experimental pubsub feature not enabled","Code":0,"Type":"error"})") ==
      Errc::refused);
  CHECK(offered(403, "text/plain", "403 - Forbidden") == Errc::refused);
  CHECK(offered(404, "text/plain", "404 page not found") == Errc::unsupported);
  CHECK(offered(405, "text/plain", "no") == Errc::unsupported);
  CHECK(offered(200, "text/html", "<html>") == Errc::unsupported);
  CHECK(offered(502, "text/html", "<html>") == Errc::unreachable);
  CHECK(read_kubo_pubsub_ls(fail(Errc::timeout, "late")).error().code == Errc::timeout);
}
