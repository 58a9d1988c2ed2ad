// A mirror among what others, or an earlier version, left beside it; and one whose process dies.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/sync/ipfs/unixfs/packer.h"
#include "ipnscast/sync/ipfs/unixfs/workspace.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/memory_blocks.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tools/watch/mirror.h"

namespace ipnscast::tools {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}
std::string read(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}
std::string value_of(const sync::Cid& cid) { return "/ipfs/" + cid.to_string(); }

void make_socket(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  ::close(fd);
}

// Runs it as nobody, in a process of its own; true when it returned true.
template <typename Do>
bool as_nobody(Do what) {
  constexpr uid_t kNobody = 65534;
  const pid_t child = ::fork();
  if (child == 0) {
    const bool other = ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0;
    ::_exit(other && what() ? 0 : 1);
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct World {
  test::TempDir state;
  test::TempDir content;
  test::TempDir folder;
  test::MemoryBlocks blocks;
  fs::path mirror = folder.path() / "site";
  fs::path foreign = content.path() / "foreign";
  sync::Cid one;
  sync::Cid two;
  const sync::IpnsName name =
      sync::IpnsKey::from_bytes(sync::KeyType::ed25519, Bytes(32, 1))->name();

  World() {
    write(content.path() / "one/a", "1");
    write(content.path() / "two/b", "2");
    write(foreign / "precious", "mine");
    one = sync::pack_path(content.path() / "one", {}, blocks)->root;
    two = sync::pack_path(content.path() / "two", {}, blocks)->root;
  }
  Result<Mirror> open() const { return Mirror::open(mirror, name, state.path()); }
  std::string refusal() const {
    const auto opened = open();
    return opened ? "" : opened.error().message;
  }
  // What an earlier version kept beside a mirror.
  void plant_marker() const {
    write(folder.path() / ".site.ipnscast", name.to_string() + "\n" + value_of(one) + "\n");
  }
  std::vector<std::string> entries() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder.path()))
      out.push_back(entry.path().filename().string());
    std::sort(out.begin(), out.end());
    return out;
  }
};

TEST_CASE("a marker beside a directory does not give the directory away") {
  World world;
  world.plant_marker();
  write(world.mirror / "precious", "mine");
  const std::string told = world.refusal();
  INFO(told);
  CHECK(told.find("earlier ipnscast") != std::string::npos);
  CHECK(told.find("remove both") != std::string::npos);
  CHECK(read(world.mirror / "precious") == "mine");
  CHECK(world.entries() == std::vector<std::string>{".site.ipnscast", "site"});
  // Somebody who follows the advice has a mirror.
  fs::remove_all(world.mirror);
  fs::remove(world.folder.path() / ".site.ipnscast");
  auto mirror = world.open();
  REQUIRE(mirror);
  REQUIRE(mirror->show(world.blocks, value_of(world.one), world.one));
  CHECK(read(world.mirror / "a") == "1");
}

TEST_CASE(
    "links, pipes, sockets and directories beside a mirror are neither followed nor touched") {
  World world;
  const fs::path folder = world.folder.path();
  write(folder / "target", "mine");
  const std::vector<std::string> names = {".site.ipnscast", ".site.ipnscast-new",
                                          ".site.ipnscast-tree"};
  for (const std::string& name : names) {
    SECTION("symbolic links to a file: " + name) { fs::create_symlink("target", folder / name); }
    SECTION("symbolic links to a directory: " + name) {
      fs::create_directory_symlink(world.foreign, folder / name);
    }
    SECTION("hard links: " + name) { fs::create_hard_link(folder / "target", folder / name); }
    SECTION("pipes: " + name) { REQUIRE(::mkfifo((folder / name).c_str(), 0666) == 0); }
    SECTION("sockets: " + name) { make_socket(folder / name); }
    SECTION("directories: " + name) { write(folder / name / "precious", "mine"); }
  }
  auto before = world.entries();
  auto mirror = world.open();
  REQUIRE(mirror);
  REQUIRE(mirror->show(world.blocks, value_of(world.one), world.one));
  REQUIRE(mirror->show(world.blocks, value_of(world.two), world.two));
  CHECK(read(world.mirror / "b") == "2");
  CHECK(read(folder / "target") == "mine");
  CHECK(read(world.foreign / "precious") == "mine");
  before.push_back("site");
  std::sort(before.begin(), before.end());
  CHECK(world.entries() == before);
  for (const std::string& name : names) {
    if (fs::is_directory(fs::symlink_status(folder / name)))
      CHECK(read(folder / name / "precious") == "mine");
  }
}

TEST_CASE("what stands in a mirror's place and is no directory of ours is refused and left alone") {
  World world;
  write(world.folder.path() / "target", "mine");
  SECTION("a link to a directory") {
    fs::create_directory_symlink(world.foreign, world.mirror);
    CHECK(world.refusal().find("symbolic link") != std::string::npos);
    CHECK(fs::is_symlink(world.mirror));
    CHECK(read(world.foreign / "precious") == "mine");
  }
  SECTION("a link to an empty directory") {
    fs::create_directory(world.content.path() / "empty");
    fs::create_directory_symlink(world.content.path() / "empty", world.mirror);
    CHECK(world.refusal().find("symbolic link") != std::string::npos);
  }
  SECTION("a link to nothing") {
    fs::create_symlink("nowhere", world.mirror);
    CHECK(world.refusal().find("symbolic link") != std::string::npos);
    CHECK(fs::is_symlink(world.mirror));
  }
  SECTION("a hard link to a file") {
    fs::create_hard_link(world.folder.path() / "target", world.mirror);
    CHECK(world.refusal().find("no directory") != std::string::npos);
    CHECK(read(world.folder.path() / "target") == "mine");
  }
  SECTION("a pipe") {
    REQUIRE(::mkfifo(world.mirror.c_str(), 0666) == 0);
    CHECK(world.refusal().find("no directory") != std::string::npos);
  }
  SECTION("a socket") {
    make_socket(world.mirror);
    CHECK(world.refusal().find("no directory") != std::string::npos);
  }
  SECTION("a directory that came while the content was fetched") {
    auto mirror = world.open();
    REQUIRE(mirror);
    REQUIRE(mirror->show(world.blocks, value_of(world.one), world.one));
    fs::rename(world.mirror, world.folder.path() / "moved");
    write(world.mirror / "precious", "mine");
    CHECK(mirror->show(world.blocks, value_of(world.two), world.two).error().code ==
          Errc::conflict);
    CHECK(read(world.mirror / "precious") == "mine");
    CHECK(read(world.folder.path() / "moved/a") == "1");
  }
}

TEST_CASE("without times of birth a directory is known by what is in it, not by its inode alone") {
  World world;
  write(world.mirror / "a", "1");
  fs::create_directory(world.mirror / "b");
  const auto look = [&] {
    const auto folder = Folder::open(world.mirror);
    auto made = MadeDirectory::of(*folder);
    REQUIRE(made);
    made->born = 0;
    made->entries = *entries_digest(*folder);
    return *made;
  };
  const MadeDirectory made = look();
  MirrorMark mark{.name = world.name.to_string(), .shown = made, .next = {}};
  mark.shown->value = value_of(world.one);
  const auto read_back = MirrorMark::parse(mark.text());
  REQUIRE(read_back);
  REQUIRE(read_back->shown);
  CHECK(read_back->shown->value == value_of(world.one));
  CHECK_FALSE(read_back->next);
  CHECK(read_back->shown->is(look()));
  // As when its inode had been given to another directory.
  SECTION("of other names") { fs::rename(world.mirror / "a", world.mirror / "c"); }
  SECTION("of the same names") {
    fs::copy_file(world.mirror / "a", world.mirror / "c");
    fs::rename(world.mirror / "c", world.mirror / "a");
  }
  CHECK_FALSE(read_back->shown->is(look()));
  // What was written before there was such a digest proves nothing, either.
  MadeDirectory inode_alone = made;
  inode_alone.entries.clear();
  CHECK_FALSE(inode_alone.is(inode_alone));
}

TEST_CASE("a mirror that was closed to others stays closed when its content changes") {
  World world;
  fs::create_directory(world.mirror);
  auto mirror = world.open();
  REQUIRE(mirror);
  for (const fs::perms mode : {fs::perms::owner_all, fs::perms(0750), fs::perms(0755)}) {
    fs::permissions(world.mirror, mode);
    REQUIRE(mirror->show(world.blocks, value_of(world.one), world.one));
    CHECK(fs::status(world.mirror).permissions() == mode);
    REQUIRE(mirror->show(world.blocks, value_of(world.two), world.two));
    CHECK(fs::status(world.mirror).permissions() == mode);
  }
}

TEST_CASE("a mirror whose folder is moved away goes on where its path leads") {
  World world;
  world.mirror = world.folder.path() / "www/site";
  const fs::path www = world.folder.path() / "www";
  const fs::path old = world.folder.path() / "old";
  auto mirror = world.open();
  REQUIRE(mirror);
  REQUIRE(mirror->show(world.blocks, value_of(world.one), world.one));
  fs::rename(www, old);
  SECTION("and comes back elsewhere") {
    fs::create_directory(www);
    REQUIRE(mirror->show(world.blocks, value_of(world.two), world.two));
    CHECK(read(world.mirror / "b") == "2");
  }
  SECTION("and is copied back: the copy is not ours, and neither is touched") {
    fs::copy(old, www, fs::copy_options::recursive);
    CHECK(mirror->show(world.blocks, value_of(world.two), world.two).error().code ==
          Errc::conflict);
    CHECK(read(world.mirror / "a") == "1");
  }
  SECTION("and stays away: one clear error") {
    const auto shown = mirror->show(world.blocks, value_of(world.two), world.two);
    REQUIRE_FALSE(shown);
    CHECK(shown.error().message.find(www.string()) != std::string::npos);
  }
  CHECK(read(old / "site/a") == "1");
}

TEST_CASE("a workspace in a folder that was removed is an error, not an endless try") {
  const test::TempDir temp;
  const fs::path folder = temp.path() / "gone";
  fs::create_directory(folder);
  auto open = Folder::open(folder);
  REQUIRE(open);
  fs::remove(folder);
  const auto made = sync::Workspace::make_in(std::move(*open));
  REQUIRE_FALSE(made);
  CHECK(made.error().code == Errc::io);
  CHECK(made.error().message.find("removed") != std::string::npos);
}

TEST_CASE("what another user planted where everybody may write is refused and left alone") {
  if (::geteuid() != 0) SKIP_TEST("only root can be another user");
  World world;
  fs::permissions(world.folder.path(), fs::perms::all | fs::perms::sticky_bit);
  const std::string place = world.mirror.string();
  const std::string folder = world.folder.path().string();
  SECTION("beside the mirror") {
    REQUIRE(as_nobody([&] {
      std::ofstream(folder + "/.site.ipnscast") << "k51\n";
      std::ofstream(folder + "/target") << "theirs";
      return ::mkfifo((folder + "/.site.ipnscast-new").c_str(), 0666) == 0 &&
             ::mkdir((folder + "/.site.ipnscast-tree").c_str(), 0777) == 0 &&
             ::mkdir((folder + "/.ipnscast-0011223344556677.tmp").c_str(), 0777) == 0 &&
             ::mkfifo((folder + "/.ipnscast-1011223344556677.tmp").c_str(), 0666) == 0 &&
             ::symlink("target", (folder + "/.ipnscast-2011223344556677.tmp").c_str()) == 0;
    }));
    const auto before = world.entries();
    auto mirror = world.open();
    REQUIRE(mirror);
    REQUIRE(mirror->show(world.blocks, value_of(world.one), world.one));
    REQUIRE(mirror->show(world.blocks, value_of(world.two), world.two));
    CHECK(read(world.mirror / "b") == "2");
    CHECK(read(folder + "/target") == "theirs");
    CHECK(world.entries().size() == before.size() + 1);
  }
  SECTION("an empty directory in its place") {
    REQUIRE(as_nobody([&] { return ::mkdir(place.c_str(), 0777) == 0; }));
    CHECK(world.open().error().code == Errc::refused);
    CHECK(world.refusal().find("another user") != std::string::npos);
    CHECK(fs::is_empty(world.mirror));
  }
  SECTION("a link in its place") {
    REQUIRE(as_nobody([&] { return ::symlink("/etc", place.c_str()) == 0; }));
    CHECK(world.refusal().find("symbolic link") != std::string::npos);
    CHECK(fs::is_symlink(world.mirror));
  }
  SECTION("a state directory") {
    const fs::path planted = world.folder.path() / "state";
    REQUIRE(as_nobody([&] { return ::mkdir(planted.c_str(), 0777) == 0; }));
    const auto opened = Mirror::open(world.mirror, world.name, planted);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().message.find("another user") != std::string::npos);
    CHECK(fs::is_empty(planted));
  }
}

TEST_CASE("a mirror is known again when the device number changed, and not when it was copied") {
  World world;
  {
    auto mirror = world.open();
    REQUIRE(mirror);
    REQUIRE(mirror->show(world.blocks, value_of(world.one), world.one));
    const auto second = world.open();
    REQUIRE_FALSE(second);
    CHECK(second.error().message.find("another process") != std::string::npos);
  }
  CHECK(world.open()->shown() == value_of(world.one));
  fs::rename(world.mirror, world.folder.path() / "moved");
  fs::copy(world.folder.path() / "moved", world.mirror, fs::copy_options::recursive);
  CHECK(world.refusal().find("did not make it") != std::string::npos);
  CHECK(read(world.mirror / "a") == "1");
}

TEST_CASE(
    "a process that is killed at any instant leaves a whole mirror, known again, and nothing "
    "of its own") {
  World world;
  write(world.folder.path() / "neighbour", "mine");
  write(world.folder.path() / ".ipnscast-of-the-user.tmp/precious", "mine");
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int run = 0; run < 60; ++run) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto mirror = world.open();
      while (mirror) {
        if (!mirror->show(world.blocks, value_of(world.one), world.one)) break;
        if (!mirror->show(world.blocks, value_of(world.two), world.two)) break;
      }
      ::_exit(1);
    }
    ::usleep(std::uniform_int_distribution<useconds_t>(0, 20'000)(random));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
    auto mirror = world.open();
    INFO(world.refusal());
    REQUIRE(mirror);
    CHECK(world.entries().size() == (fs::exists(world.mirror) ? 3u : 2u));
    if (mirror->shown() == value_of(world.one)) CHECK(read(world.mirror / "a") == "1");
    if (mirror->shown() == value_of(world.two)) CHECK(read(world.mirror / "b") == "2");
    if (fs::exists(world.mirror)) CHECK(mirror->shown());
  }
  CHECK(read(world.folder.path() / ".ipnscast-of-the-user.tmp/precious") == "mine");
}

}  // namespace
}  // namespace ipnscast::tools
