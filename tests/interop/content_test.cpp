#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/peers.h"
#include "tests/support/skip.h"
#include "tests/support/trees.h"

// Content that we pack against Kubo, and Kubo's against us.
using namespace ipnscast::test;
namespace fs = std::filesystem;

TEST_CASE("Kubo gives content that we packed the same root, and hands the same bytes back") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  for (const Tree& tree : own_trees()) {
    INFO(tree.what);
    const TempDir work;
    const fs::path top = work.path() / "tree";
    const fs::path car = work.path() / "ours.car";
    write_tree(tree, top);
    const Ran packed = run(our_program({"pack", top.string(), "-o", car.string()}));
    INFO(packed.err);
    REQUIRE(packed.exit == 0);
    const std::string root = packed.out.substr(0, packed.out.find('\n'));
    CHECK(root == kubo.ask({"add", "-Q", "-r", "-H", "-n", "--cid-version=1", "--raw-leaves",
                            top.string()}));

    kubo.ask({"dag", "import", car.string()});
    kubo.ask({"get", "-o", (work.path() / "back").string(), root});
    CHECK(listing(work.path() / "back") == listing(top));
    kubo.ask({"pin", "rm", root});
  }
}

TEST_CASE("we unpack what Kubo exports") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  for (const Tree& tree : own_trees()) {
    INFO(tree.what);
    const TempDir work;
    const fs::path top = work.path() / "tree";
    const fs::path car = work.path() / "theirs.car";
    write_tree(tree, top);
    // CIDv0 and its protobuf leaves too: the oldest form that is around.
    for (const std::string version : {"0", "1"}) {
      INFO("CIDv" << version);
      const std::string root =
          kubo.ask({"add", "-Q", "-r", "-H", "--cid-version=" + version, top.string()});
      std::ofstream(car, std::ios::binary) << kubo.ipfs({"dag", "export", root}).out;
      const fs::path out = work.path() / ("v" + version);
      const Ran ran =
          run(our_program({"unpack", car.string(), "--root", root, "-o", out.string()}));
      INFO(ran.err);
      REQUIRE(ran.exit == 0);
      CHECK(listing(fs::is_regular_file(top) ? out / root : out) == listing(top));
    }
  }
}
