#include "tools/mirror.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "sync/ipfs/unpacker.h"
#include "tools/ipfs_path.h"

namespace ipnscast::tools {
namespace {

namespace fs = std::filesystem;

fs::path beside(const fs::path& directory, const char* ending) {
  return directory.parent_path() / ("." + directory.filename().string() + ending);
}
fs::path marker_of(const fs::path& directory) { return beside(directory, ".ipnscast"); }

struct Marker {
  std::string name;
  std::optional<std::string> shown;
};

std::optional<Marker> read_marker(const fs::path& directory) {
  std::ifstream file(marker_of(directory));
  Marker out;
  std::string shown;
  if (!std::getline(file, out.name) || out.name.empty()) return std::nullopt;
  if (std::getline(file, shown)) out.shown = std::move(shown);
  return out;
}

bool absent_or_empty(const fs::path& directory) {
  std::error_code failed;
  if (!fs::exists(fs::symlink_status(directory, failed))) return true;
  return fs::is_directory(directory, failed) && fs::is_empty(directory, failed) && !failed;
}

Error system_error(const fs::path& path) {
  return {Errc::io, path.string() + ": " + std::strerror(errno)};
}

// Puts `fresh` where `directory` is, in one step, and removes what was there.
Status exchange(const fs::path& fresh, const fs::path& directory) {
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, directory.c_str(), RENAME_EXCHANGE) != 0) {
    if (errno != ENOENT) return fail(system_error(directory));
    if (::rename(fresh.c_str(), directory.c_str()) != 0) return fail(system_error(directory));
  }
  std::error_code failed;
  fs::remove_all(fresh, failed);
  if (failed) return fail(Errc::io, fresh.string() + ": " + failed.message());
  return {};
}

// A file's name below the mirror.
std::string file_name(const std::string& value, const sync::Cid& end) {
  const std::string_view path = split_path(value).path;
  if (path.empty()) return end.to_string();
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace

Result<Mirror> Mirror::open(const fs::path& directory, const sync::IpnsName& name) {
  std::error_code failed;
  fs::path place = fs::absolute(directory, failed).lexically_normal();
  if (failed) return fail(Errc::io, directory.string() + ": " + failed.message());
  if (!place.has_filename()) place = place.parent_path();
  auto marker = read_marker(place);
  if (absent_or_empty(place)) {
    if (marker && marker->name != name.to_string()) marker.reset();
    if (marker) marker->shown.reset();  // somebody cleared it
  } else if (!marker) {
    return fail(Errc::conflict, place.string() + ": is not empty, and no mirror of ours");
  }
  if (marker && marker->name != name.to_string())
    return fail(Errc::conflict, place.string() + ": mirrors another name, " + marker->name);
  fs::create_directories(place.parent_path(), failed);
  Mirror out(place, name.to_string(), marker ? marker->shown : std::nullopt);
  if (const Status written = out.write_marker(); !written) return fail(written.error());
  return out;
}

// Before the first content too: what a crash leaves behind is known to be ours.
Status Mirror::write_marker() const {
  const fs::path fresh = beside(directory_, ".ipnscast-new");
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return fail(system_error(fresh));
  const std::string text = name_ + "\n" + (shown_ ? *shown_ + "\n" : "");
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  ::close(fd);
  if (!written || ::rename(fresh.c_str(), marker_of(directory_).c_str()) != 0)
    return fail(system_error(fresh));
  return {};
}

Result<TreeChanges> Mirror::show(sync::BlockSource& blocks, const std::string& value,
                                 const sync::Cid& end, const sync::DagLimits& limits) {
  const fs::path fresh = beside(directory_, ".ipnscast-tree");
  std::error_code failed;
  fs::remove_all(fresh, failed);  // of a run that was cut off
  sync::UnpackOptions options;
  options.file_name = file_name(value, end);
  options.symlinks = true;  // those that stay inside; others are refused
  options.limits = limits;
  const auto unpacked = sync::unpack(blocks, end, fresh, options);
  if (!unpacked) return fail(unpacked.error());
  auto changes = compare_trees(directory_, fresh);
  if (!changes) return changes;
  if (const Status done = exchange(fresh, directory_); !done) return fail(done.error());
  shown_ = value;
  if (const Status written = write_marker(); !written) return fail(written.error());
  return changes;
}

}  // namespace ipnscast::tools
