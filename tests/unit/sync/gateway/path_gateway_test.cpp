#include "ipnscast/sync/gateway/path_gateway.h"

#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/unixfs/file_packer.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::sync::gateway;

namespace {

Bytes content(size_t size) {
  Bytes out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 2654435761U >> 13);
  return out;
}

struct NoBlocks : BlockSink {
  Status put(const Cid&, ByteView) override { return {}; }
};

Cid root_of(ByteView bytes, const PackProfile& profile) {
  NoBlocks sink;
  FilePacker packer(profile, sink);
  REQUIRE(packer.write(bytes));
  return packer.finish()->cid;
}

}  // namespace

TEST_CASE("the bytes of a file are its blocks once its CID has come out of them (R20)") {
  const Bytes bytes = content(1'300'000);
  for (const PackProfile& profile : {kKubo256k, kUnixfsV1_2025}) {
    const Cid root = root_of(bytes, profile);
    const auto blocks = blocks_of_file(root, bytes);
    REQUIRE(blocks);
    CHECK(blocks->front().first == root);
    for (const auto& [cid, block] : *blocks) CHECK(check_block(cid, block));
    Bytes changed = bytes;
    changed[1'000'000] ^= 1;
    CHECK(blocks_of_file(root, changed).error().code == Errc::mismatch);
  }
}

TEST_CASE("a raw block is its bytes, and nothing else is") {
  const Bytes bytes = content(1000);
  const Cid cid = *make_cid(Codec::raw, bytes);
  REQUIRE(blocks_of_file(cid, bytes));
  CHECK(blocks_of_file(cid, bytes)->size() == 1);
  CHECK(blocks_of_file(cid, as_bytes("<html>")).error().code == Errc::mismatch);
}

TEST_CASE("small files of CIDv0 come as one node that holds them") {
  // ipfs add -Q of a file that reads "hello\n"
  const Cid hello = *Cid::parse("QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN");
  const auto blocks = blocks_of_file(hello, as_bytes("hello\n"));
  REQUIRE(blocks);
  REQUIRE(blocks->size() == 1);
  CHECK(check_block(hello, blocks->front().second));
  const Cid empty = *Cid::parse("QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH");
  CHECK(blocks_of_file(empty, {}));
}

TEST_CASE("what cannot be packed again is refused, and so is what is too much") {
  const Cid directory = *Cid::parse("bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
  CHECK(blocks_of_file(directory, as_bytes("<html>listing")).error().code == Errc::mismatch);
  const Cid cbor = *make_cid(Codec::dag_cbor, as_bytes("x"));
  CHECK(blocks_of_file(cbor, as_bytes("x")).error().code == Errc::unsupported);
  CHECK(blocks_of_file(directory, Bytes(kMaxRepackBytes + 1)).error().code == Errc::too_large);
  HttpHead head;
  head.status = 200;
  CHECK(check_path_head(directory, head));
  CHECK(check_path_head(cbor, head).error().code == Errc::unsupported);
  head = {.status = 404};
  CHECK(check_path_head(directory, head).error().code == Errc::not_found);
}

TEST_CASE("a path gateway shows itself by a file that stands in its CID") {
  const HttpCall call = path_probe_call({"http://host", {}});
  const Cid cid = *Cid::parse(call.url.substr(std::string("http://host/ipfs/").size()));
  CHECK(cid.is_identity());
  HttpAnswer answer;
  answer.head.status = 200;
  answer.body = cid.hash.digest;
  CHECK(read_path_probe(answer) == Speaks::yes);
  answer.body = to_bytes(std::string_view("<html>"));
  CHECK(read_path_probe(answer) == Speaks::no);
}
