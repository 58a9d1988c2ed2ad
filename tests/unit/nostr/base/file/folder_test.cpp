// Files of ours among what others planted.
#include "ipnscast/nostr/base/file/folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "ipnscast/nostr/base/file/pending_file.h"
#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/nostr/base/store/file_lock.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

size_t count(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a file is written whole or not at all, over an ordinary file only") {
  const test::TempDir temp;
  const fs::path place = temp.path() / "out";
  std::ofstream(temp.path() / "target") << "mine";
  SECTION("where there was nothing") {
    REQUIRE(write_file(place, as_bytes("new")));
    CHECK(read(place) == "new");
    CHECK(count(temp.path()) == 2);
  }
  SECTION("over a file, whose other names keep its content") {
    fs::create_hard_link(temp.path() / "target", place);
    REQUIRE(write_file(place, as_bytes("new")));
    CHECK(read(place) == "new");
    CHECK(read(temp.path() / "target") == "mine");
  }
  SECTION("not through a link") {
    fs::create_symlink("target", place);
    const Status written = write_file(place, as_bytes("new"));
    REQUIRE_FALSE(written);
    CHECK(written.error().message.find("symbolic link") != std::string::npos);
    CHECK(fs::is_symlink(place));
    CHECK(read(temp.path() / "target") == "mine");
    CHECK(count(temp.path()) == 2);
  }
  SECTION("not into a pipe that nobody reads") {
    REQUIRE(::mkfifo(place.c_str(), 0600) == 0);
    CHECK(write_file(place, as_bytes("new")).error().code == Errc::conflict);
    CHECK(fs::is_fifo(place));
  }
  SECTION("not over a directory") {
    fs::create_directory(place);
    CHECK(write_file(place / "", as_bytes("new")).error().code == Errc::conflict);
  }
  SECTION("not over anything, when the place has to be free") {
    const auto occupied =
        PendingFile::create(temp.path() / "target", PendingFile::Over::nothing, 0600);
    REQUIRE_FALSE(occupied);
    CHECK(occupied.error().code == Errc::conflict);
    auto file = PendingFile::create(place, PendingFile::Over::nothing, 0600);
    REQUIRE(file);
    REQUIRE(file->write(as_bytes("new")));
    std::ofstream(place) << "somebody was faster";
    CHECK(file->commit().error().code == Errc::conflict);
    CHECK(read(place) == "somebody was faster");
  }
}

TEST_CASE("a file that is replaced stays as closed, or as open, as its owner made it") {
  const test::TempDir temp;
  const fs::path place = temp.path() / "out";
  const mode_t mask = ::umask(0022);
  const auto mode_after = [&](mode_t before, const auto& replace) {
    fs::remove(place);
    std::ofstream(place) << "old";
    REQUIRE(::chmod(place.c_str(), before) == 0);
    REQUIRE(replace());
    CHECK(read(place).starts_with("new"));
    struct stat status {};
    REQUIRE(::stat(place.c_str(), &status) == 0);
    return status.st_mode & 07777;
  };
  const auto write = [&] { return write_file(place, as_bytes("new")); };
  CHECK(mode_after(0600, write) == 0600);
  CHECK(mode_after(0640, write) == 0640);
  CHECK(mode_after(0664, write) == 0664);
  CHECK(mode_after(0755, write) == 0755);
  CHECK(mode_after(04755, write) == 0755);  // what is written is no program of the administrator
  // A secret is for its owner, whatever was there.
  const auto write_secret = [&] { return replace_secret_file(place, "new"); };
  CHECK(mode_after(0644, write_secret) == 0600);
  CHECK(mode_after(0400, write_secret) == 0400);
  fs::remove(place);
  REQUIRE(write());
  struct stat status {};
  REQUIRE(::stat(place.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0644);
  ::umask(mask);
}

TEST_CASE("a secret is written beside planted names, and its leftovers go") {
  const test::TempDir temp;
  const fs::path key = temp.path() / "key";
  const fs::path left = temp.path() / ".ipnscast-0011223344556677.tmp";
  std::ofstream(left) << "half a secret";
  std::ofstream(temp.path() / "target") << "mine";
  fs::create_symlink("target", temp.path() / ".ipnscast-1011223344556677.tmp");
  REQUIRE(write_secret_file(key, "secret"));
  CHECK(read(key) == "secret\n");
  CHECK_FALSE(fs::exists(left));
  CHECK(read(temp.path() / "target") == "mine");
  CHECK(fs::is_symlink(temp.path() / ".ipnscast-1011223344556677.tmp"));
  struct stat status {};
  REQUIRE(::stat(key.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(write_secret_file(key, "other").error().code == Errc::conflict);
  REQUIRE(replace_secret_file(key, "other"));
  CHECK(read(key) == "other\n");
}

TEST_CASE("leftovers stay where somebody else could have given them their name") {
  const test::TempDir temp;
  const fs::path folder = temp.path() / "open";
  const fs::path named = folder / ".ipnscast-0011223344556677.tmp";
  fs::create_directories(named / "precious");
  const auto sweep = [&](fs::perms perms) {
    fs::permissions(folder, perms);
    remove_abandoned(*Folder::open(folder));
    return !fs::exists(named);
  };
  CHECK_FALSE(sweep(fs::perms::all));
  CHECK_FALSE(sweep(fs::perms::owner_all | fs::perms::group_all));
  CHECK(sweep(fs::perms::all | fs::perms::sticky_bit));
}

TEST_CASE("a tree is removed with links as they are, and only the one that is meant") {
  const test::TempDir temp;
  fs::create_directories(temp.path() / "tree/a/b");
  fs::create_directories(temp.path() / "other");
  std::ofstream(temp.path() / "other/file") << "mine";
  fs::create_directory_symlink(temp.path() / "other", temp.path() / "tree/link");
  fs::permissions(temp.path() / "tree/a", fs::perms::owner_read | fs::perms::owner_exec);
  const auto folder = Folder::open(temp.path());
  const auto tree = folder->look("tree");
  const auto other = folder->look("other");
  REQUIRE(folder->remove_tree("other", id_of(**tree)));
  CHECK(fs::exists(temp.path() / "other/file"));
  REQUIRE(folder->remove_tree("tree", id_of(**tree)));
  CHECK_FALSE(fs::exists(temp.path() / "tree"));
  CHECK(read(temp.path() / "other/file") == "mine");
  CHECK(folder->open_inner("absent").error().code == Errc::not_found);
}

TEST_CASE("removing ends when its time is over, and the next one goes on with it") {
  const test::TempDir temp;
  const std::string name = ".ipnscast-0011223344556677.tmp";
  fs::create_directories(temp.path() / name / "a/b");
  std::ofstream(temp.path() / name / "a/file") << "half";
  const auto folder = Folder::open(temp.path());
  const auto tree = folder->look(name);
  const Status late = folder->remove_tree(name, id_of(**tree), std::chrono::steady_clock::now());
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::timeout);
  remove_abandoned(*folder, Milliseconds(0));
  CHECK(fs::exists(temp.path() / name / "a/file"));
  remove_abandoned(*folder, std::chrono::minutes(10));
  CHECK_FALSE(fs::exists(temp.path() / name));
}

TEST_CASE("a state directory has to be ours, and a link is no lock (S0-09)") {
  const test::TempDir temp;
  const fs::path state = temp.path() / "state";
  fs::create_directory(state);
  std::ofstream(temp.path() / "target") << "mine";
  SECTION("closed to others") {
    fs::permissions(state, fs::perms::all);
    CHECK(store::FileLock::acquire(state).error().code == Errc::refused);
  }
  SECTION("a link as its lock") {
    fs::create_symlink("../target", state / "lock");
    CHECK_FALSE(store::FileLock::acquire(state));
    CHECK(read(temp.path() / "target") == "mine");
  }
  SECTION("of another user") {
    if (::geteuid() != 0 || ::chown(state.c_str(), 65534, 65534) != 0) return;
    const auto taken = store::FileLock::acquire(state);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().message.find("another user") != std::string::npos);
    CHECK(fs::is_empty(state));
  }
  SECTION("through a link of ours") {
    fs::create_directory_symlink("state", temp.path() / "link");
    CHECK(store::FileLock::acquire(temp.path() / "link"));
  }
}
