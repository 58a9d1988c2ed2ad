// The CARs that the embedded node gives as a trustless gateway: their blocks, in which order, and
// how often. The official fixtures are used where they are at hand.
#include <algorithm>

#include "ipnscast/bridge/node/rpc_routes.h"
#include "ipnscast/tests/support/gateways/gateway_stage.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

using Cids = std::vector<Cid>;

std::string content_type(const HttpResponse& answer) { return answer.headers.at("content-type"); }

// A directory that holds one file twice, and a file that holds one part three times.
struct Twins : GatewayStage {
  Twins() { put({a, b, file, inner, root}); }
  const Block a = raw_block("aaaa");
  const Block b = raw_block("bbbb");
  const Block file = file_of({a, a, b, a});
  const Block inner = directory_of({{"a", a}, {"file", file}});
  const Block root = directory_of({{"copy", a}, {"inner", inner}, {"z", inner}});
  const std::string path = "/ipfs/" + root.cid.to_string();
  // with all repeats
  const Cids file_dfs = {file.cid, a.cid, a.cid, b.cid, a.cid};
  const Cids root_dfs = {root.cid, a.cid,     inner.cid, a.cid,    file.cid, a.cid, a.cid, b.cid,
                         a.cid,    inner.cid, a.cid,     file.cid, a.cid,    a.cid, b.cid, a.cid};
};

Cids first_of_each(const Cids& cids) {
  Cids out;
  for (const Cid& cid : cids) {
    if (std::find(out.begin(), out.end(), cid) == out.end()) out.push_back(cid);
  }
  return out;
}

// A file of 10 bytes in four parts, of which the last hangs below a node of its own.
struct ByteFile : GatewayStage {
  ByteFile() {
    for (const Block& part : parts) put({part});
    put({tail, file});
  }
  const std::vector<Block> parts = {raw_block("012"), raw_block("345"), raw_block("67"),
                                    raw_block("89")};
  const Block tail = file_of({parts[2], parts[3]});
  const Block file = make_file();
  const std::string target = "/ipfs/" + file.cid.to_string() + "?format=car";

  Block make_file() const {
    sync::PbNode node;
    sync::UnixfsData data{.type = sync::UnixfsType::file};
    data.filesize = 10;
    data.blocksizes = {3, 3, 4};
    for (const Block& child : {parts[0], parts[1], tail})
      node.links.push_back({child.cid, "", child.bytes.size()});
    node.data = sync::encode_unixfs(data);
    return block_of(sync::Codec::dag_pb, sync::encode_dag_pb(node));
  }
  // Which parts come for the range, as digits; T is the inner node. The file's root always does.
  std::string parts_for(const std::string& range, const std::string& more = "") {
    const auto answer = get(target + "&entity-bytes=" + range + more);
    if (answer.status != 200) return std::to_string(answer.status);
    const Cids cids = cids_of(answer);
    if (cids.empty() || cids.front() != file.cid) return "no root";
    std::string out;
    for (auto cid = cids.begin() + 1; cid != cids.end(); ++cid) {
      for (size_t i = 0; i < parts.size(); ++i) {
        if (*cid == parts[i].cid) out += static_cast<char>('0' + i);
      }
      if (*cid == tail.cid) out += 'T';
    }
    return out;
  }
};

struct Fixture : GatewayStage {
  bridge::RpcRoutes rpc{*blocks, *records};
  void import(const std::filesystem::path& file) {
    const std::string car = read_file(file);
    REQUIRE(
        rpc.answer(upload("/api/v0/dag/import?pin-roots=false", as_bytes(car)), kNodeTime).status ==
        200);
  }
};

}  // namespace

TEST_CASE("dups=y sends a block in each of its places, dups=n in the first, and both are told") {
  Twins stage;
  const std::string type = "application/vnd.ipld.car; version=1; order=dfs; dups=";
  const auto check = [&](const std::string& query, const std::string& accept, bool dups) {
    CAPTURE(query, accept);
    GatewayStage::Headers headers;
    if (!accept.empty()) headers["accept"] = accept;
    const auto answer = stage.get(stage.path + query, headers);
    CHECK(content_type(answer) == type + (dups ? "y" : "n"));
    CHECK(stage.cids_of(answer) == (dups ? stage.root_dfs : first_of_each(stage.root_dfs)));
    CHECK_FALSE(stage.cut);
  };
  const std::string car = "application/vnd.ipld.car";
  check("?format=car", "", false);
  check("?format=car&car-dups=n", "", false);
  check("?format=car&car-dups=y", "", true);
  check("?format=car&car-dups=y&car-order=dfs&car-version=1", "", true);
  check("", car + ";dups=y", true);
  check("", car + "; version=1; order=dfs; dups=y", true);
  check("", car + "; order=unk", false);
  check("", car + "; order=unk; dups=y", true);
  check("", car + "; order=; dups=; version=", false);
  check("?format=car", car + "; version=1; order=dfs; dups=y", true);
  check("?format=car&car-dups=y", car + "; dups=n", true);
  check("?format=car&car-dups=n", car + "; dups=y", false);
  check("?format=car&car-order=dfs", car + "; order=unk", false);
  check("?car-dups=y", car, true);
}

TEST_CASE("dups=y holds for every scope, and the tag of each form is its own") {
  Twins stage;
  const std::string file = stage.path + "/inner/file?format=car&car-dups=y";
  Cids all = {stage.root.cid, stage.inner.cid};
  all.insert(all.end(), stage.file_dfs.begin(), stage.file_dfs.end());
  CHECK(stage.cids_of(stage.get(file)) == all);
  CHECK(stage.cids_of(stage.get(file + "&dag-scope=entity")) == all);
  CHECK(stage.cids_of(stage.get(file + "&entity-bytes=0:*")) == all);
  CHECK(stage.cids_of(stage.get(file + "&entity-bytes=4:8")) ==
        Cids{stage.root.cid, stage.inner.cid, stage.file.cid, stage.a.cid, stage.b.cid});
  CHECK(stage.cids_of(stage.get(file + "&entity-bytes=0:7")) ==
        Cids{stage.root.cid, stage.inner.cid, stage.file.cid, stage.a.cid, stage.a.cid});
  CHECK(stage.cids_of(stage.get(file + "&dag-scope=block")) ==
        Cids{stage.root.cid, stage.inner.cid, stage.file.cid});
  std::set<std::string> tags;
  size_t forms = 0;
  for (const char* path : {"", "/inner", "/z", "/inner/file", "/z/file"}) {
    for (const char* form : {"", "&car-dups=y", "&dag-scope=block", "&dag-scope=entity",
                             "&entity-bytes=0:*", "&entity-bytes=1:*", "&entity-bytes=0:1"}) {
      const std::string tag = stage.get(stage.path + path + "?format=car" + form).headers["etag"];
      CHECK(tag.substr(0, 3) == "W/\"");
      CHECK(tag.find(".car.") != tag.npos);
      tags.insert(tag);
      ++forms;
    }
  }
  CHECK(tags.size() == forms);
}

TEST_CASE("a few blocks that hold each other very often end a stream instead of lasting for ever") {
  GatewayStage stage;
  // The leaves are in their CIDs, so that nothing is sent that would slow the walk down.
  const Block leaf{*Cid::parse("bafkqaaa"), {}};
  std::vector<Block> levels = {directory_of({{"a", leaf}, {"b", leaf}})};
  for (int i = 0; i < 22; ++i)
    levels.push_back(directory_of({{"a", levels.back()}, {"b", levels.back()}}));
  stage.put(levels);
  const std::string target = "/ipfs/" + levels.back().cid.to_string() + "?format=car&car-dups=";
  CHECK(stage.cids_of(stage.get(target + "n")).size() == levels.size());
  CHECK_FALSE(stage.cut);
  stage.get(target + "y");
  CHECK(stage.cut);
}

TEST_CASE(
    "dag-scope=block, entity and all give the end of the path, and the blocks that lead to it") {
  Twins stage;
  const std::string inner = stage.path + "/inner?format=car";
  const Cids way = {stage.root.cid, stage.inner.cid};
  CHECK(stage.cids_of(stage.get(inner + "&dag-scope=block")) == way);
  CHECK(stage.cids_of(stage.get(inner + "&dag-scope=entity")) == way);
  const Cids below = {stage.root.cid, stage.inner.cid, stage.a.cid, stage.file.cid, stage.b.cid};
  CHECK(stage.cids_of(stage.get(inner + "&dag-scope=all")) == below);
  CHECK(stage.cids_of(stage.get(inner)) == below);
  CHECK(stage.cids_of(stage.get(inner + "&dag-scope=")) == below);
  for (const char* scope : {"most", "BLOCK", "all,block", "%20all"})
    CHECK(stage.get(inner + "&dag-scope=" + scope).status == 400);
}

TEST_CASE("entity-bytes gives the blocks that hold the range and those above them, no others") {
  ByteFile stage;
  CHECK(stage.parts_for("0:*") == "01T23");
  CHECK(stage.parts_for("0:0") == "0");
  CHECK(stage.parts_for("2:3") == "01");
  CHECK(stage.parts_for("3:5") == "1");
  CHECK(stage.parts_for("5:6") == "1T2");
  CHECK(stage.parts_for("8:8") == "T3");
  CHECK(stage.parts_for("6:*") == "T23");
  CHECK(stage.parts_for("-1:*") == "T3");
  CHECK(stage.parts_for("-4:-3") == "T2");
  CHECK(stage.parts_for("-999:*") == "01T23");
  CHECK(stage.parts_for("-999:-8") == "0");
  CHECK(stage.parts_for("3:-5") == "1");
  CHECK(stage.parts_for("0:-1") == "01T23");
  CHECK(stage.parts_for("9:999") == "T3");
  CHECK(stage.parts_for("0:9223372036854775807") == "01T23");
  CHECK(stage.parts_for("0:0", "&dag-scope=entity") == "0");
  CHECK(stage.parts_for("0:0", "&dag-scope=block") == "");
}

TEST_CASE("a range beyond the file, or of nothing, gives the root that shows why") {
  ByteFile stage;
  CHECK(stage.parts_for("10:*") == "");
  CHECK(stage.parts_for("10:20") == "");
  CHECK(stage.parts_for("9223372036854775807:*") == "");
  CHECK(stage.parts_for("0:-999") == "");
  CHECK(stage.parts_for("7:-8") == "");
}

TEST_CASE("an entity-bytes that no file could satisfy is refused") {
  ByteFile stage;
  for (const char* bad : {"", "5", ":", "0:", ":5", "*:5", "a:b", "0:x", "0:5:6", "0-5", "5:4",
                          "-3:-4", "0:99999999999999999999", "%200:1", "1.5:2", "0x0:1"}) {
    CAPTURE(bad);
    CHECK(stage.parts_for(bad) == "400");
  }
}

TEST_CASE("entity-bytes means nothing to what has no bytes in a row") {
  Twins stage;
  CHECK(stage.cids_of(stage.get(stage.path + "?format=car&entity-bytes=1:2")) ==
        Cids{stage.root.cid});
  CHECK(stage.cids_of(stage.get(stage.path + "?format=car&entity-bytes=99:*")) ==
        Cids{stage.root.cid});
  const sync::CborMap map = {{"file", {stage.a.cid}}};
  const Block document = block_of(sync::Codec::dag_cbor, sync::encode_dag_cbor({map}));
  stage.put({document});
  const std::string target = "/ipfs/" + document.cid.to_string() + "?format=car";
  CHECK(stage.cids_of(stage.get(target + "&entity-bytes=0:*")) == Cids{document.cid});
  CHECK(stage.cids_of(stage.get(target + "&dag-scope=entity")) == Cids{document.cid});
  CHECK(stage.cids_of(stage.get(target)) == Cids{document.cid, stage.a.cid});
  CHECK(stage.cids_of(
            stage.get("/ipfs/" + document.cid.to_string() + "/file?format=car&dag-scope=block")) ==
        Cids{document.cid, stage.a.cid});
}

TEST_CASE("a range is served when blocks outside of it are missing") {
  ByteFile stage;
  GatewayStage holes;
  holes.put({stage.file, stage.parts[1]});
  const std::string target = stage.target + "&entity-bytes=";
  CHECK(holes.cids_of(holes.get(target + "3:5")) == Cids{stage.file.cid, stage.parts[1].cid});
  CHECK_FALSE(holes.cut);
  holes.get(target + "3:6");
  CHECK(holes.cut);
}

TEST_CASE("the official directory with twin files comes with and without its twins") {
  const auto vectors = official_vectors();
  if (!vectors) SKIP_TEST("no official vectors");
  const auto file = *vectors / "car/dir-with-duplicate-files.car";
  if (!std::filesystem::exists(file)) SKIP_TEST("no such official vector");
  Fixture stage;
  stage.import(file);
  Cids held;
  sync::CarReader reader([&](const sync::CarSection& section) {
    held.push_back(section.cid);
    return Status{};
  });
  const std::string bytes = read_file(file);
  REQUIRE(reader.feed(as_bytes(bytes)));
  const std::string target = "/ipfs/" + held.front().to_string() + "?format=car&car-dups=";
  const Cids once = stage.cids_of(stage.get(target + "n"));
  const Cids often = stage.cids_of(stage.get(target + "y"));
  CHECK(first_of_each(once) == once);
  CHECK(first_of_each(often) == once);
  CHECK(often.size() > once.size());
}

TEST_CASE("a HAMT directory's ranges, entity and paths are its shards and the way through them") {
  const auto vectors = official_vectors();
  if (!vectors) SKIP_TEST("no official vectors");
  Fixture stage;
  stage.import(*vectors / "car/single-layer-hamt-with-multi-block-files.car");
  const std::string root = "bafybeidbclfqleg2uojchspzd4bob56dqetqjsj27gy2cq3klkkgxtpn4i";
  const Cids entity = stage.cids_of(stage.get("/ipfs/" + root + "?format=car&dag-scope=entity"));
  CHECK(entity.size() > 1);
  CHECK(stage.cids_of(stage.get("/ipfs/" + root + "?format=car&entity-bytes=0:1")) == entity);
  const Cids way =
      stage.cids_of(stage.get("/ipfs/" + root + "/685.txt?format=car&dag-scope=block"));
  CHECK(way.size() > 2);
  CHECK(way.size() < entity.size());
  CHECK(way.front().to_string() == root);
  const std::string roots =
      stage.get("/ipfs/" + root + "/685.txt?format=car").headers.at("x-ipfs-roots");
  CHECK(roots == root + "," + way.back().to_string());
}
