#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/trees.h"
#include "ipnscast/tests/support/vectors.h"

// `ipnscast pack` and `unpack` against what Kubo, ipfs-car and @ipld/car made of the same files
// (tests/vectors).
using namespace ipnscast;
using namespace ipnscast::test;
using nlohmann::json;
namespace fs = std::filesystem;

TEST_CASE(
    "packing gives the roots that Kubo and ipfs-car give, and unpacking gives the tree back") {
  for (const Tree& tree : own_trees()) {
    INFO(tree.what);
    const TempDir work;
    const fs::path top = work.path() / "tree";
    write_tree(tree, top);
    const bool is_file = fs::is_regular_file(top);
    for (const auto& [profile, root] :
         {std::pair<std::string, std::string>{"kubo-256k", tree.kubo_256k},
          {"unixfs-v1-2025", tree.unixfs_v1_2025}}) {
      INFO(profile);
      const fs::path car = work.path() / (profile + ".car");
      const Ran packed =
          run(our_program({"pack", top.string(), "--profile", profile, "-o", car.string()}));
      INFO(packed.err);
      REQUIRE(packed.exit == 0);
      CHECK(packed.out == root + "\n");
      const fs::path out = work.path() / profile;
      const Ran unpacked =
          run(our_program({"unpack", car.string(), "--root", root, "-o", out.string()}));
      INFO(unpacked.err);
      REQUIRE(unpacked.exit == 0);
      CHECK(listing(is_file ? out / root : out) == listing(top));
    }
  }
}

TEST_CASE("a CAR gives exactly its files or, when it is damaged or hostile, nothing at all") {
  const json manifest = json::parse(read_file(own_vectors() / "cars.json"));
  for (const json& row : manifest.at("cars")) {
    INFO(row.at("what").get<std::string>());
    const TempDir work;
    const fs::path car = work.path() / "input.car";
    const fs::path out = work.path() / "out/tree";
    fs::create_directory(out.parent_path());
    std::ofstream(car, std::ios::binary)
        << as_text(*from_base64(row.at("car").get<std::string>(), size_t{1} << 20));
    const Ran ran = run(our_program(
        {"unpack", car.string(), "--root", row.at("root").get<std::string>(), "-o", out.string()}));
    INFO(ran.err);
    if (row.at("valid") == true) {
      CHECK(ran.exit == 0);
      std::vector<std::string> expected;
      for (const json& file : row.at("files")) {
        expected.push_back(file.at("path").get<std::string>() + " " +
                           std::to_string(file.at("size").get<size_t>()) + " " +
                           file.at("sha256").get<std::string>());
      }
      REQUIRE(fs::is_directory(out));
      CHECK(listing(out) == expected);
    } else {
      CHECK(ran.exit == 1);
      CHECK(listing(work.path()).size() == 1);  // the input alone
      CHECK(fs::is_empty(out.parent_path()));
    }
  }
}
