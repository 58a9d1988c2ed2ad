// What the embedded node keeps, and delegated routing over it.
#include "ipnscast/bridge/node/multipart.h"
#include "ipnscast/bridge/node/routing_routes.h"
#include "ipnscast/bridge/node/store/block_store.h"
#include "ipnscast/bridge/node/store/record_store.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/node_samples.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::bridge;
using namespace ipnscast::test;
using Outcome = Offered::Outcome;
using sync::Cid;
using sync::Codec;

namespace {

constexpr UnixMillis kNow = test::kNodeTime;

struct Stage {
  std::unique_ptr<BlockStore> blocks = std::move(*BlockStore::open(":memory:", 1 << 20));
  std::unique_ptr<RecordStore> records = std::move(*RecordStore::open(":memory:"));
  RoutingRoutes routing{*records};
};

}  // namespace

TEST_CASE("a block that is not what its CID says does not get into the node") {
  Stage stage;
  const Block good = raw_block("hello");
  CHECK(stage.blocks->put(good.cid, as_bytes("hullo")).error().code == Errc::signature);
  CHECK(
      stage.blocks
          ->put_all(std::vector<Block>{raw_block("a"), {good.cid, to_bytes(std::string_view("x"))}})
          .error()
          .code == Errc::signature);
  CHECK(*stage.blocks->stored_bytes() == 0);
  CHECK(stage.blocks->put(good.cid, good.bytes));
  CHECK(stage.blocks->put(good.cid, good.bytes));
  CHECK(*stage.blocks->stored_bytes() == 5);
  CHECK(**stage.blocks->get(good.cid) == good.bytes);
  const Cid same_bytes = *sync::make_cid(Codec::dag_cbor, good.bytes);
  CHECK(*stage.blocks->has(same_bytes));
}

TEST_CASE("R31: a full node refuses further blocks with a clear error and keeps what it has") {
  auto blocks = std::move(*BlockStore::open(":memory:", 10));
  const Block first = raw_block("12345678");
  REQUIRE(blocks->put(first.cid, first.bytes));
  const Block second = raw_block("abc");
  const Status full = blocks->put(second.cid, second.bytes);
  REQUIRE_FALSE(full);
  CHECK(full.error().code == Errc::too_large);
  CHECK(full.error().message.find("full") != std::string::npos);
  CHECK_FALSE(*blocks->has(second.cid));
  CHECK(*blocks->has(first.cid));
  CHECK(*blocks->stored_bytes() == 8);
}

TEST_CASE("R31: in a full node what no pin holds gives way, what came lately does not") {
  const Block old = raw_block("old content");
  const Block kept = raw_block("kept content");
  const Block fresh = raw_block("new content");
  SECTION("unpinned blocks go, pinned ones stay") {
    auto blocks = std::move(*BlockStore::open(":memory:", 25, Seconds(0)));
    REQUIRE(blocks->put(old.cid, old.bytes));
    REQUIRE(blocks->put(kept.cid, kept.bytes));
    REQUIRE(blocks->pin(kept.cid));
    REQUIRE(blocks->put(fresh.cid, fresh.bytes));
    CHECK_FALSE(*blocks->has(old.cid));
    CHECK(*blocks->has(kept.cid));
    CHECK(*blocks->has(fresh.cid));
    CHECK(*blocks->stored_bytes() == kept.bytes.size() + fresh.bytes.size());
    CHECK(blocks->pin(old.cid).error().code == Errc::not_found);
  }
  SECTION("an unpinned version makes room for the next") {
    auto blocks = std::move(*BlockStore::open(":memory:", 15, Seconds(0)));
    REQUIRE(blocks->put(old.cid, old.bytes));
    REQUIRE(blocks->pin(old.cid));
    REQUIRE(*blocks->unpin(old.cid));
    REQUIRE(blocks->put(fresh.cid, fresh.bytes));
    CHECK_FALSE(*blocks->has(old.cid));
  }
  SECTION("within the hour in which its pin may come nothing is removed") {
    auto blocks = std::move(*BlockStore::open(":memory:", 25));
    REQUIRE(blocks->put(old.cid, old.bytes));
    REQUIRE(blocks->put(kept.cid, kept.bytes));
    CHECK(blocks->put(fresh.cid, fresh.bytes).error().code == Errc::too_large);
    CHECK(*blocks->has(old.cid));
    CHECK(*blocks->stored_bytes() == old.bytes.size() + kept.bytes.size());
  }
}

TEST_CASE("blocks, pins and records are there after a restart") {
  test::TempDir dir;
  const Block block = raw_block("hello");
  const auto key = record_key(1);
  {
    auto blocks = std::move(*BlockStore::open(dir.path() / "blocks.db", 100));
    REQUIRE(blocks->put(block.cid, block.bytes));
    REQUIRE(blocks->pin(block.cid));
    auto records = std::move(*RecordStore::open(dir.path() / "records.db"));
    REQUIRE(records->offer(key.name(), record_of(key, 3), kNow));
  }
  auto blocks = std::move(*BlockStore::open(dir.path() / "blocks.db", 100));
  CHECK(*blocks->pins() == std::vector<Cid>{block.cid});
  CHECK(*blocks->stored_bytes() == 5);
  auto records = std::move(*RecordStore::open(dir.path() / "records.db"));
  CHECK((*records->get(key.name(), kNow))->fields().sequence == sync::Sequence{3});
}

TEST_CASE("S0-16: the node keeps the best record of a name, and only verified ones") {
  Stage stage;
  const auto key = record_key(1);
  const Bytes newer = record_of(key, 5);
  CHECK(stage.records->offer(key.name(), newer, kNow)->outcome == Outcome::stored);
  CHECK(stage.records->offer(key.name(), newer, kNow)->outcome == Outcome::known);
  CHECK(stage.records->offer(key.name(), record_of(key, 4), kNow)->outcome == Outcome::older);
  CHECK(stage.records->offer(key.name(), record_of(key, 5, "/ipfs/bafkqaaa", 72), kNow)->outcome ==
        Outcome::stored);
  CHECK(stage.records->offer(record_key(2).name(), newer, kNow).error().code == Errc::signature);
  Bytes broken = newer;
  broken[broken.size() / 2] ^= 1;
  CHECK_FALSE(stage.records->offer(key.name(), broken, kNow));
  CHECK(stage.records->offer(key.name(), record_of(key, 9, "/ipfs/bafkqaaa", -1), kNow)
            .error()
            .code == Errc::expired);
  CHECK(stage.records->offer(key.name(), Bytes(20'000), kNow).error().code == Errc::too_large);
  const UnixMillis later{kNow.value + 73 * 3600 * 1000};
  const auto over = *stage.records->get(key.name(), later);
  REQUIRE(over);  // told as it is: who asks sees that its time is over
  CHECK(over->expired(later));
  CHECK(over->fields().sequence == sync::Sequence{5});
}

TEST_CASE("R36: a record whose time is over makes room only for what ranks above it") {
  Stage stage;
  const auto key = record_key(1);
  REQUIRE(stage.records->offer(key.name(), record_of(key, 5, "/ipfs/bafkqaaa", 1), kNow));
  const UnixMillis later{kNow.value + 2 * 3600 * 1000};
  const auto offer = [&](uint64_t sequence, std::string value) {
    return stage.records->offer(key.name(), record_of(key, sequence, std::move(value)), later)
        ->outcome;
  };
  CHECK(offer(4, "/ipfs/bafkqaaa") == Outcome::older);
  CHECK(offer(5, "/ipfs/bafkqaalb") == Outcome::rival);
  CHECK(offer(5, "/ipfs/bafkqaaa") == Outcome::stored);
  CHECK(offer(6, "/ipfs/bafkqaalb") == Outcome::stored);
}

TEST_CASE("a node with as many names as it may have takes no new one and updates the others") {
  auto records = std::move(*RecordStore::open(":memory:", 1));
  const auto key = record_key(1);
  REQUIRE(records->offer(key.name(), record_of(key, 1), kNow));
  CHECK(records->offer(record_key(2).name(), record_of(record_key(2), 1), kNow).error().code ==
        Errc::busy);
  CHECK(records->offer(key.name(), record_of(key, 2), kNow)->outcome == Outcome::stored);
}

TEST_CASE(
    "S0-01: a record that is put by delegated routing is served to everybody, as a record only") {
  Stage stage;
  const auto key = record_key(1);
  const std::string target = "/routing/v1/ipns/" + key.name().to_string();
  const auto put = [&](const Bytes& record, std::string type = "application/vnd.ipfs.ipns-record") {
    HttpRequest request = request_of("PUT", target, {{"content-type", std::move(type)}});
    request.body = record;
    return stage.routing.answer(request, kNow).status;
  };
  const auto get = [&](std::map<std::string, std::string> headers = {}) {
    return stage.routing.answer(request_of("GET", target, std::move(headers)), kNow);
  };
  CHECK(get().status == 404);
  CHECK(put(record_of(key, 2)) == 200);
  CHECK(put(record_of(key, 2)) == 200);
  CHECK(put(record_of(key, 1)) == 400);
  CHECK(put(record_of(key, 3), "application/octet-stream") == 406);
  CHECK(put(record_of(record_key(2), 9)) == 400);
  CHECK(put(Bytes(11'000)) == 400);
  const HttpResponse answer = get({{"accept", "application/vnd.ipfs.ipns-record"}});
  CHECK(answer.body == record_of(key, 2));
  CHECK(answer.headers.at("content-type") == "application/vnd.ipfs.ipns-record");
  CHECK(answer.headers.at("cache-control") == "public, max-age=300");
  CHECK(get({{"if-none-match", answer.headers.at("etag")}}).status == 304);
  CHECK(get({{"accept", "application/json"}}).status == 406);
  const HttpResponse other_spelling =
      stage.routing.answer(request_of("GET", "/routing/v1/ipns/" + key.name().base32()), kNow);
  CHECK(other_spelling.body == answer.body);
  CHECK(stage.routing.answer(request_of("GET", "/routing/v1/ipns/nonsense"), kNow).status == 400);
  CHECK(stage.routing.answer(request_of("GET", "/routing/v1/providers/x"), kNow).status == 501);
  CHECK(stage.routing.answer(request_of("DELETE", target), kNow).status == 405);
}

TEST_CASE("a page may read records by delegated routing, and is not told that it may put them") {
  Stage stage;
  const auto key = record_key(1);
  const std::string target = "/routing/v1/ipns/" + key.name().to_string();
  REQUIRE(stage.records->offer(key.name(), record_of(key, 1), kNow));
  const auto ask = [&](const std::string& method, const std::string& at,
                       std::map<std::string, std::string> headers = {}) {
    return stage.routing.answer(request_of(method, at, std::move(headers)), kNow);
  };
  CHECK(ask("OPTIONS", target).status == 204);
  CHECK(ask("GET", target, {{"accept", "text/html, application/*;q=0.1"}}).status == 200);
  CHECK(ask("GET", target, {{"accept", "*/*"}}).status == 200);
  const std::string unwanted = "*/*, application/vnd.ipfs.ipns-record;q=0";
  CHECK(ask("GET", target, {{"accept", unwanted}}).status == 406);
  for (const HttpResponse& answer :
       {ask("OPTIONS", target), ask("GET", target), ask("HEAD", target),
        ask("GET", "/routing/v1/ipns/nonsense"), ask("GET", "/routing/v1/providers/x"),
        ask("DELETE", target)}) {
    CAPTURE(answer.status);
    CHECK(answer.headers.at("access-control-allow-origin") == "*");
    CHECK(answer.headers.at("access-control-allow-methods") == "GET, HEAD, OPTIONS");
  }
}

TEST_CASE("the TTL that caches see ends with the record's life") {
  Stage stage;
  const auto key = record_key(1);
  const auto record = sync::create_record(
      key,
      {.value = "/ipfs/bafkqaaa", .sequence = {1}, .eol = sync::Eol::after(kNow, Seconds(20))});
  REQUIRE(stage.records->offer(key.name(), record->bytes(), kNow));
  const auto answer =
      stage.routing.answer(request_of("GET", "/routing/v1/ipns/" + key.name().to_string()), kNow);
  CHECK(answer.headers.at("cache-control") == "public, max-age=20");
}

TEST_CASE("a multipart body that is cut or malformed is refused, and odd but legal ones are read") {
  const std::string type = "multipart/form-data; boundary=\"a b\"";
  const auto parse = [&](std::string_view body) { return parse_multipart(type, as_bytes(body)); };
  const auto good = parse(
      "preamble\r\n--a b\r\n\r\nfirst\r\n--a b\r\ncontent-disposition: form-data; "
      "filename=\"x;y\"; name=n\r\n\r\n"
      "two\r\nlines\r\n--a b\r\n\r\n\r\n--a b--\r\nepilogue");
  REQUIRE(good);
  REQUIRE(good->size() == 3);
  CHECK(as_text((*good)[0].body) == "first");
  CHECK((*good)[1].name == "n");
  CHECK(as_text((*good)[1].body) == "two\r\nlines");
  CHECK((*good)[2].body.empty());
  for (const char* bad :
       {"", "--a b", "--a b\r\n", "--a b\r\n\r\nbody", "--a b\r\n\r\nbody\r\n--a b",
        "--a b\r\nheader\r\n--a b--", "text only"}) {
    CHECK_FALSE(parse(bad));
  }
  CHECK_FALSE(parse_multipart("multipart/form-data", as_bytes("--\r\n")));
  CHECK_FALSE(parse_multipart("application/json; boundary=a", as_bytes("--a--")));
}
