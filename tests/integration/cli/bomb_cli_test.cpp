// Small DAGs that stand for much more, and the program that is given them.
#include <fstream>
#include <thread>

#include "ipnscast/sync/ipfs/ipld/car_file.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/bombs.h"
#include "ipnscast/tests/support/gateways/scripted_gateway.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
namespace fs = std::filesystem;

namespace {

// These would run for hours.
constexpr std::chrono::seconds kSoon(120);

struct World {
  test::TempDir temp;
  test::BlockTable table;
  test::TableSink sink{table};
  test::ScriptedHttpServer gateway{test::gateway_script(table)};

  test::Ran run(std::vector<std::string> arguments) const {
    const std::string home = (temp.path() / "home").string();
    fs::create_directories(temp.path() / "work");
    arguments.insert(arguments.begin(), test::program());
    return test::run({.argv = std::move(arguments),
                      .environment = {{"HOME", home},
                                      {"XDG_CONFIG_HOME", home + "/config"},
                                      {"XDG_STATE_HOME", home + "/state"},
                                      {"XDG_DATA_HOME", home + "/data"},
                                      {"XDG_CACHE_HOME", home + "/cache"},
                                      {"TMPDIR", (temp.path() / "work").string()},
                                      {"IPNSCAST_GATEWAYS_NODES", gateway.url()}},
                      .folder = temp.path() / "work"},
                     kSoon);
  }
  // What is in the folder where it ran, which is where temporary files go as well.
  size_t left() const {
    const fs::directory_iterator all(temp.path() / "work");
    return static_cast<size_t>(std::distance(begin(all), end(all)));
  }
  // What is left of a tree when the time is over, a process of its own removes.
  bool nothing_left_soon() const {
    const auto end = std::chrono::steady_clock::now() + kSoon;
    while (left() > 0 && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return left() == 0;
  }
  std::string car_of(const sync::Cid& root) const {
    const fs::path file = temp.path() / "bomb.car";
    std::ofstream(file, std::ios::binary) << table.car(root);
    return file.string();
  }
};

}  // namespace

TEST_CASE("R40 unpack refuses a small CAR that stands for an endless tree (D2)") {
  World world;
  const sync::Cid root =
      test::repeated_directories(world.sink, 30, 2, test::raw_leaf(world.sink, "x"));
  const std::string car = world.car_of(root);
  CHECK(fs::file_size(car) < 9'000);
  const auto ran = world.run({"unpack", car, "--root", root.to_string(), "-o", "out"});
  INFO(ran.err);
  CHECK(ran.exit == 1);
  CHECK(world.left() == 0);
}

TEST_CASE("R40 get refuses what would be larger on disk than max_bytes (D1)") {
  World world;
  const auto file = test::repeated_file(world.sink, 1, 100, 1 << 20);
  for (const uint64_t claimed : {file.size, uint64_t{0}}) {
    INFO(claimed);
    const sync::Cid root = test::copies(world.sink, file.cid, 1'000, claimed);
    const auto ran = world.run({"get", root.to_string(), "-o", "out"});
    INFO(ran.err);
    CHECK(ran.exit == 1);
    CHECK(ran.err.find("4.0 GiB (max_bytes)") != std::string::npos);
    CHECK(world.left() == 0);
  }
}

TEST_CASE("R40 get ends where links lead to nothing, however many there are (D3)") {
  World world;
  const sync::Cid root = test::link_fan(world.sink, 5, 20'000);
  const auto ran = world.run({"get", root.to_string(), "-o", "out"});
  INFO(ran.err);
  CHECK(ran.exit == 1);
  CHECK(world.left() == 0);
}

TEST_CASE("--timeout ends get and unpack while they write, and pack while it reads") {
  World world;
  // Within the bounds of both, and hours of work by no means, but more than the time that is given.
  const sync::Cid root =
      test::repeated_directories(world.sink, 15, 2, test::raw_leaf(world.sink, ""));
  const std::string car = world.car_of(root);
  std::vector<std::vector<std::string>> all{
      {"--timeout", "200ms", "unpack", car, "--root", root.to_string(), "-o", "out"},
      {"--timeout", "400ms", "get", root.to_string(), "-o", "out"}};
  for (const auto& arguments : all) {
    INFO(arguments[2]);
    const auto ran = world.run(arguments);
    INFO(ran.err);
    CHECK(ran.exit == 124);
    CHECK(world.nothing_left_soon());
  }
  // Standard output takes a file: of a directory nothing is written first.
  const auto shown = world.run({"get", root.to_string(), "-o", "-"});
  INFO(shown.err);
  CHECK(shown.exit == 2);
  CHECK(shown.err.find("this is a directory; ask for a file in it") != std::string::npos);
  CHECK(world.left() == 0);
  const fs::path sparse = world.temp.path() / "sparse";
  std::ofstream(sparse) << "x";
  fs::resize_file(sparse, uint64_t{1} << 40);
  const auto packed = world.run({"--timeout", "300ms", "pack", sparse.string(), "-o", "f.car"});
  INFO(packed.err);
  CHECK(packed.exit == 124);
  CHECK(world.left() == 0);
}
