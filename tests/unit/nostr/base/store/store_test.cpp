#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/nostr/base/store/file_lock.h"
#include "ipnscast/nostr/base/store/lock_holder.h"
#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::store;

namespace {

const Schema kFirst{"sync", {{1, "CREATE TABLE names(name TEXT PRIMARY KEY, sequence INTEGER)"}}};
const Schema kSecond{"sync",
                     {{1, "CREATE TABLE names(name TEXT PRIMARY KEY, sequence INTEGER)"},
                      {2, "ALTER TABLE names ADD COLUMN eol TEXT"}}};
const Schema kOther{"nostr", {{1, "CREATE TABLE outbox(id BLOB PRIMARY KEY)"}}};

int64_t count_names(Database& db) {
  auto select = db.prepare("SELECT count(*) FROM names");
  REQUIRE(select.step());
  return select.integer(0);
}

Status insert_name(Database& db, std::string_view name, int64_t sequence) {
  const auto changed =
      db.prepare("INSERT INTO names(name, sequence) VALUES(?, ?)").bind(name).bind(sequence).run();
  if (!changed) return fail(changed.error());
  return {};
}

}  // namespace

TEST_CASE("state written by an older version is still there after the tables were migrated") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  {
    auto db = Database::open(file, {kFirst});
    REQUIRE(db);
    REQUIRE(insert_name(**db, "k51", 7));
  }
  auto db = Database::open(file, {kSecond, kOther});
  REQUIRE(db);
  auto select = (*db)->prepare("SELECT sequence, eol FROM names");
  REQUIRE(select.step());
  CHECK(select.integer(0) == 7);
  CHECK(select.is_null(1));
}

TEST_CASE("a file of a newer version is refused with both versions named, and left as it is") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  REQUIRE(Database::open(file, {kSecond}));
  const auto refused = Database::open(file, {kOther, kFirst});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unsupported);
  CHECK(refused.error().message.find("version 2") != std::string::npos);
  CHECK(refused.error().message.find("up to 1") != std::string::npos);
  auto db = Database::open_read_only(file);
  REQUIRE(db);
  auto select = (*db)->prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'outbox'");
  REQUIRE(select.step());
  CHECK(select.integer(0) == 0);
}

TEST_CASE("a migration that fails leaves the version before it") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  const Schema broken{"sync",
                      {kFirst.migrations[0], {2, "CREATE TABLE extra(x); SELECT nonsense"}}};
  REQUIRE_FALSE(Database::open(file, {broken}));
  auto db = Database::open(file, {kSecond});
  REQUIRE(db);
  CHECK_FALSE((*db)->prepare("SELECT * FROM extra").status());
}

TEST_CASE("the state file and its companions can be read by their owner only") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  auto db = Database::open(file, {kFirst});
  REQUIRE(db);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info {};
    REQUIRE(::stat((file.string() + suffix).c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
  }
}

TEST_CASE("a file that is no database gives an error with its name") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  std::ofstream(file) << std::string(8192, 'x');
  for (const auto& opened : {Database::open(file, {kFirst}).map([](auto&&) {}),
                             Database::open_read_only(file).map([](auto&&) {})}) {
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::io);
    CHECK(opened.error().message.find("state.db") != std::string::npos);
  }
}

TEST_CASE("a full disk is an error that says so, and what was there before stays readable") {
  test::TempDir dir;
  auto db = Database::open(dir.path() / "state.db", {kFirst});
  REQUIRE(db);
  REQUIRE(insert_name(**db, "kept", 1));
  REQUIRE((*db)->execute("PRAGMA max_page_count=8"));
  const Status full = insert_name(**db, std::string(1 << 20, 'x'), 2);
  REQUIRE_FALSE(full);
  CHECK(full.error().code == Errc::io);
  CHECK(full.error().message.find("disk is full") != std::string::npos);
  CHECK(count_names(**db) == 1);
}

TEST_CASE("empty text and empty blobs are values, not nothing") {
  auto db = Database::open(":memory:", {kOther});
  REQUIRE(db);
  REQUIRE((*db)->prepare("INSERT INTO outbox VALUES(?)").bind(ByteView{}).run());
  auto select = (*db)->prepare("SELECT id FROM outbox");
  REQUIRE(select.step());
  CHECK_FALSE(select.is_null(0));
  CHECK(select.blob(0).empty());
}

TEST_CASE("the same statement can be open twice, and a constraint is told from other errors") {
  auto db = Database::open(":memory:", {kFirst});
  REQUIRE(db);
  REQUIRE(insert_name(**db, "a", 1));
  REQUIRE(insert_name(**db, "b", 2));
  auto outer = (*db)->prepare("SELECT name FROM names ORDER BY name");
  auto inner = (*db)->prepare("SELECT name FROM names ORDER BY name");
  REQUIRE(outer.step());
  REQUIRE(inner.step());
  REQUIRE(inner.step());
  CHECK(outer.text(0) == "a");
  CHECK(inner.text(0) == "b");
  CHECK(insert_name(**db, "a", 3).error().code == Errc::conflict);
}

TEST_CASE("SQL that is made up at run time does not fill the memory with prepared statements") {
  auto db = Database::open(":memory:", {kFirst});
  REQUIRE(db);
  auto held = (*db)->prepare("SELECT 1");
  for (int i = 0; i < 2000; ++i) {
    auto select = (*db)->prepare("SELECT " + std::to_string(i));
    REQUIRE(select.step());
    REQUIRE(select.integer(0) == i);
  }
  CHECK(held.step());
}

TEST_CASE("a job is reported done only when another process could read what it wrote") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  auto db = Database::open(file, {kFirst});
  REQUIRE(db);
  Writer writer(std::move(*db));
  auto reader = Database::open_read_only(file);
  REQUIRE(reader);
  std::promise<int64_t> seen;
  writer.submit([](Database& d) { return insert_name(d, "a", 1); },
                [&](Status status) { seen.set_value(status ? count_names(**reader) : -1); });
  CHECK(seen.get_future().get() == 1);
}

TEST_CASE("a job that fails is rolled back alone, its neighbours in the batch are committed") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  auto db = Database::open(file, {kFirst});
  REQUIRE(db);
  Writer writer(std::move(*db));
  std::promise<void> go;
  std::atomic<int> failed{0};
  // Holds the store thread up, so that the jobs behind it share one transaction.
  writer.submit([gate = go.get_future().share()](Database&) { return gate.wait(), Status{}; },
                [](Status) {});
  for (int i = 0; i < 100; ++i) {
    writer.submit(
        [i](Database& d) -> Status {
          if (Status status = insert_name(d, std::to_string(i), i); !status) return status;
          return i % 10 == 3 ? Status(fail(Errc::invalid, "no")) : Status{};
        },
        [&](Status status) { failed += status ? 0 : 1; });
  }
  go.set_value();
  writer.close();
  CHECK(failed == 10);
  auto reader = Database::open_read_only(file);
  REQUIRE(reader);
  CHECK(count_names(**reader) == 90);
}

TEST_CASE("when the disk fills up in the middle of a batch, every job of the batch is told") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  auto db = Database::open(file, {kFirst});
  REQUIRE(db);
  REQUIRE((*db)->execute("PRAGMA max_page_count=8; PRAGMA cache_size=1; PRAGMA cache_spill=1"));
  Writer writer(std::move(*db));
  std::promise<void> go;
  std::promise<Status> small;
  std::promise<Status> large;
  writer.submit([gate = go.get_future().share()](Database&) { return gate.wait(), Status{}; },
                [](Status) {});
  writer.submit([](Database& d) { return insert_name(d, "a", 1); },
                [&](Status status) { small.set_value(std::move(status)); });
  writer.submit([](Database& d) { return insert_name(d, std::string(1 << 20, 'x'), 2); },
                [&](Status status) { large.set_value(std::move(status)); });
  go.set_value();
  const bool small_is_in = small.get_future().get().has_value();
  CHECK(large.get_future().get().error().code == Errc::io);
  CHECK(writer.run([](Database& d) { return insert_name(d, "later", 3); }));
  writer.close();
  auto reader = Database::open_read_only(file);
  REQUIRE(reader);
  CHECK(count_names(**reader) == (small_is_in ? 2 : 1));
}

TEST_CASE("closing commits what was accepted and refuses what comes later") {
  test::TempDir dir;
  const auto file = dir.path() / "state.db";
  auto db = Database::open(file, {kFirst});
  REQUIRE(db);
  std::atomic<int> done{0};
  {
    Writer writer(std::move(*db));
    for (int i = 0; i < 500; ++i) {
      writer.submit([i](Database& d) { return insert_name(d, std::to_string(i), i); },
                    [&](Status status) { done += status ? 1 : 0; });
    }
    writer.close();
    writer.close();
    CHECK(writer.run([](Database&) { return Status{}; }).error().code == Errc::closed);
  }
  CHECK(done == 500);
  auto reader = Database::open_read_only(file);
  REQUIRE(reader);
  CHECK(count_names(**reader) == 500);
}

TEST_CASE("who holds a state directory can be seen without taking its lock") {
  test::TempDir dir;
  const auto state = dir.path() / "state";
  CHECK_FALSE(lock_holder(state));
  {
    const auto held = FileLock::acquire(state);
    REQUIRE(held);
    const auto holder = lock_holder(state);
    REQUIRE(holder);
    CHECK(holder->pid == ::getpid());
    CHECK(holder->command.starts_with("unit_store"));
  }
  // The file with the number is still there.
  CHECK_FALSE(lock_holder(state));
}

TEST_CASE("a second program on one state directory is told which process holds it") {
  test::TempDir dir;
  const auto state = dir.path() / "state";
  {
    auto first = FileLock::acquire(state);
    REQUIRE(first);
    const auto second = FileLock::acquire(state);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Errc::conflict);
    CHECK(second.error().message.find("process " + std::to_string(::getpid())) !=
          std::string::npos);
  }
  CHECK(FileLock::acquire(state));
}
