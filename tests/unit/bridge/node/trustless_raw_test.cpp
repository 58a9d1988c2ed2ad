// The raw blocks that the embedded node gives as a trustless gateway, whole and in parts.
#include "ipnscast/tests/support/gateways/gateway_stage.h"

using namespace ipnscast;
using namespace ipnscast::test;
using sync::Codec;

namespace {

constexpr const char* kRaw = "application/vnd.ipld.raw";

}  // namespace

TEST_CASE("a raw block comes with its own name, type, path and roots, to be kept for ever") {
  OneBlock stage;
  const auto answer = stage.get(stage.path + "?format=raw");
  CHECK(answer.status == 200);
  CHECK(answer.body == stage.block.bytes);
  CHECK(header(answer, "content-type") == kRaw);
  CHECK(header(answer, "content-disposition") == "attachment; filename=\"" + stage.cid + ".bin\"");
  CHECK(header(answer, "etag") == "\"" + stage.cid + ".raw\"");
  CHECK(header(answer, "cache-control") == "public, max-age=29030400, immutable");
  CHECK(header(answer, "x-ipfs-path") == stage.path);
  CHECK(header(answer, "x-ipfs-roots") == stage.cid);
  CHECK(header(answer, "accept-ranges") == "bytes");
}

TEST_CASE("a part of a raw block comes as 206, with its place") {
  OneBlock stage;
  const std::string target = stage.path + "?format=raw";
  const std::string whole(as_text(stage.block.bytes));
  const auto part = [&](const std::string& range, GatewayStage::Headers headers = {}) {
    headers["range"] = range;
    return stage.get(target, headers);
  };
  const auto some = part("bytes=7-15");
  CHECK(some.status == 206);
  CHECK(text_of(some) == "trustless");
  CHECK(header(some, "content-range") == "bytes 7-15/22");
  CHECK(header(some, "content-type") == kRaw);
  CHECK(header(some, "etag") == header(stage.get(target), "etag"));
  CHECK(text_of(part("bytes=-5")) == "world");
  CHECK(header(part("bytes=-5"), "content-range") == "bytes 17-21/22");
  CHECK(text_of(part("bytes=17-")) == "world");
  CHECK(text_of(part("bytes=0-999")) == whole);
  CHECK(part("bytes=0-999").status == 206);
  for (const char* ignored : {"bytes=9-7", "lines=0-1", "bytes=x", "bytes=0-20,1-21"}) {
    CHECK(part(ignored).status == 200);
    CHECK(text_of(part(ignored)) == whole);
  }
}

TEST_CASE("a range beyond the block is 416, with the block's size") {
  OneBlock stage;
  const auto beyond = stage.get(stage.path + "?format=raw", {{"range", "bytes=22-"}});
  CHECK(beyond.status == 416);
  CHECK(header(beyond, "content-range") == "bytes */22");
  CHECK(header(beyond, "cache-control").empty());
  CHECK(stage.get("/ipfs/bafkqaaa?format=raw", {{"range", "bytes=0-"}}).status == 200);
}

TEST_CASE("several parts of a block come as multipart/byteranges") {
  OneBlock stage;
  const auto answer = stage.get(stage.path + "?format=raw", {{"range", "bytes=0-4,-5,90-"}});
  CHECK(answer.status == 206);
  const std::string type = header(answer, "content-type");
  const std::string prefix = "multipart/byteranges; boundary=";
  REQUIRE(type.substr(0, prefix.size()) == prefix);
  CHECK(header(answer, "content-range").empty());
  const std::string boundary = type.substr(prefix.size());
  CHECK(text_of(answer) == "\r\n--" + boundary +
                               "\r\nContent-Type: application/vnd.ipld.raw\r\n"
                               "Content-Range: bytes 0-4/22\r\n\r\nhello\r\n--" +
                               boundary +
                               "\r\nContent-Type: application/vnd.ipld.raw\r\n"
                               "Content-Range: bytes 17-21/22\r\n\r\nworld\r\n--" +
                               boundary + "--\r\n");
}

TEST_CASE("If-Range keeps a client from gluing parts of two versions together") {
  OneBlock stage;
  const std::string target = stage.path + "?format=raw";
  const std::string etag = header(stage.get(target), "etag");
  const auto status = [&](const std::string& condition) {
    return stage.get(target, {{"range", "bytes=0-4"}, {"if-range", condition}}).status;
  };
  CHECK(status(etag) == 206);
  CHECK(status("W/" + etag) == 200);
  CHECK(status("\"other\"") == 200);
  CHECK(status("Sat, 29 Oct 1994 19:43:31 GMT") == 200);
}

TEST_CASE("a block is found by both CID versions and by any codec, each with its own tag") {
  GatewayStage stage;
  const Block root = directory_of({});
  stage.put({root});
  const Cid v0{0, root.cid.codec, root.cid.hash};
  const Cid as_raw = *sync::make_cid(Codec::raw, root.bytes);
  for (const Cid& cid : {root.cid, v0, as_raw}) {
    const auto answer = stage.get("/ipfs/" + cid.to_string() + "?format=raw");
    CHECK(answer.body == root.bytes);
    CHECK(header(answer, "etag") == "\"" + cid.to_string() + ".raw\"");
    CHECK(stage.cids_of(stage.get("/ipfs/" + cid.to_string() + "?format=car")) ==
          std::vector<Cid>{cid});
  }
}

TEST_CASE("identity CIDs are blocks by themselves, and never in a CAR") {
  GatewayStage stage;
  const auto raw = stage.get("/ipfs/bafkqabtimvwgy3yk?format=raw");
  CHECK(text_of(raw) == "hello\n");
  CHECK(header(raw, "x-ipfs-path") == "/ipfs/bafkqabtimvwgy3yk");
  for (const char* dups : {"n", "y"}) {
    const auto car = stage.get(std::string("/ipfs/bafkqaaa?format=car&car-dups=") + dups);
    CHECK(stage.cids_of(car).empty());
    CHECK(car.body == sync::car_header({*Cid::parse("bafkqaaa")}));
  }
}
