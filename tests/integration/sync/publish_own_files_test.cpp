// What an application's publish() takes along of a directory, and what it refuses.
#include "ipnscast/tests/integration/sync/client_world.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

TEST_CASE("publishing leaves hidden files out, and refuses what holds our own files") {
  World world;
  auto config = world.config("one");
  const auto secret = world.dir.path() / "app.toml";
  write_file(secret, "token");
  config.private_paths = {secret};
  const auto client = *Client::open(config);
  const auto tree = world.tree("shown");
  const auto publish = [&](const std::filesystem::path& path, bool hidden = false) {
    PublishOptions options;
    options.hidden = hidden;
    return client->publish(world.key, path, options);
  };
  SECTION("hidden files") {
    const auto without = publish(tree);
    REQUIRE(without);
    CHECK(without->hidden_left_out == 0);
    write_file(tree / ".env", "secret");
    write_file(tree / "sub/.git/config", "secret");
    const auto left = publish(tree);
    REQUIRE(left);
    CHECK(left->hidden_left_out == 2);
    CHECK(left->cid == without->cid);
    const auto all = publish(tree, true);
    REQUIRE(all);
    CHECK(all->hidden_left_out == 0);
    CHECK(all->cid != without->cid);
  }
  SECTION("our own files") {
    const auto refused = [&](const std::filesystem::path& path) {
      const auto outcome = publish(path, true);
      REQUIRE_FALSE(outcome);
      INFO(outcome.error().message);
      CHECK(outcome.error().message.find(path.string()) != std::string::npos);
      CHECK(outcome.error().code == Errc::refused);
    };
    refused(config.state_dir);
    refused(config.state_dir / "cache");
    refused(config.state_dir / "state.sqlite");
    refused(world.dir.path());
    refused(secret);
    std::filesystem::create_directory_symlink(config.state_dir, world.dir.path() / "link");
    refused(world.dir.path() / "link");
    std::filesystem::create_hard_link(secret, tree / "notes.txt");
    refused(tree / "notes.txt");
    const auto outcome = publish(tree);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().message.find("notes.txt") != std::string::npos);
    std::filesystem::remove(tree / "notes.txt");
    CHECK(publish(tree));
  }
}
