#include "ipnscast/sync/ipfs/unixfs/packer.h"

#include <sys/stat.h>

#include <cstdio>
#include <fstream>

#include "ipnscast/sync/ipfs/unixfs/dag_walk.h"
#include "ipnscast/sync/ipfs/unixfs/directory_packer.h"
#include "ipnscast/sync/ipfs/unixfs/directory_reader.h"
#include "ipnscast/sync/ipfs/unixfs/hamt.h"
#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/memory_blocks.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::sync;
namespace fs = std::filesystem;

namespace {

// xorshift64 from a fixed seed: content that no two chunks of are the same.
Bytes noise(size_t size) {
  Bytes out;
  out.reserve(size + 8);
  uint64_t state = 88172645463325252;
  while (out.size() < size) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    for (int i = 0; i < 8; ++i) out.push_back(static_cast<uint8_t>(state >> (8 * i)));
  }
  out.resize(size);
  return out;
}

void write(const fs::path& path, ByteView bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary)
      .write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
}

// In pieces of awkward sizes.
std::string pack_bytes(const PackProfile& profile, ByteView bytes, test::MemoryBlocks& blocks) {
  FilePacker packer(profile, blocks);
  for (size_t piece = 1; !bytes.empty(); piece = piece * 7 + 3) {
    const size_t size = std::min(bytes.size(), piece % 700'001 + 1);
    REQUIRE(packer.write(bytes.first(size)));
    bytes = bytes.subspan(size);
  }
  return packer.finish()->cid.to_string();
}

void make_corpus(const fs::path& root) {
  write(root / "a.txt", as_bytes("hello"));
  write(root / "sub/b.txt", as_bytes("world"));
  write(root / "sub/deep/none", {});
  write(root / ".hidden", as_bytes("h"));
  write(root / "big.bin", noise(524288));
  fs::create_directories(root / "empty");
  fs::create_symlink("../a.txt", root / "sub/link");
}

// The directory whose file "file-000042.txt" has the content "42", and so on.
Cid pack_many(size_t count, const PackProfile& profile, test::MemoryBlocks& blocks) {
  std::vector<NamedEntry> entries;
  for (size_t i = 0; i < count; ++i) {
    char name[32];
    std::snprintf(name, sizeof(name), "file-%06zu.txt", i);
    FilePacker packer(profile, blocks);
    REQUIRE(packer.write(as_bytes(std::to_string(i))));
    entries.push_back({name, *packer.finish()});
  }
  return pack_directory(std::move(entries), profile, blocks)->cid;
}

}  // namespace

TEST_CASE("files get the CIDs that Kubo 0.42 gives them, at every boundary of chunk and tree") {
  struct Row {
    size_t size;
    const char* kubo;
    const char* v1_2025;
  };
  const Row rows[] = {
      {0, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
       "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"},
      {1, "bafkreihu7f6irraj3tzxrg23kgg2h56sm3ciqbtos6tany4kcudxtcahgu",
       "bafkreihu7f6irraj3tzxrg23kgg2h56sm3ciqbtos6tany4kcudxtcahgu"},
      {262144, "bafkreifuc2hedxmcpw7cqec4ldxj7pz2y575zidhdarquyvhum7ljbsiuu",
       "bafkreifuc2hedxmcpw7cqec4ldxj7pz2y575zidhdarquyvhum7ljbsiuu"},
      {262145, "bafybeich6cno4hub6j6fr4uf2ijd2blrq6vbbtvuyb7wvfsfs4lf4dt2ne",
       "bafkreigpajx43wdfwvdibcodvassukrdnhg64dnxoimv3aipcuqsdtjsz4"},
      {524288, "bafybeibdixvqiuskyhzg44itxz7nc2d3s3rih77vmr652dwsd6xzikzvey",
       "bafkreih43hpc2c6azpohh3zohmmkxqchw7k2x3slpa2xpucka2tzqrcle4"},
      {1048576, "bafybeid5tgbyid3rig63bipbyookpxeavcw3a35ic6cnkpdkzlos5ylbzy",
       "bafkreibdpzpsvzg6hlwc5h7z6gpqttwdytxnjlq577lumclhdnffinadhy"},
      {1048577, "bafybeiaoe7ek3olrdwy7e2qftdtggvadcwwr4zeudk4hhva2ea62734bia",
       "bafybeigrvfk67edy37gpjful4v57pftkewv5nlfacjyuvwgklahljse3ru"},
      {3000000, "bafybeidcnyycri44f2pufrht6s3w2e5kcwsi2y25mtozmshdj5hw7tnzgq",
       "bafybeigzhtgi6y5pf54l4tbjq3ey5hszkqc3y2cplddl4q2p275zt5dmme"},
      {174 * 262144, "bafybeibrjraln5nwlzwvljniqre2apvzy3q5jbajs7npwp6nzem643bw2y",
       "bafybeia6icjnjats25xtsbuvkxxzkn25duvibylsi7s4k6mcucc7in435a"},
      {174 * 262144 + 1, "bafybeiccf6zs5x235hfkslmbeybl6jdxnk2vfpjld56binc2wzxofcoghu",
       "bafybeia67ofxivpl73kbijagvxyezqua3paihdg6u6vqetw6wixj37nnku"},
  };
  for (const Row& row : rows) {
    INFO(row.size);
    const Bytes content = noise(row.size);
    test::MemoryBlocks blocks;
    CHECK(pack_bytes(kKubo256k, content, blocks) == row.kubo);
    test::MemoryBlocks larger;
    CHECK(pack_bytes(kUnixfsV1_2025, content, larger) == row.v1_2025);
    CHECK(larger.largest <= size_t{1} << 20);

    Bytes read;
    const auto size =
        read_file_content(blocks, *Cid::parse(row.kubo), content.size(), [&](ByteView piece) {
          append(read, piece);
          return Status();
        });
    REQUIRE(size);
    CHECK(*size == row.size);
    CHECK(read == content);
  }
}

TEST_CASE(
    "a directory gets the CID that Kubo gives it, links, hidden files and empty directories "
    "included") {
  const test::TempDir temp;
  make_corpus(temp.path());
  test::MemoryBlocks blocks;
  const auto packed = pack_path(temp.path(), {}, blocks);
  REQUIRE(packed);
  CHECK(packed->root.to_string() == "bafybeiep3sz2kcsqd4kvm5dejsbcd5zacy7cof3wjhpq7xd7kwsaqm3jty");
  CHECK(packed->files == 5);
  CHECK(packed->directories == 4);
  CHECK(packed->symlinks == 1);
  CHECK(packed->bytes == 524288 + 11);
  CHECK(walk_dag(blocks, packed->root)->is_complete());
  CHECK(pack_path(temp.path(), {.skip_hidden = true}, blocks)->root.to_string() ==
        "bafybeicsmy4ph4jesu7p4uzmzdyp5ocx4s7nknuowbyap5uvgwrd7hwmku");
  CHECK(pack_path(temp.path(), {.profile = kUnixfsV1_2025}, blocks)->root.to_string() ==
        "bafybeiewuh3fytebi77gdp7ytnwa6u52saeivlii3pzgyeai3jwy62c7vu");
  CHECK(pack_path(temp.path() / "empty", {}, blocks)->root.to_string() ==
        "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
}

TEST_CASE("a directory is sharded where Kubo shards it, and every name is found again") {
  struct Row {
    size_t count;
    const PackProfile& profile;
    const char* cid;
  };
  const Row rows[] = {
      {5000, kKubo256k, "bafybeidw24bec4ad5vwdvd2h77yemfha2c2z5yc5lvzwkosk4refmlb7ry"},
      {5000, kUnixfsV1_2025, "bafybeid6hyk4gxgqdhyfflx4z3jejetxkxbtdyde7vieyhaefslqmacuv4"},
      {6000, kKubo256k, "bafybeichtqxkzg6vm5rmfcoxig7ieq3dhfhrii44gakcbso2mrw4rpn6je"},
      {7000, kUnixfsV1_2025, "bafybeibwsji6ey5ebu2ijaj2p35seroum6g3lkwibji2usw3sddnrrvf54"},
  };
  for (const Row& row : rows) {
    INFO(row.count);
    test::MemoryBlocks blocks;
    const Cid root = pack_many(row.count, row.profile, blocks);
    CHECK(root.to_string() == row.cid);
    CHECK(blocks.largest <= size_t{1} << 20);
    const auto node = decode_node(root, *read_block(blocks, root));
    REQUIRE(node);
    size_t listed = 0;
    const Status read = read_directory(blocks, *node, [&](const std::string& name, const Cid& cid) {
      ++listed;
      const auto found = resolve_path(blocks, root, name);
      return found && *found == cid ? Status() : fail(Errc::internal, name);
    });
    CHECK(read);
    CHECK(listed == row.count);
    CHECK(resolve_path(blocks, root, "file-999999.txt").error().code == Errc::not_found);
  }
}

TEST_CASE("a shard from inside a directory gives the entries that it holds (F10)") {
  test::MemoryBlocks blocks;
  const Cid root = pack_many(6000, kKubo256k, blocks);
  std::vector<Cid> open{root};
  size_t shards = 0, entries = 0;
  while (!open.empty()) {
    const Cid at = open.back();
    open.pop_back();
    const auto node = decode_node(at, *read_block(blocks, at));
    REQUIRE(node);
    for (const PbLink& link : node->links) {
      if (link.name->size() == 2) open.push_back(link.cid);
    }
    if (at == root) continue;
    ++shards;
    // A path needs an entry beside it to tell where the shard belongs; a listing looks further
    // down.
    const bool has_own =
        std::ranges::any_of(node->links, [](const PbLink& link) { return link.name->size() > 2; });
    const Status read = read_directory(blocks, *node, [&](const std::string& name, const Cid& cid) {
      ++entries;
      if (!has_own) return Status();
      const auto found = resolve_path(blocks, at, name);
      return found && *found == cid ? Status() : fail(Errc::internal, name);
    });
    CHECK(read);
  }
  CHECK(shards > 200);
  CHECK(entries >= 6000);
}

TEST_CASE("what is on disk and cannot be packed says so") {
  const test::TempDir temp;
  test::MemoryBlocks blocks;
  CHECK(pack_path(temp.path() / "nothing", {}, blocks).error().code == Errc::not_found);
  REQUIRE(::mkfifo((temp.path() / "pipe").c_str(), 0600) == 0);
  CHECK(pack_path(temp.path(), {}, blocks).error().code == Errc::invalid);
  CHECK(pack_path(temp.path() / "pipe", {}, blocks).error().code == Errc::invalid);
  const std::vector<NamedEntry> twice = {{"a", {}}, {"a", {}}};
  CHECK(pack_directory(twice, kKubo256k, blocks).error().code == Errc::invalid);
}

TEST_CASE("murmur3 of shards is the first half of x64 128, highest bits first") {
  CHECK(hamt_hash("") == 0);
  CHECK(hamt_hash("hello") == 0xcbd8a7b341bd9b02);
  CHECK(hamt_hash("The quick brown fox jumps over the lazy dog") == 0xe34bbc7bbc071b6c);
  CHECK(hamt_slot(0xcbd8a7b341bd9b02, 0, 256) == 0xcb);
  CHECK(hamt_slot(0xcbd8a7b341bd9b02, 8, 256) == 0xd8);
  CHECK_FALSE(hamt_slot(0, 64, 8));
  CHECK(hamt_prefix(11, 256) == "0B");
  CHECK(hamt_prefix(11, 1024) == "00B");
  CHECK(hamt_prefix(7, 8) == "7");
}
