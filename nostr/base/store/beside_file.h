#pragma once

#include <filesystem>
#include <string>

namespace ipnscast::store {

// What SQLite keeps beside a database file (its write-ahead log, and the index of that). While a
// process works in the file, both are there; after a crash both may be left; after an orderly end
// neither is.
struct BesideFile {
  bool log = false;
  bool index = false;
  bool operator==(const BesideFile&) const = default;
};
BesideFile beside_file(const std::filesystem::path& database);

// How SQLite has to open the file so that a look at it leaves nothing beside it and changes nothing
// there, also in a directory that cannot be written to. https://sqlite.org/wal.html, "Read-Only
// Databases".
struct UnseenOpening {
  std::string uri;
  bool whole_log = false;  // the log is there without its index: locking_mode has to be EXCLUSIVE
                           // before anything is read, so that the index is made in memory
};
UnseenOpening unseen_opening(const std::filesystem::path& database);

}  // namespace ipnscast::store
