#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace ipnscast::store {

class Database;

// A prepared statement, cached by its database: bind in order, then step or run; after the last
// step it can be bound anew. One thread at a time. Text and blobs are copied. A statement resets
// itself when it goes out of scope, before its database does.
//
//   auto s = db.prepare("SELECT sequence FROM names WHERE name = ?");
//   s.bind(name.view());
//   while (s.step()) use(s.integer(0));
//   if (!s.status()) ...
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Binds the next parameter.
  Statement& bind(int64_t value);
  Statement& bind(std::string_view text);
  Statement& bind(const char* text) { return bind(std::string_view(text)); }
  Statement& bind(ByteView blob);
  Statement& bind_null();
  template <typename T>
  Statement& bind_optional(const std::optional<T>& value) {
    return value ? bind(*value) : bind_null();
  }

  // To the next row. False at the end and on an error: see status().
  bool step();
  // Runs to the end. The number of rows changed.
  Result<int64_t> run();
  // The first error of prepare, bind or step. Errc::io, Errc::busy, Errc::conflict (a constraint).
  const Status& status() const { return status_; }

  int64_t integer(int column) const;
  std::string text(int column) const;
  Bytes blob(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  Statement(sqlite3_stmt* handle, bool* in_use, Status status);
  void note(int code);
  void rewind();

  // owned by the database's cache; null after a failed prepare
  sqlite3_stmt* handle_;
  bool* in_use_;
  Status status_;
  int next_parameter_ = 1;
};

// To the end, where nobody asks how many rows changed.
Status run(Statement& statement);

// One step of a layer's schema. Numbers start at 1 and never change once released.
struct Migration {
  int number;
  const char* sql;
};

// The migrations of one layer ("nostr", "sync", "bridge", "relay", "node"). Each layer owns its
// tables.
struct Schema {
  std::string_view layer;
  std::vector<Migration> migrations;
};

enum class Durability {
  full,    // WAL, synchronous=FULL: a commit survives a power cut
  normal,  // WAL, synchronous=NORMAL: a commit survives kill -9, the last ones may be lost in a
           // power cut
};

// One SQLite connection, used by one thread at a time.
class Database {
 public:
  // Opens or creates the file (mode 0600) and runs what is missing of every layer's migrations in
  // one transaction each. A file whose schema is newer than ours is refused: Errc::unsupported with
  // a message that names both versions. ":memory:" works for tests.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file,
                                                const std::vector<Schema>& schemas,
                                                Durability durability = Durability::full);
  // A second connection to read from, in the same process or another one. No migrations. Nothing
  // is written: no file appears beside it or changes, and the directory may be read-only. Where
  // nobody works in the file (see BesideFile), it has to stay so while it is read; whoever begins
  // to work there meanwhile is not noticed.
  static Result<std::unique_ptr<Database>> open_read_only(const std::filesystem::path& file);
  ~Database();

  Statement prepare(std::string_view sql);
  // Runs statements without parameters and results.
  Status execute(std::string_view sql);

  Status begin();  // BEGIN IMMEDIATE
  Status commit();
  void rollback();

 private:
  Database();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ipnscast::store
