// Trees that hold more than files and directories of bytes: permissions and times, documents of
// IPLD. The CARs were made with @ipld/car and ipfs-unixfs.
#include <sys/stat.h>

#include <fstream>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/ipfs/ipld/car_file.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/memory_blocks.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
using namespace ipnscast::sync;
namespace fs = std::filesystem;

namespace {

constexpr const char* kModeRoot = "bafybeiednssbk2kbuxoyknrfeok46eefrgpj74xtlyaad2zoonunqgl564";
constexpr const char* kModeCar =
    "OqJlcm9vdHOB2CpYJQABcBIgg2ykFWlBpd2FNiUjlc8QhYmen/LzXgAB6y5zaNgZffdndmVyc2lvbgGuAwFwEiCDbK"
    "QVaUGl3YU2JSOVzxCFiZ6f8vNeAAHrLnNo2Bl99xIsCiQBcBIgHOKKYeLfZXjePmi0xQklDHHRQ0UtRmutPeYFy4j/"
    "EQoSAmQwGDgSLQokAXASIBB8UlkcIenHTZvO5ZOrrnOdP1G4RRUT+oaCKwGOVxg6EgNkcm8YNRIuCiQBcBIgBBeY1r"
    "5GHcFhNmPCNJ+qz7VcZl+xqUKa+z7D5BexXCkSBGYwMDAYDhIvCiQBcBIgzYdH/ABQweemLTOtaGUhV1pu928DA/nv"
    "zlndukScDKESBWY0NzU1GBASLgokAXASIFBIQn+DHSLiI8lMnuJVnU6fZZfmA1GBx5xomwxZQ7gBEgRmNjQ0GBkSLg"
    "okAXASIEm5j3Bmzh1WeToVDW/WtckhAFEqOCBeL8Vx1WEEF6EvEgRmNzU1GA8SLgokAXASIA8Ro5Xi01Wplz3MWsDa"
    "YwlEG3EhXXGhwd/uvc4n25hQEgRmZmFyGB0SLgokAXASIOWu0s1uP1d7kU8GDKHstELMy0BYd4q1ni0cbKuRkK9zEg"
    "RmbmVnGB4KCggBQgYIgKD4+gU9AXASIFBIQn+DHSLiI8lMnuJVnU6fZZfmA1GBx5xomwxZQ7gBChcIAhIEZjY0NBgE"
    "QgsIgKD4+gUVFc1bBzMBcBIgSbmPcGbOHVZ5OhUNb9a1ySEAUSo4IF4vxXHVYQQXoS8KDQgCEgRmNzU1GAQ47QMyAX"
    "ASIAQXmNa+Rh3BYTZjwjSfqs+1XGZfsalCmvs+w+QXsVwpCgwIAhIEZjAwMBgEOAA0AXASIM2HR/wAUMHnpi0zrWhl"
    "IVdabvdvAwP5785Z3bpEnAyhCg4IAhIFZjQ3NTUYBTjtE0IBcBIg5a7SzW4/V3uRTwYMoey0QszLQFh3irWeLRxsq5"
    "GQr3MKHAgCEgRmbmVnGARCEAiAkrjDmP7///8BFQAAAABBAXASIA8Ro5Xi01Wplz3MWsDaYwlEG3EhXXGhwd/uvc4n"
    "25hQChsIAhIEZmZhchgEQg8I//////////9/Ff/JmjtZAXASIBB8UlkcIenHTZvO5ZOrrnOdP1G4RRUT+oaCKwGOVx"
    "g6EiwKJAFwEiBQSEJ/gx0i4iPJTJ7iVZ1On2WX5gNRgcecaJsMWUO4ARICaW4YGQoFCAE47QJcAXASIBziimHi32V4"
    "3j5otMUJJQxx0UNFLUZrrT3mBcuI/xEKEiwKJAFwEiBQSEJ/gx0i4iPJTJ7iVZ1On2WX5gNRgcecaJsMWUO4ARICaW"
    "4YGQoICAE4AEICCAE=";

constexpr const char* kDocumentsRoot =
    "bafybeigthtgl74j7rjgc65smayhwnxcetsn3e5ews5qatgwfes4puee5bi";
constexpr const char* kDocumentsCar =
    "OqJlcm9vdHOB2CpYJQABcBIg0zzMv/E/ikwvdkwGD2bcRJybsnSWl2AJmsUkuPoQnQpndmVyc2lvbgHBAQFwEiDTPM"
    "y/8T+KTC92TAYPZtxEnJuydJaXYAmaxSS4+hCdChIxCiQBcRIg+TtMrMm+8ZqgCX+csYVGqsbLSHb9AiBoa2fSRu1O"
    "SIgSBmMuY2JvchiUARIxCiUBqQISIJBqtsazOsaLkdpxIKN0caOBhI0cCeyypMEhlzwVJ7GSEgZqLmpzb24YXBIxCi"
    "UBgAQSIOTN+J9JktT0w37KWy3gLHQPE2Le36KC71QT3M52dP3BEgZwLmpzb24YEgoCCAG4AQFxEiD5O0ysyb7xmqAJ"
    "f5yxhUaqxstIdv0CIGhrZ9JG7U5IiKNjZGly2CpYJQABcBIgzzaRRXdtdjuF4Cku1olbyA417n/OUCQBlRdXOcj3Mq"
    "pjZm9vomFuAWNiYXLYKlglAAFVEiAm0LrJ8MejWy8zIqD0rUUXJl9WssD0su18tcvTDFho4mRsaXN0gtgqWCUAAXAS"
    "IM82kUV3bXY7heApLtaJW8gONe5/zlAkAZUXVznI9zKqYXiBAQGpAhIgkGq2xrM6xouR2nEgo3Rxo4GEjRwJ7LKkwS"
    "GXPBUnsZJ7ImhlbGxvIjoid29ybGQiLCJsaW5rIjp7Ii8iOiJiYWZrcmVpYmcyYzVtdDRnaHVubnM2bXpjdWQyazJy"
    "aXhlenB2bm13YTZzem8yN2Z2enBqcXl3ZGk0aSJ9fTcBgAQSIOTN+J9JktT0w37KWy3gLHQPE2Le36KC71QT3M52dP"
    "3BeyAicGxhaW4iOiB0cnVlIH0KKQFVEiAm0LrJ8MejWy8zIqD0rUUXJl9WssD0su18tcvTDFho4mxlYWYKWQFwEiDP"
    "NpFFd212O4XgKS7WiVvIDjXuf85QJAGVF1c5yPcyqhIvCiQBVRIgJtC6yfDHo1svMyKg9K1FFyZfVrLA9LLtfLXL0w"
    "xYaOISBWEudHh0GAUKAggB";

constexpr const char* kV2Root = "bafybeibw2n6t3r5dv7dvidvkro6uwjv5vbqutjwhwajqsmwjj5o5msdobq";
constexpr const char* kV2Car =
    "CqFndmVyc2lvbgIAAAAAAAAAAAAAAAAAAAAAMwAAAAAAAABKAQAAAAAAAAAAAAAAAAAAOqJlcm9vdHOB2CpYJQABcB"
    "IgNtN9Pcejr8dUDqqLvUsmvahhSabHsBMJMslPXdZIbgxndmVyc2lvbgGIAQFwEiA20309x6Ovx1QOqou9Sya9qGFJ"
    "psewEwkyyU9d1khuDBItCiQBcBIgXKqPlCk+z5YKfZOhq46NuS2rTbjM5JE7iqgCuXI0KRMSA3N1Yhg1Ei8KJAFVEi"
    "C2qY2c6aLZFJKI+j30LTd8PkJzev3Nr3FOM8ChALUQYBIFei50eHQYBgoCCAFZAXASIFyqj5QpPs+WCn2ToauOjbkt"
    "q024zOSRO4qoArlyNCkTEi8KJAFVEiC2qY2c6aLZFJKI+j30LTd8PkJzev3Nr3FOM8ChALUQYBIFYS50eHQYBgoCCA"
    "EqAVUSILapjZzpotkUkoj6PfQtN3w+QnN6/c2vcU4zwKEAtRBgYWxwaGEK";

std::unique_ptr<CarFile> open_car(const fs::path& folder, const char* car) {
  std::ofstream(folder / "in.car", std::ios::binary) << as_text(*from_base64(car, 1 << 20));
  auto opened = CarFile::open(folder / "in.car");
  REQUIRE(opened);
  return std::move(*opened);
}

struct stat stat_of(const fs::path& path) {
  struct stat out {};
  REQUIRE(::lstat(path.c_str(), &out) == 0);
  return out;
}

mode_t mode_of(const fs::path& path) { return stat_of(path).st_mode & 07777; }

// So that whoever is not root can look into it and remove it.
void open_up(const fs::path& folder) {
  fs::permissions(folder, fs::perms::owner_all);
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) open_up(entry.path());
  }
}

Cid small_file(test::MemoryBlocks& blocks, std::string_view text, FileMetadata metadata) {
  UnixfsData data;
  data.data = to_bytes(text);
  data.filesize = text.size();
  data.metadata = metadata;
  return blocks.add(Codec::dag_pb, encode_dag_pb({{}, encode_unixfs(data)}));
}

Cid folder_of(test::MemoryBlocks& blocks, const std::vector<std::pair<std::string, Cid>>& entries,
              FileMetadata metadata) {
  PbNode node;
  for (const auto& [name, cid] : entries) node.links.push_back({cid, name, 1});
  node.data = encode_unixfs({.type = UnixfsType::directory, .metadata = metadata});
  return blocks.add(Codec::dag_pb, encode_dag_pb(node));
}

}  // namespace

TEST_CASE("files and directories get the permissions and times that the tree has for them (F7)") {
  const test::TempDir temp;
  const auto car = open_car(temp.path(), kModeCar);
  const fs::path out = temp.path() / "out";
  REQUIRE(unpack(*car, *Cid::parse(kModeRoot), out, {}));
  CHECK(mode_of(out / "f755") == 0755);
  CHECK(mode_of(out / "f4755") == 0755);
  CHECK(mode_of(out / "f000") == 0);
  CHECK(mode_of(out / "d0") == 0);
  CHECK(mode_of(out / "dro") == 0555);
  const struct stat dated = stat_of(out / "f644");
  CHECK(dated.st_mtim.tv_sec == 1'600'000'000);
  CHECK(dated.st_mtim.tv_nsec == 123'456'789);
  // Directories come last: what is written into them does not change them any more.
  CHECK(stat_of(out).st_mtim.tv_sec == 1'600'000'000);
  CHECK(stat_of(out / "d0").st_mtim.tv_sec == 1);
  // Beyond the years that can be shown, and what the file system keeps of them.
  CHECK(stat_of(out / "ffar").st_mtim.tv_sec >= INT32_MAX);
  CHECK(stat_of(out / "fneg").st_mtim.tv_sec < 0);
  open_up(out);
  CHECK(test::read_file(out / "d0/in") == "f644");
  CHECK(test::read_file(out / "ffar") == "ffar");
}

TEST_CASE("permissions and times can be left out, and a mirror stays open to who made it (F7)") {
  const test::TempDir temp;
  const auto car = open_car(temp.path(), kModeCar);
  const Cid root = *Cid::parse(kModeRoot);
  const fs::path plain = temp.path() / "plain";
  std::ofstream(temp.path() / "usual");
  REQUIRE(unpack(*car, root, plain, {.metadata = false}));
  CHECK(mode_of(plain / "f755") == mode_of(temp.path() / "usual"));
  CHECK(mode_of(plain / "f000") == mode_of(temp.path() / "usual"));
  CHECK(stat_of(plain / "f644").st_mtim.tv_sec > 1'600'000'000);
  const fs::path open = temp.path() / "open";
  REQUIRE(unpack(*car, root, open, {.stays_open = true}));
  CHECK(mode_of(open / "d0") == 0700);
  CHECK(mode_of(open / "dro") == 0755);
  CHECK(mode_of(open / "f000") == 0400);
}

TEST_CASE("a tree whose directories nobody may change is replaced and removed all the same (F7)") {
  const test::TempDir temp;
  test::MemoryBlocks blocks;
  const FileMetadata closed{.mode = 0, .mtime = {}};
  const Cid inner = folder_of(blocks, {{"f", small_file(blocks, "x", closed)}}, closed);
  const Cid root = folder_of(blocks, {{"d", inner}}, {.mode = 0500, .mtime = {}});
  const fs::path out = temp.path() / "out";
  REQUIRE(unpack(blocks, root, out, {}));
  CHECK(mode_of(out) == 0500);
  CHECK(mode_of(out / "d") == 0);
  const Cid next = folder_of(blocks, {{"g", small_file(blocks, "y", {})}}, {});
  REQUIRE(unpack(blocks, next, out, {.replace = true}));
  CHECK(fs::exists(out / "g"));
  size_t left = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(temp.path())) ++left;
  CHECK(left == 1);
  open_up(out);
  // What fails behind such a directory leaves nothing.
  blocks.blocks.erase(block_key(next));
  const Cid broken = folder_of(blocks, {{"a", inner}, {"b", next}}, {});
  CHECK_FALSE(unpack(blocks, broken, temp.path() / "broken", {}));
  left = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(temp.path())) ++left;
  CHECK(left == 1);
}

TEST_CASE("a time of UnixFS is read as it is written, and a broken one is none (F7)") {
  for (const UnixfsTime& time :
       {UnixfsTime{0, 0}, UnixfsTime{1'600'000'000, 1}, UnixfsTime{-1, 999'999'999},
        UnixfsTime{INT64_MAX, 0}, UnixfsTime{INT64_MIN, 0}}) {
    CHECK(decode_unixfs_time(encode_unixfs_time(time)) == time);
  }
  CHECK(decode_unixfs_time(Bytes{0x08, 0x01, 0x15, 0xff, 0xff, 0xff, 0xff}) ==
        UnixfsTime{1, 999'999'999});
  CHECK_FALSE(decode_unixfs_time({}));
  CHECK_FALSE(decode_unixfs_time(Bytes{0x15, 1, 0, 0, 0}));
  CHECK_FALSE(decode_unixfs_time(Bytes{0x08}));
  CHECK_FALSE(decode_unixfs_time(Bytes{0x08, 0x01, 0x15, 1, 0}));
}

TEST_CASE("documents of IPLD are written as their bytes, alone and in a directory (F9)") {
  const test::TempDir temp;
  const auto car = open_car(temp.path(), kDocumentsCar);
  const fs::path out = temp.path() / "out";
  const auto unpacked = unpack(*car, *Cid::parse(kDocumentsRoot), out, {});
  REQUIRE(unpacked);
  CHECK(unpacked->files == 3);
  CHECK(test::read_file(out / "p.json") == "{ \"plain\": true }\n");
  CHECK(test::read_file(out / "j.json").starts_with("{\"hello\":\"world\""));
  const Cid cbor = *Cid::parse("bafyreihzhngkzsn66gnkacl7tsyykrvky3fuq5x5aiqgq23h2jdo2tsira");
  const std::string bytes = test::read_file(out / "c.cbor");
  CHECK(check_block(cbor, as_bytes(bytes)));
  REQUIRE(unpack(*car, cbor, temp.path() / "alone", {}));
  CHECK(test::read_file(temp.path() / "alone") == bytes);
  REQUIRE(unpack(*car, cbor, temp.path() / "named", {.file_name = "it"}));
  CHECK(test::read_file(temp.path() / "named/it") == bytes);
  REQUIRE(unpack(*car, cbor, temp.path() / "part", {.bytes = ByteRange{1, 4}}));
  CHECK(test::read_file(temp.path() / "part") == bytes.substr(1, 4));
}

TEST_CASE("what cannot be written is named by its path in the tree (F9)") {
  const test::TempDir temp;
  test::MemoryBlocks blocks;
  const Cid git = blocks.add(static_cast<Codec>(0x78), as_bytes("blob 1"));
  const Cid root = folder_of(blocks, {{"a", folder_of(blocks, {{"b.git", git}}, {})}}, {});
  const auto refused = unpack(blocks, root, temp.path() / "out", {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("a/b.git") != std::string::npos);
}

TEST_CASE("a CARv2 file is unpacked, its index aside (F8)") {
  const test::TempDir temp;
  const auto car = open_car(temp.path(), kV2Car);
  CHECK(car->roots() == std::vector<Cid>{*Cid::parse(kV2Root)});
  REQUIRE(unpack(*car, *Cid::parse(kV2Root), temp.path() / "out", {}));
  CHECK(test::read_file(temp.path() / "out/sub/a.txt") == "alpha\n");
  CHECK(test::read_file(temp.path() / "out/z.txt") == "alpha\n");
}
