#include <cstdint>
#include <fstream>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/temp_dir.h"

// What we pack has Kubo's CIDs, with the same profile said to both.
using namespace ipnscast::test;
namespace fs = std::filesystem;

namespace {

// Different for each seed, and quick to make.
void write_file(const fs::path& path, size_t size, uint32_t seed) {
  fs::create_directories(path.parent_path());
  std::string bytes(size, '\0');
  uint32_t x = seed;
  for (char& byte : bytes) {
    x = x * 1103515245U + 12345U;
    byte = static_cast<char>(x >> 16);
  }
  std::ofstream(path, std::ios::binary) << bytes;
}

// A file or a directory for each line of the corpus.
std::vector<fs::path> write_corpus(const fs::path& top) {
  const size_t chunk = 256 * 1024;
  const std::vector<std::pair<std::string, size_t>> files = {{"empty", 0},
                                                             {"one-byte", 1},
                                                             {"chunk-less-one", chunk - 1},
                                                             {"chunk", chunk},
                                                             {"chunk-and-one", chunk + 1},
                                                             {"mebibyte-and-one", 4 * chunk + 1},
                                                             {"50-mb", 50'000'000},
                                                             {"full-node", 174 * chunk}};
  std::vector<fs::path> out;
  uint32_t seed = 1;
  for (const auto& [name, size] : files) {
    out.push_back(top / name);
    write_file(out.back(), size, ++seed);
  }
  fs::path deep = top / "nested";
  out.push_back(deep);
  for (int i = 0; i < 30; ++i) {
    deep /= "level " + std::to_string(i);
    write_file(deep / "file", static_cast<size_t>(i) * 100, ++seed);
  }
  fs::create_directories(deep / "empty directory");
  for (const auto& [name, length] :
       std::vector<std::pair<std::string, size_t>>{{"5000-short", 5}, {"5000-long", 200}}) {
    out.push_back(top / name);
    for (int i = 0; i < 5'000; ++i) {
      const std::string number = std::to_string(i);
      write_file(out.back() / (std::string(length, 'n') + number), number.size(), ++seed);
    }
  }
  out.push_back(top / "odd");
  for (const char* name : {" ", "a b", "%41", "ä", "\xf0\x9f\x90\x99", "-n", "...", "a\nb", "\"'`$",
                           "A", "a", "\x7f", "0", "00", "a.", "\xe2\x80\xae"}) {
    write_file(out.back() / name, 10, ++seed);
  }
  return out;
}

void compare(KuboNode& kubo, const std::string& profile, const std::vector<std::string>& flags) {
  const TempDir work;
  for (const fs::path& path : write_corpus(work.path() / "corpus")) {
    INFO(profile << ": " << path.filename());
    const Ran packed = run(our_program({"pack", path.string(), "--profile", profile, "-o",
                                        (work.path() / "packed.car").string()}));
    INFO(packed.err);
    REQUIRE(packed.exit == 0);
    std::vector<std::string> add = {"add", "-Q", "-r", "-H", "-n"};
    add.insert(add.end(), flags.begin(), flags.end());
    add.push_back(path.string());
    CHECK(packed.out.substr(0, packed.out.find('\n')) == kubo.ask(add));
    fs::remove(work.path() / "packed.car");
  }
}

}  // namespace

TEST_CASE("packing matches Kubo's CIDs with the same profile") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  compare(kubo, "kubo-256k",
          {"--cid-version=1", "--raw-leaves", "--chunker=size-262144", "--max-file-links=174",
           "--max-hamt-fanout=256"});
  kubo.ask({"config", "profile", "apply", "unixfs-v1-2025"});
  compare(kubo, "unixfs-v1-2025", {});
}
