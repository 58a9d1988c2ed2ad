// What the embedded node answers as a trustless gateway, group by group of the specification:
// formats, headers, caching and records. Blocks are in trustless_raw_test.cpp, CARs in
// trustless_car_test.cpp.
#include "ipnscast/tests/support/gateways/gateway_stage.h"

using namespace ipnscast;
using namespace ipnscast::test;
using sync::Codec;

namespace {

constexpr const char* kRaw = "application/vnd.ipld.raw";
constexpr const char* kCar = "application/vnd.ipld.car";
constexpr const char* kRecord = "application/vnd.ipfs.ipns-record";

}  // namespace

TEST_CASE("the URL's format wins over the Accept header, which says what caches can key on") {
  OneBlock stage;
  const auto raw_by_url = stage.get(stage.path + "?format=raw", {{"accept", kCar}});
  CHECK(header(raw_by_url, "content-type") == kRaw);
  CHECK(header(raw_by_url, "content-location") == stage.path + "?format=raw");
  const auto car_by_url = stage.get(stage.path + "?format=car", {{"accept", kRaw}});
  CHECK(header(car_by_url, "content-type") == std::string(kCar) + "; version=1; order=dfs; dups=n");
  const auto by_header = stage.get(stage.path, {{"accept", kRaw}});
  CHECK(header(by_header, "content-location") == stage.path + "?format=raw");
  CHECK(header(by_header, "vary") == "Accept");
  const auto both = stage.get(stage.path + "?format=raw", {{"accept", kRaw}});
  CHECK(header(both, "content-location").empty());
  CHECK(header(stage.get(stage.path + "?format=raw"), "content-location").empty());
  CHECK(header(stage.get(stage.path + "?dag-scope=block&filename=a%26b",
                         {{"accept", std::string(kCar) + ";dups=y"}}),
               "content-location") ==
        stage.path +
            "?format=car&dag-scope=block&car-version=1&car-order=dfs&car-dups=y&filename=a%26b");
}

TEST_CASE("of several accepted types the one with the most weight is given") {
  OneBlock stage;
  const auto type = [&](const std::string& accept) {
    return header(stage.get(stage.path, {{"accept", accept}}), "content-type");
  };
  const std::string car = std::string(kCar) + "; version=1; order=dfs; dups=";
  CHECK(type("application/vnd.ipld.car;q=0.5, application/vnd.ipld.raw") == kRaw);
  CHECK(type("text/html, application/vnd.ipld.raw;q=0.1, */*;q=0.8") == kRaw);
  CHECK(type("APPLICATION/VND.IPLD.RAW") == kRaw);
  CHECK(
      type("application/vnd.ipld.car;order=foo, application/vnd.ipld.car;order=dfs;dups=y;q=0.5") ==
      car + "y");
  CHECK(type("application/vnd.ipld.car;version=2, application/vnd.ipld.raw;q=0.5") == kRaw);
  CHECK(type("application/vnd.ipld.car; version=\"1\"; dups=\"y\"") == car + "y");
}

TEST_CASE("what this gateway does not give is refused, with the formats that it gives") {
  OneBlock stage;
  const auto status = [&](const std::string& query, GatewayStage::Headers headers = {}) {
    const auto answer = stage.get(stage.path + query, std::move(headers));
    if (query.find("car") == std::string::npos) {
      CHECK(text_of(answer).find("format=raw") != std::string::npos);
    }
    return answer.status;
  };
  CHECK(status("") == 400);
  CHECK(status("?format=") == 400);
  CHECK(status("?format=pdf") == 400);
  CHECK(status("?format=RAW") == 400);
  CHECK(status("?format=pdf", {{"accept", kRaw}}) == 400);
  for (const char* decoded : {"dag-json", "dag-cbor", "json", "cbor", "tar"}) {
    CHECK(status(std::string("?format=") + decoded) == 406);
  }
  for (const char* accept : {"*/*", "text/html", "application/*", "application/vnd.ipld.raw;q=0",
                             "application/vnd.ipld.rawer", "x-application/vnd.ipld.raw", "raw"}) {
    CAPTURE(accept);
    CHECK(status("", {{"accept", accept}}) == 406);
  }
  CHECK(status("?format=car&car-version=2") == 400);
  CHECK(status("?format=car&car-order=bfs") == 400);
  CHECK(status("?format=car&car-dups=maybe") == 400);
  CHECK(status("?car", {{"accept", "application/vnd.ipld.car; version=2"}}) == 406);
  CHECK(status("?car", {{"accept", "application/vnd.ipld.car; dups=z"}}) == 406);
}

TEST_CASE("malformed CIDs and paths that are none get 400 and 404, other methods 405") {
  OneBlock stage;
  for (const char* cid : {"", "nonsense", "bafkrei", "Qm", "zzzz", "bafkreiaaaa!", "%00", "b"}) {
    CAPTURE(cid);
    CHECK(stage.get(std::string("/ipfs/") + cid + "?format=raw").status == 400);
    CHECK(stage.get(std::string("/ipfs/") + cid + "?format=car").status == 400);
  }
  CHECK(stage.get("/?format=raw").status == 404);
  CHECK(stage.get("/ipfs?format=raw").status == 404);
  CHECK(stage.get("/api/v0/version?format=raw").status == 404);
  for (const char* method : {"POST", "PUT", "DELETE", ""}) {
    const auto refused = stage.get(stage.path + "?format=raw", {}, method);
    CHECK(refused.status == 405);
    CHECK(header(refused, "allow") == "GET, HEAD, OPTIONS");
  }
}

TEST_CASE("any page may read the gateway, and every answer tells it so, errors too") {
  OneBlock stage;
  const auto options = stage.get(stage.path, {{"origin", "https://example.com"}}, "OPTIONS");
  CHECK(options.status == 204);
  CHECK(header(options, "allow") == "GET, HEAD, OPTIONS");
  const auto has = [](const std::string& list, const std::string& name) {
    return (", " + list + ",").find(", " + name + ",") != std::string::npos;
  };
  for (const HttpResponse& answer :
       {options, stage.get(stage.path + "?format=raw"), stage.get(stage.path + "?format=car"),
        stage.get(stage.path), stage.get("/ipfs/nonsense?format=raw"), stage.get("/"),
        stage.get("/ipns/nonsense?format=ipns-record"),
        stage.get(stage.path + "?format=raw", {{"range", "bytes=999-"}}),
        stage.get("/ipfs/" + raw_block("absent").cid.to_string() + "?format=raw"),
        stage.get(stage.path, {}, "POST")}) {
    CAPTURE(answer.status);
    CHECK(header(answer, "access-control-allow-origin") == "*");
    CHECK(header(answer, "access-control-allow-methods") == "GET, HEAD, OPTIONS");
    CHECK(header(answer, "x-content-type-options") == "nosniff");
    for (const char* name : {"Content-Type", "Range", "User-Agent", "X-Requested-With"})
      CHECK(has(header(answer, "access-control-allow-headers"), name));
    for (const char* name : {"Content-Range", "Content-Length", "X-Ipfs-Path", "X-Ipfs-Roots",
                             "X-Chunked-Output", "X-Stream-Output"})
      CHECK(has(header(answer, "access-control-expose-headers"), name));
  }
}

TEST_CASE("roots name every step of a path, and the path is told as it was asked for") {
  GatewayStage stage;
  const Block leaf = raw_block("leaf");
  const Block inner = directory_of({{"höhle & co", leaf}});
  const Block root = directory_of({{"inner", inner}});
  stage.put({leaf, inner, root});
  const std::string cid = root.cid.to_string();
  const auto answer = stage.get("/ipfs/" + cid + "/inner/höhle & co?format=raw");
  CHECK(answer.body == leaf.bytes);
  CHECK(header(answer, "x-ipfs-path") == "/ipfs/" + cid + "/inner/h%C3%B6hle%20&%20co");
  CHECK(header(answer, "x-ipfs-roots") ==
        cid + "," + inner.cid.to_string() + "," + leaf.cid.to_string());
  CHECK(header(stage.get("/ipfs/" + cid + "/inner/?format=car"), "x-ipfs-roots") ==
        cid + "," + inner.cid.to_string());
}

TEST_CASE("headers that would be long are left out and do not break the answer") {
  GatewayStage stage;
  Block block = raw_block("deep");
  std::vector<Block> all = {block};
  std::string path;
  for (int i = 0; i < 100; ++i) {
    block = directory_of({{"a rather long name", block}});
    all.push_back(block);
    path += "/a rather long name";
  }
  stage.put(all);
  const auto answer =
      stage.get("/ipfs/" + block.cid.to_string() + path + "?format=raw", {{"accept", kCar}});
  CHECK(text_of(answer) == "deep");
  size_t bytes = 0;
  for (const auto& [name, value] : answer.headers) bytes += name.size() + value.size() + 4;
  CHECK(bytes < 8000);
  CHECK(header(answer, "x-ipfs-roots").empty());
  CHECK(header(answer, "x-ipfs-path").empty());
}

TEST_CASE("filename names the download, whatever the format") {
  OneBlock stage;
  const auto key = record_key(1);
  REQUIRE(stage.records->offer(key.name(), record_of(key, 1), kNodeTime));
  const std::string query = "&filename=test%D1%82%D0%B5%D1%81%D1%82.pdf";
  for (const std::string& target :
       {stage.path + "?format=raw" + query, stage.path + "?format=car" + query,
        "/ipns/" + key.name().to_string() + "?format=ipns-record" + query}) {
    CHECK(header(stage.get(target), "content-disposition") ==
          "attachment; filename=\"test____.pdf\"; "
          "filename*=UTF-8''test%D1%82%D0%B5%D1%81%D1%82.pdf");
  }
  CHECK(header(stage.get(stage.path + "?format=raw&filename="), "content-disposition") ==
        "attachment; filename=\"" + stage.cid + ".bin\"");
}

TEST_CASE("nothing that a client sends can begin a header of its own") {
  GatewayStage stage;
  const Block leaf = raw_block("leaf");
  const Block root = directory_of({{"a\r\nSet-Cookie: x", leaf}});
  stage.put({leaf, root});
  const std::string path = "/ipfs/" + root.cid.to_string();
  const std::string evil = "%0d%0aSet-Cookie:%20x";
  for (const HttpResponse& answer :
       {stage.get(path + "/a\r\nSet-Cookie: x?format=raw&filename=" + evil),
        stage.get(path + "?dag-scope=all" + evil + "&filename=" + evil, {{"accept", kCar}}),
        stage.get(path + "?entity-bytes=0:*" + evil + "&filename=" + evil, {{"accept", kCar}}),
        stage.get(path + "?filename=" + evil, {{"accept", kCar}}),
        stage.get(path + "?format=" + evil), stage.get("/ipns/a\r\nb?format=ipns-record")}) {
    for (const auto& [name, value] : answer.headers) {
      CAPTURE(name, value);
      for (const char c : value) CHECK(static_cast<uint8_t>(c) >= 0x20);
    }
  }
}

TEST_CASE("a client that has an answer already gets 304 without a body") {
  OneBlock stage;
  for (const char* query : {"?format=raw", "?format=car", "?format=car&car-dups=y"}) {
    const std::string target = stage.path + query;
    const std::string etag = header(stage.get(target), "etag");
    const std::string strong = etag.rfind("W/", 0) == 0 ? etag.substr(2) : etag;
    for (const std::string& known :
         {etag, strong, "W/" + strong, "\"x\" , " + etag, "\"y\"," + etag, std::string("*")}) {
      CAPTURE(known);
      const auto answer = stage.get(target, {{"if-none-match", known}});
      CHECK(answer.status == 304);
      CHECK(answer.body.empty());
      CHECK(header(answer, "etag") == etag);
      CHECK(header(answer, "cache-control") == "public, max-age=29030400, immutable");
    }
    CHECK(stage.get(target, {{"if-none-match", "\"other\""}}).status == 200);
    CHECK(stage.get(target, {{"if-none-match", stage.cid}}).status == 200);
  }
}

TEST_CASE("what is not here is 404, and 412 without a body for who wants it from the cache only") {
  OneBlock stage;
  const std::string absent = "/ipfs/" + raw_block("absent").cid.to_string();
  for (const char* query : {"?format=raw", "?format=car"}) {
    for (const char* method : {"GET", "HEAD"}) {
      CHECK(stage.get(absent + query, {}, method).status == 404);
      CHECK(header(stage.get(absent + query, {}, method), "cache-control") == "no-store");
      for (const char* directive : {"only-if-cached", "max-age=0, Only-If-Cached"}) {
        const auto refused = stage.get(absent + query, {{"cache-control", directive}}, method);
        CHECK(refused.status == 412);
        CHECK(refused.body.empty());
        CHECK(stage.get(stage.path + query, {{"cache-control", directive}}, method).status == 200);
      }
      CHECK(stage.get(absent + query, {{"cache-control", "x-only-if-cached"}}, method).status ==
            404);
    }
  }
  const std::string name = "/ipns/" + record_key(1).name().to_string() + "?format=ipns-record";
  CHECK(stage.get(name).status == 404);
  CHECK(stage.get(name, {{"cache-control", "only-if-cached"}}).status == 412);
}

TEST_CASE("HEAD gives the headers of GET in every format, and a range means nothing to it") {
  OneBlock stage;
  const auto key = record_key(1);
  REQUIRE(stage.records->offer(key.name(), record_of(key, 1), kNodeTime));
  for (const std::string& target :
       {stage.path + "?format=raw", stage.path + "?format=car",
        stage.path + "?format=car&car-dups=y", std::string("/ipfs/bafkqaaa?format=raw"),
        "/ipns/" + key.name().to_string() + "?format=ipns-record", stage.path, stage.path + "/x",
        std::string("/ipfs/x?format=raw")}) {
    CAPTURE(target);
    const auto get = stage.get(target);
    const bool length_unknown = stage.streamed;
    const auto head = stage.get(target, {}, "HEAD");
    CHECK(head.status == get.status);
    CHECK(head.headers == get.headers);
    CHECK(stage.streamed == length_unknown);
    // of what is not streamed the server tells the length and drops the body
    CHECK((stage.streamed ? head.body.empty() : head.body.size() == get.body.size()));
  }
  CHECK(stage.get(stage.path + "?format=raw", {{"range", "bytes=0-1"}}, "HEAD").status == 200);
  CHECK(stage.get(stage.path + "?format=car", {{"range", "bytes=0-1"}}).status == 200);
}

TEST_CASE("a path into what is no directory is 404, one that ends inside a block 501") {
  GatewayStage stage;
  const Block leaf = raw_block("leaf");
  const sync::CborMap map = {{"file", {leaf.cid}}, {"title", {std::string("words")}}};
  const Block document = block_of(Codec::dag_cbor, sync::encode_dag_cbor({map}));
  const Block root = directory_of({{"doc", document}, {"leaf", leaf}});
  stage.put({leaf, document, root});
  const std::string path = "/ipfs/" + root.cid.to_string();
  for (const std::string format : {"?format=raw", "?format=car"}) {
    CHECK(stage.get(path + "/doc/file" + format).status == 200);
    CHECK(stage.get(path + "/doc/title" + format).status == 501);
    CHECK(stage.get(path + "/doc/other" + format).status == 404);
    CHECK(stage.get(path + "/leaf/below" + format).status == 404);
    const auto none = stage.get(path + "/nobody" + format);
    CHECK(none.status == 404);
    CHECK(text_of(none).find("nobody") != std::string::npos);
  }
}

TEST_CASE("a record comes as a file of its name's, with the caching of its TTL") {
  GatewayStage stage;
  const auto key = record_key(1);
  const std::string name = key.name().to_string();
  const Bytes record = record_of(key, 2);
  REQUIRE(stage.records->offer(key.name(), record, kNodeTime));
  const std::string target = "/ipns/" + name;
  const auto by_url = stage.get(target + "?format=ipns-record");
  CHECK(by_url.status == 200);
  CHECK(by_url.body == record);
  CHECK(header(by_url, "content-type") == kRecord);
  CHECK(header(by_url, "content-disposition") ==
        "attachment; filename=\"" + name + ".ipns-record\"");
  CHECK(header(by_url, "cache-control") == "public, max-age=300");  // the five minutes of its TTL
  CHECK(header(by_url, "x-ipfs-path") == target);
  const std::string etag = header(by_url, "etag");
  CHECK(etag.front() == '"');
  const auto known = stage.get(target + "?format=ipns-record", {{"if-none-match", etag}});
  CHECK(known.status == 304);
  CHECK(known.body.empty());
  CHECK(header(known, "cache-control") == header(by_url, "cache-control"));
  const auto by_header = stage.get(target, {{"accept", kRecord}});
  CHECK(by_header.body == record);
  CHECK(header(by_header, "content-location") == target + "?format=ipns-record");
  CHECK(stage.get(target + "/?format=ipns-record").body == record);
  CHECK(stage.get("/ipns/" + key.name().base58() + "?format=ipns-record").body == record);
}

TEST_CASE("only records of names are given: no paths, no content by name, no records of content") {
  OneBlock stage;
  const auto key = record_key(1);
  REQUIRE(stage.records->offer(key.name(), record_of(key, 2), kNodeTime));
  const std::string target = "/ipns/" + key.name().to_string();
  CHECK(stage.get(target + "/path?format=ipns-record").status == 400);
  CHECK(stage.get("/ipns/example.com?format=ipns-record").status == 400);
  CHECK(stage.get("/ipns/?format=ipns-record").status == 400);
  CHECK(stage.get(target + "?format=raw").status == 406);
  CHECK(stage.get(target + "?format=car").status == 406);
  CHECK(stage.get(target, {{"accept", "*/*"}}).status == 406);
  CHECK(stage.get(target).status == 400);
  CHECK(stage.get(stage.path + "?format=ipns-record").status == 400);
}
