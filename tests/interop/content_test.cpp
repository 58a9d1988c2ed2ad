#include <fstream>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/trees.h"

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

TEST_CASE("S1-18 a path and a range of bytes come from Kubo's gateway, and nothing else does") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  const TempDir work;
  fs::create_directories(work.path() / "tree/many");
  // Long names: the directory is sharded.
  for (int i = 0; i < 3'000; ++i) {
    std::ofstream(work.path() / "tree/many" / (std::string(80, 'n') + std::to_string(i))) << i;
  }
  std::string big;
  for (int i = 0; big.size() < 3'000'000; ++i) big += std::to_string(i) + ",";
  std::ofstream(work.path() / "tree/b ü?#%.bin") << big;
  const std::string root =
      kubo.ask({"add", "-Q", "-r", "--cid-version=1", (work.path() / "tree").string()});
  kubo.start();
  const auto get = [&](const std::string& path, std::vector<std::string> more) {
    std::vector<std::string> arguments{"get", root + path, "-o",
                                       "-",   "--state",   (work.path() / "state").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Command command = our_program(std::move(arguments));
    command.environment["IPNSCAST_GATEWAYS_NODES"] = kubo.gateway();
    return run(command);
  };
  const Ran one = get("/many/" + std::string(80, 'n') + "2718", {});
  INFO(one.err);
  CHECK(one.out == "2718");
  const Ran range = get("/b ü?#%.bin", {"--bytes", "1000000:1000999"});
  INFO(range.err);
  CHECK(range.out == big.substr(1'000'000, 1'000));
  CHECK(get("/b ü?#%.bin", {"--bytes", "-7:*"}).out == big.substr(big.size() - 7));
  uint64_t kept = 0;
  for (const auto& file : fs::recursive_directory_iterator(work.path() / "state"))
    if (file.is_regular_file()) kept += file.file_size();
  CHECK(kept < 2'000'000);  // of three million bytes and three thousand files
  CHECK(get("/many/none", {}).exit == 1);
  CHECK(get("/b ü?#%.bin", {}).out == big);
}

TEST_CASE("a path leads through Kubo's dag-json and dag-cbor to a file") {
  const auto folder = peer("kubo");
  if (!folder) SKIP_TEST(folder.error());
  KuboNode kubo(*folder);
  const TempDir work;
  std::ofstream(work.path() / "file") << "at the end of the path";
  const std::string file =
      kubo.ask({"add", "-Q", "--cid-version=1", (work.path() / "file").string()});
  const auto put = [&](const std::string& codec, const std::string& json) {
    return kubo.ask({"dag", "put", "--store-codec", codec}, json);
  };
  const std::string inner = put("dag-cbor", R"({"file":{"/":")" + file + R"("}})");
  const std::string root =
      put("dag-json", R"({"list":[7,{"/":")" + inner + R"("}],"bytes":{"/":{"bytes":"AQID"}}})");
  kubo.start();
  const auto get = [&](const std::string& path) {
    Command command =
        our_program({"get", root + path, "-o", "-", "--state", (work.path() / "state").string()});
    command.environment["IPNSCAST_GATEWAYS_NODES"] = kubo.gateway();
    return run(command);
  };
  const Ran ran = get("/list/1/file");
  INFO(ran.err);
  CHECK(ran.out == "at the end of the path");
  CHECK(get("/list/2").exit == 1);
  CHECK(get("/bytes/x").exit == 1);
}
