#include "ipnscast/sync/ipfs/ipld/car.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/sync/ipfs/ipld/car_file.h"
#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"
#include "ipnscast/sync/ipfs/unixfs/directory_reader.h"
#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/car_v2.h"
#include "ipnscast/tests/support/gateways/memory_blocks.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::sync;
namespace fs = std::filesystem;

namespace {

struct Parsed {
  std::vector<Cid> roots;
  std::vector<Cid> cids;
  std::vector<uint64_t> offsets;
  test::MemoryBlocks blocks;
  Status status;
};

Parsed parse(ByteView bytes, size_t piece) {
  Parsed out;
  CarReader reader([&](const CarSection& section) {
    out.cids.push_back(section.cid);
    out.offsets.push_back(section.offset);
    return out.blocks.put(section.cid, section.block);
  });
  for (; !bytes.empty() && out.status; bytes = bytes.subspan(std::min(piece, bytes.size()))) {
    out.status = reader.feed(bytes.first(std::min(piece, bytes.size())));
  }
  if (out.status) out.status = reader.finish();
  out.roots = reader.roots();
  return out;
}

Bytes small_car() {
  const Bytes block = to_bytes("block");
  const Cid cid = *make_cid(Codec::raw, block);
  Bytes out = car_header({cid});
  append_car_section(out, cid, block);
  return out;
}

}  // namespace

TEST_CASE("every block of the official CARs is verified, fed in pieces of any size") {
  const auto vectors = test::official_vectors();
  if (!vectors) SKIP_TEST("no official vectors");
  struct Row {
    const char* file;
    size_t blocks;
    bool is_complete;
  };
  const Row rows[] = {
      {"carv1-basic.car", 8, true},
      {"dir-with-dag-cbor-with-links.car", 0, true},
      {"dir-with-duplicate-files.car", 0, true},
      {"dir-with-files.car", 0, true},
      {"dir-with-percent-encoded-filename.car", 0, true},
      {"file-3k-and-3-blocks-missing-block.car", 0, false},
      {"single-layer-hamt-with-multi-block-files.car", 243, true},
      {"subdir-with-mixed-block-files.car", 0, true},
      {"subdir-with-two-single-block-files.car", 0, true},
  };
  for (const Row& row : rows) {
    INFO("car/" << row.file);
    const std::string bytes = test::read_file(*vectors / "car" / row.file);
    Parsed whole = parse(as_bytes(bytes), bytes.size());
    REQUIRE(whole.status);
    REQUIRE_FALSE(whole.roots.empty());
    if (row.blocks > 0) CHECK(whole.cids.size() == row.blocks);
    for (const size_t piece : {1, 7, 1000}) CHECK(parse(as_bytes(bytes), piece).cids == whole.cids);
    const auto walked = walk_dag(whole.blocks, whole.roots.front());
    REQUIRE(walked);
    CHECK(walked->is_complete() == row.is_complete);
    // The same file again, cut or altered anywhere: never the same blocks with other bytes.
    for (size_t at = 0; at < bytes.size(); at += bytes.size() / 97 + 1) {
      std::string altered = bytes;
      altered[at] = static_cast<char>(altered[at] ^ 0x55);
      const Parsed cut = parse(as_bytes(bytes).first(at), 4096);
      CHECK((!cut.status || cut.cids.size() < whole.cids.size()));
      Parsed other = parse(as_bytes(altered), 4096);
      CHECK((!other.status || other.roots != whole.roots || other.cids != whole.cids));
    }
  }
}

TEST_CASE("carv1-basic.car is what carv1-basic.json says") {
  const auto vectors = test::official_vectors();
  if (!vectors) SKIP_TEST("no official vectors");
  const std::string bytes = test::read_file(*vectors / "car/carv1-basic.car");
  const auto json =
      nlohmann::json::parse(test::read_file(*vectors / "car/carv1-basic.json"), nullptr, false);
  REQUIRE_FALSE(json.is_discarded());
  const Parsed parsed = parse(as_bytes(bytes), 3);
  REQUIRE(parsed.status);
  REQUIRE(json["blocks"].size() == parsed.cids.size());
  for (size_t i = 0; i < parsed.cids.size(); ++i) {
    CHECK(json["blocks"][i]["cid"]["/"] == parsed.cids[i].to_string());
    CHECK(json["blocks"][i]["blockOffset"] == parsed.offsets[i]);
  }
  REQUIRE(json["header"]["roots"].size() == parsed.roots.size());
  CHECK(json["header"]["roots"][0]["/"] == parsed.roots[0].to_string());
  CHECK(as_text(car_header(parsed.roots)) ==
        std::string_view(bytes).substr(0, car_header(parsed.roots).size()));
}

TEST_CASE("the official sharded directory has its 1,000 names, each found by its hash") {
  const auto vectors = test::official_vectors();
  if (!vectors) SKIP_TEST("no official vectors");
  auto car = CarFile::open(*vectors / "car/single-layer-hamt-with-multi-block-files.car");
  REQUIRE(car);
  const Cid root = (*car)->roots().front();
  const auto node = decode_node(root, *read_block(**car, root));
  REQUIRE(node);
  size_t names = 0;
  REQUIRE(read_directory(**car, *node, [&](const std::string& name, const Cid& cid) {
    ++names;
    const auto found = resolve_path(**car, root, name);
    return found && *found == cid ? Status() : fail(Errc::internal, name);
  }));
  CHECK(names == 1000);
}

TEST_CASE("official directories unpack; the one with a hole leaves nothing behind") {
  const auto vectors = test::official_vectors();
  if (!vectors) SKIP_TEST("no official vectors");
  const test::TempDir temp;
  for (const auto* file :
       {"dir-with-duplicate-files.car", "dir-with-files.car",
        "dir-with-percent-encoded-filename.car", "subdir-with-mixed-block-files.car",
        "subdir-with-two-single-block-files.car"}) {
    INFO("car/" << file);
    auto car = CarFile::open(*vectors / "car" / file);
    REQUIRE(car);
    const auto out = unpack(**car, (*car)->roots().front(), temp.path() / file);
    REQUIRE(out);
    CHECK(out->files > 0);
  }
  auto car = CarFile::open(*vectors / "car/file-3k-and-3-blocks-missing-block.car");
  REQUIRE(car);
  const test::TempDir empty;
  CHECK(unpack(**car, (*car)->roots().front(), empty.path() / "out").error().code ==
        Errc::not_found);
  CHECK(fs::is_empty(empty.path()));
}

TEST_CASE("a path goes on through dag-cbor maps and links") {
  test::MemoryBlocks blocks;
  const Cid leaf = blocks.add(Codec::raw, as_bytes("x"));
  const CborMap inner = {{"list", {CborList{{uint64_t{1}}, {leaf}}}}};
  const Cid root = blocks.add(Codec::dag_cbor, encode_dag_cbor({CborMap{{"a", {inner}}}}));
  CHECK(*resolve_path(blocks, root, "/a/list/1") == leaf);
  CHECK(resolve_path(blocks, root, "/a/list/0").error().code == Errc::mismatch);
  CHECK(resolve_path(blocks, root, "/a/list/2").error().code == Errc::not_found);
  CHECK(resolve_path(blocks, root, "/a/list/x").error().code == Errc::not_found);
  CHECK(*block_links(root, blocks.blocks[block_key(root)]) == std::vector<Cid>{leaf});
}

TEST_CASE("a stream that is cut, padded, oversized or no CAR is refused") {
  const Bytes good = small_car();
  CHECK(parse(good, 1).status);
  for (size_t size = 0; size + 1 < good.size(); ++size) {
    const Parsed cut = parse(ByteView(good).first(size), 5);
    CHECK((!cut.status || cut.cids.empty()));
  }
  CHECK_FALSE(parse(ByteView(good).first(good.size() - 1), 5).status);
  Bytes bad = good;
  bad.push_back(0);
  CHECK(parse(bad, 5).status.error().code == Errc::parse);
  bad = good;
  bad.back() ^= 1;
  CHECK(parse(bad, 5).status.error().code == Errc::signature);
  bad = car_header({});
  append(bad, *from_hex("ffffff7f"));
  CHECK(parse(bad, 5).status.error().code == Errc::too_large);
  CHECK(parse(*from_hex("0aa16776657273696f6e03"), 5).status.error().code == Errc::unsupported);
  CHECK_FALSE(parse(as_bytes("<html><body>504 Gateway Time-out</body></html>"), 5).status);
  CHECK_FALSE(parse({}, 5).status);
  bad = car_header({});
  append_car_section(bad, Cid{1, 0x55, {0x11, Bytes(20, 1)}}, as_bytes("sha1"));
  CHECK(parse(bad, 5).status.error().code == Errc::unsupported);
}

TEST_CASE("a CARv2 gives the blocks of the CARv1 inside, fed in pieces of any size (F8)") {
  const Bytes inner = small_car();
  const auto wanted = parse(inner, 1).cids;
  REQUIRE_FALSE(wanted.empty());
  for (const uint64_t offset : {51u, 52u, 200u}) {
    const Bytes outer = test::car_v2(inner, offset, inner.size());
    for (const size_t piece : {size_t{1}, size_t{7}, outer.size()}) {
      const Parsed read = parse(outer, piece);
      CHECK(read.status);
      CHECK(read.cids == wanted);
    }
    for (size_t size = 0; size < offset + inner.size(); ++size)
      CHECK_FALSE(parse(ByteView(outer).first(size), 5).status);
  }
  CHECK(parse(test::car_v2(inner, 50, inner.size()), 5).status.error().code == Errc::parse);
  CHECK_FALSE(parse(test::car_v2(inner, 51, inner.size() - 1), 5).status);
  CHECK_FALSE(parse(test::car_v2(inner, 51, 0), 5).status);
  Bytes far = test::car_v2(inner, 51, inner.size());
  for (size_t i = 27; i < 35; ++i) far[i] = 0xff;  // where the inner one would begin
  CHECK_FALSE(parse(far, 5).status);
  CHECK_FALSE(
      parse(test::car_v2(test::car_v2(inner, 51, inner.size()), 51, inner.size() + 101), 5).status);
}

TEST_CASE(
    "of a CAR file the good copies count, in whatever order; altered blocks are told from missing "
    "ones") {
  const test::TempDir temp;
  const Bytes one = to_bytes("one");
  const Bytes two = to_bytes("two");
  const Cid first = *make_cid(Codec::raw, one);
  const Cid second = *make_cid(Codec::raw, two);
  Bytes bytes = car_header({});
  append_car_section(bytes, first, as_bytes("lie"));
  append_car_section(bytes, second, as_bytes("lie"));
  append_car_section(bytes, first, one);
  append_car_section(bytes, first, as_bytes("lie"));
  std::ofstream(temp.path() / "f.car", std::ios::binary) << as_text(bytes);
  auto car = CarFile::open(temp.path() / "f.car");
  REQUIRE(car);
  CHECK(*read_block(**car, first) == one);
  CHECK(read_block(**car, second).error().code == Errc::signature);
  CHECK(read_block(**car, *make_cid(Codec::raw, as_bytes("three"))).error().code ==
        Errc::not_found);
  CHECK(CarFile::open(temp.path() / "absent").error().code == Errc::not_found);
  CHECK_FALSE(CarFile::open(temp.path()));
}

TEST_CASE("a CAR file appears when it is finished and not before") {
  const test::TempDir temp;
  const fs::path file = temp.path() / "out.car";
  const Bytes block = to_bytes("block");
  const Cid root = *make_cid(Codec::raw, block);
  {
    auto abandoned = CarFileWriter::create(file);
    REQUIRE(abandoned);
    REQUIRE((*abandoned)->put(root, block));
  }
  CHECK(fs::is_empty(temp.path()));
  auto writer = CarFileWriter::create(file);
  REQUIRE(writer);
  REQUIRE((*writer)->put(root, block));
  REQUIRE((*writer)->put(root, block));
  CHECK((*writer)->block_count() == 1);
  REQUIRE((*writer)->finish(root));
  CHECK(test::read_file(file) == as_text(small_car()));
  CHECK((*writer)->byte_count() == small_car().size());
  CHECK(CarFileWriter::create(temp.path() / "no/such/place").error().code == Errc::io);
}

TEST_CASE("walking a DAG lists what is missing once and keeps to its budgets") {
  test::MemoryBlocks blocks;
  const Cid leaf = blocks.add(Codec::raw, as_bytes("leaf"));
  const Cid missing = *make_cid(Codec::raw, as_bytes("missing"));
  const Cid middle =
      blocks.add(Codec::dag_cbor, encode_dag_cbor({CborList{{leaf}, {missing}, {leaf}}}));
  const Cid root =
      blocks.add(Codec::dag_cbor, encode_dag_cbor({CborList{{middle}, {missing}, {middle}}}));
  std::vector<Cid> seen;
  const auto walked = walk_dag(blocks, root, {}, [&](const Cid& cid, ByteView) {
    seen.push_back(cid);
    return Status();
  });
  REQUIRE(walked);
  CHECK(walked->missing == std::vector<Cid>{missing});
  CHECK(seen == std::vector<Cid>{root, middle, leaf});
  CHECK(walk_dag(blocks, root, {.max_bytes = 100}).error().code == Errc::too_large);
  CHECK(walk_dag(blocks, root, {.max_blocks = 2}).error().code == Errc::too_large);
  CHECK(walk_dag(blocks, root, {.max_depth = 1}).error().code == Errc::too_large);
  const Cid unknown = blocks.add(Codec::libp2p_key, as_bytes("key"));
  CHECK(walk_dag(blocks, unknown).error().code == Errc::unsupported);
  CHECK(walk_dag(blocks, missing)->missing.size() == 1);
}
