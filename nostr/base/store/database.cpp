#include "ipnscast/nostr/base/store/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>

#include "ipnscast/nostr/base/store/beside_file.h"
#include "ipnscast/nostr/base/store/migrate.h"

namespace ipnscast::store {
namespace {

// How long a connection waits for another process's transaction.
constexpr int kBusyTimeoutMs = 5000;
// SQL that is put together at run time must not make the cache of statements grow for ever.
constexpr size_t kMaxCachedStatements = 256;

Error sqlite_error(int code, const char* text, const std::string& file) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Errc::busy, file + ": another process is writing"};
    case SQLITE_CONSTRAINT:
      return {Errc::conflict, file + ": " + text};
    case SQLITE_FULL:
      return {Errc::io, file + ": the disk is full"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Errc::io, file + ": damaged, or not a database: " + text};
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return {Errc::internal, file + ": " + text};
    default:
      return {Errc::io, file + ": " + text};
  }
}

std::string name_of(sqlite3* connection) {
  const char* file = sqlite3_db_filename(connection, "main");
  return file != nullptr && *file != '\0' ? file : ":memory:";
}

Error last_error(sqlite3* connection) {
  return sqlite_error(sqlite3_extended_errcode(connection), sqlite3_errmsg(connection),
                      name_of(connection));
}

// SQLite would create the file with the umask's mode; its -wal and -shm files copy the mode of the
// main one.
Status make_private(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor >= 0) {
    ::close(descriptor);
    return {};
  }
  // An existing file is not opened here: closing it again would drop the locks that other
  // connections of this process hold on it (POSIX advisory locks,
  // https://sqlite.org/howtocorrupt.html section 2.2).
  if (errno == EEXIST) {
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
      return fail(Errc::io, "\"" + file.string() + "\" is not an ordinary file");
    if (::chmod(file.c_str(), 0600) == 0 || errno == EPERM) return {};
  }
  return fail(Errc::io, file.string() + ": " + std::strerror(errno));
}

}  // namespace

// ---- Statement ----

Statement::Statement(sqlite3_stmt* handle, bool* in_use, Status status)
    : handle_(handle), in_use_(in_use), status_(std::move(status)) {}

Statement::Statement(Statement&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      in_use_(std::exchange(other.in_use_, nullptr)),
      status_(std::move(other.status_)),
      next_parameter_(other.next_parameter_) {}

Statement::~Statement() {
  if (handle_ == nullptr) return;
  rewind();
  sqlite3_clear_bindings(handle_);
  *in_use_ = false;
}

void Statement::rewind() {
  sqlite3_reset(handle_);
  next_parameter_ = 1;
}

void Statement::note(int code) {
  if (code == SQLITE_OK || !status_) return;
  sqlite3* connection = sqlite3_db_handle(handle_);
  status_ = fail(sqlite_error(code, sqlite3_errmsg(connection), name_of(connection)));
}

Statement& Statement::bind(int64_t value) {
  if (status_) note(sqlite3_bind_int64(handle_, next_parameter_++, value));
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  if (status_) {
    note(sqlite3_bind_text64(handle_, next_parameter_++, data, text.size(), SQLITE_TRANSIENT,
                             SQLITE_UTF8));
  }
  return *this;
}

Statement& Statement::bind(ByteView blob) {
  // A null pointer would bind NULL instead of an empty blob.
  const void* data = blob.data() == nullptr ? static_cast<const void*>("") : blob.data();
  if (status_) {
    note(sqlite3_bind_blob64(handle_, next_parameter_++, data, blob.size(), SQLITE_TRANSIENT));
  }
  return *this;
}

Statement& Statement::bind_null() {
  if (status_) note(sqlite3_bind_null(handle_, next_parameter_++));
  return *this;
}

bool Statement::step() {
  if (!status_) return false;
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) note(code);
  rewind();
  return false;
}

Result<int64_t> Statement::run() {
  while (step()) {
  }
  if (!status_) return fail(status_.error());
  if (sqlite3_stmt_readonly(handle_) != 0) return 0;
  return sqlite3_changes(sqlite3_db_handle(handle_));
}

Status run(Statement& statement) {
  const auto changed = statement.run();
  return changed ? Status{} : fail(changed.error());
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

std::string Statement::text(int column) const {
  const unsigned char* data = sqlite3_column_text(handle_, column);
  if (data == nullptr) return {};
  const auto size = static_cast<size_t>(sqlite3_column_bytes(handle_, column));
  return std::string(reinterpret_cast<const char*>(data), size);
}

Bytes Statement::blob(int column) const {
  const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(handle_, column));
  if (data == nullptr) return {};
  return Bytes(data, data + sqlite3_column_bytes(handle_, column));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

// ---- Database ----

struct Database::Impl {
  struct Cached {
    sqlite3_stmt* handle = nullptr;
    bool in_use = false;
  };

  sqlite3* connection = nullptr;
  // By SQL text; more than one when the same text is in use twice at a time. Addresses stay.
  std::unordered_multimap<std::string, Cached> statements;

  ~Impl() {
    for (auto& [sql, cached] : statements) {
      assert(!cached.in_use);
      sqlite3_finalize(cached.handle);
    }
    sqlite3_close(connection);
  }

  void trim() {
    if (statements.size() < kMaxCachedStatements) return;
    std::erase_if(statements, [](const auto& entry) {
      if (entry.second.in_use) return false;
      sqlite3_finalize(entry.second.handle);
      return true;
    });
  }

  // `what` is the path or a URI of the file.
  Status open(const std::filesystem::path& file, const std::string& what, int flags) {
    const int code =
        sqlite3_open_v2(what.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    if (connection == nullptr) return fail(Errc::io, file.string() + ": out of memory");
    if (code != SQLITE_OK)
      return fail(sqlite_error(code, sqlite3_errmsg(connection), file.string()));
    sqlite3_extended_result_codes(connection, 1);
    sqlite3_busy_timeout(connection, kBusyTimeoutMs);
    return {};
  }
};

Database::Database() : impl_(std::make_unique<Impl>()) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file,
                                                 const std::vector<Schema>& schemas,
                                                 Durability durability) {
  if (file != ":memory:") {
    if (Status made = make_private(file); !made) return fail(made.error());
  }
  std::unique_ptr<Database> db(new Database());
  Status status = db->impl_->open(file, file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (status) {
    status = db->execute(durability == Durability::full
                             ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                             : "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;");
  }
  if (status) status = db->execute("PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;");
  if (status) status = migrate(*db, file.string(), schemas);
  if (!status) return fail(status.error());
  return db;
}

Result<std::unique_ptr<Database>> Database::open_read_only(const std::filesystem::path& file) {
  std::unique_ptr<Database> db(new Database());
  const UnseenOpening how = unseen_opening(file);
  Status status = db->impl_->open(file, how.uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  if (status) {
    // Whoever only looked leaves the log as it is.
    sqlite3_db_config(db->impl_->connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (how.whole_log) status = db->execute("PRAGMA locking_mode=EXCLUSIVE");
  }
  // SQLite reads the file only now, and finds out whether it is one.
  if (status)
    status = db->execute("PRAGMA trusted_schema=OFF; SELECT count(*) FROM sqlite_schema;");
  if (!status) return fail(status.error());
  return db;
}

Statement Database::prepare(std::string_view sql) {
  std::string key(sql);
  const auto [first, last] = impl_->statements.equal_range(key);
  for (auto it = first; it != last; ++it) {
    if (it->second.in_use) continue;
    it->second.in_use = true;
    return Statement(it->second.handle, &it->second.in_use, {});
  }
  impl_->trim();
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(impl_->connection, key.data(), static_cast<int>(key.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return Statement(nullptr, nullptr, fail(last_error(impl_->connection)));
  auto it = impl_->statements.emplace(std::move(key), Impl::Cached{handle, true});
  return Statement(handle, &it->second.in_use, {});
}

Status Database::execute(std::string_view sql) {
  const std::string text(sql);
  if (sqlite3_exec(impl_->connection, text.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK)
    return {};
  return fail(last_error(impl_->connection));
}

Status Database::begin() { return execute("BEGIN IMMEDIATE"); }
Status Database::commit() { return execute("COMMIT"); }

void Database::rollback() {
  // A full disk or a damaged file may have rolled back already.
  if (sqlite3_get_autocommit(impl_->connection) == 0) static_cast<void>(execute("ROLLBACK"));
}

}  // namespace ipnscast::store
