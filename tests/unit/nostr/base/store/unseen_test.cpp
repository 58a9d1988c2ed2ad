// A look into a state file leaves no trace, whoever works there or did
// (https://sqlite.org/wal.html, "Read-Only Databases").
#include <fstream>
#include <map>

#include "ipnscast/nostr/base/store/beside_file.h"
#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::store;
namespace fs = std::filesystem;

namespace {

// All files of a folder, as their sizes and times tell. They are not opened: closing them would
// drop the locks that this process has on them. Within one process SQLite shares the index between
// connections, so that it may change.
std::map<std::string, std::string> everything_in(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto when = entry.last_write_time().time_since_epoch().count();
    out[entry.path().filename().string()] =
        entry.path().string().ends_with("-shm")
            ? ""
            : std::to_string(entry.file_size()) + " at " + std::to_string(when);
  }
  return out;
}

std::unique_ptr<Database> open_state(const fs::path& file) {
  auto db = Database::open(file, {{"sync", {{1, "CREATE TABLE words(word TEXT)"}}}});
  REQUIRE(db);
  return std::move(*db);
}

void add_word(Database& db, const std::string& word) {
  auto insert = db.prepare("INSERT INTO words VALUES(?)");
  REQUIRE(insert.bind(std::string_view(word)).run());
}

// The last word that was written, as one sees it who only looks.
std::string look(const fs::path& file) {
  const auto db = Database::open_read_only(file);
  if (!db) return "ERROR " + db.error().message;
  auto last = (*db)->prepare("SELECT word FROM words ORDER BY rowid DESC LIMIT 1");
  return last.step() ? last.text(0) : "ERROR nothing";
}

void check_unseen(const fs::path& file, const std::string& word) {
  const auto before = everything_in(file.parent_path());
  CHECK(look(file) == word);
  const auto after = everything_in(file.parent_path());
  for (const auto& [name, text] : after) {
    INFO(name);
    REQUIRE(before.count(name) == 1);
    CHECK(before.at(name) == text);
  }
  CHECK(after.size() == before.size());
}

}  // namespace

TEST_CASE("a look at a state file where nobody works makes no file beside it") {
  test::TempDir dir;
  const fs::path file = dir.path() / "odd %41?#name" / "state.sqlite";
  fs::create_directories(file.parent_path());
  add_word(*open_state(file), "one");
  CHECK(beside_file(file) == BesideFile{});
  check_unseen(file, "one");
}

TEST_CASE("a look sees what was committed last by whoever works there, and changes nothing") {
  test::TempDir dir;
  const fs::path file = dir.path() / "state.sqlite";
  const auto db = open_state(file);
  for (const std::string word : {"one", "two", "three"}) {
    add_word(*db, word);
    CHECK(beside_file(file) == BesideFile{true, true});
    check_unseen(file, word);
  }
  // In the midst of a transaction too.
  REQUIRE(db->begin());
  add_word(*db, "four");
  check_unseen(file, "three");
  REQUIRE(db->commit());
  check_unseen(file, "four");
  add_word(*db, "five");
  check_unseen(file, "five");
}

TEST_CASE("a look after a crash sees what was committed, and leaves the rest to the next owner") {
  test::TempDir dir;
  const fs::path file = dir.path() / "state.sqlite";
  const bool with_index = GENERATE(false, true);
  const fs::path crashed = dir.path() / "crashed";
  fs::create_directory(crashed);
  {
    const auto db = open_state(file);
    add_word(*db, "one");
    add_word(*db, "two");
    for (const std::string suffix : {"", "-wal", "-shm"}) {
      if (suffix != "-shm" || with_index)
        fs::copy_file(file.string() + suffix, crashed / ("state.sqlite" + suffix));
    }
  }
  INFO(with_index);
  const fs::path left = crashed / "state.sqlite";
  check_unseen(left, "two");
  check_unseen(left, "two");
  add_word(*open_state(left), "three");
  check_unseen(left, "three");
}

TEST_CASE("a look at a file that is not there, or empty beside a log, is an error with its name") {
  test::TempDir dir;
  const fs::path file = dir.path() / "state.sqlite";
  CHECK(look(file).find("state.sqlite") != std::string::npos);
  CHECK(look(file).find("mode=ro") == std::string::npos);
  CHECK(fs::is_empty(dir.path()));
  std::ofstream(file) << "not a database, and long enough to be looked at as one"
                      << std::string(600, 'x');
  std::ofstream(file.string() + "-wal") << "nor a log";
  CHECK(look(file).starts_with("ERROR"));
  CHECK(everything_in(dir.path()).size() == 2);
}
