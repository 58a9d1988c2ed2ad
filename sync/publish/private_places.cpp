#include "ipnscast/sync/publish/private_places.h"

#include <optional>

namespace ipnscast::sync {
namespace {

namespace fs = std::filesystem;

std::optional<FileId> id_at(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return id_of(status);
}

// Whether the inner path, whose links are resolved, is the place or lies below it.
bool lies_in(const fs::path& inner, FileId place) {
  for (fs::path at = inner;; at = at.parent_path()) {
    if (id_at(at) == place) return true;
    if (!at.has_relative_path()) return false;
  }
}

tl::unexpected<Error> refused(const fs::path& path, const std::string& what) {
  return fail(Errc::refused, "\"" + path.string() + "\" " + what +
                                 " of ipnscast itself (state, keys, cache or configuration), and "
                                 "is not published: name another path");
}

}  // namespace

PrivatePlaces::PrivatePlaces(const std::vector<fs::path>& paths) {
  for (const fs::path& path : paths) {
    std::error_code failed;
    const fs::path real = fs::canonical(path, failed);
    const auto id = id_at(path);
    if (path.empty() || failed || !id) continue;
    roots_.push_back(real);
    ids_.insert(*id);
    add_all(real);
  }
}

void PrivatePlaces::add_all(const fs::path& path) {
  std::error_code failed;
  if (!fs::is_directory(path, failed)) return;
  fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, failed);
  for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
    struct stat status {};
    if (::lstat(at->path().c_str(), &status) == 0 && !S_ISLNK(status.st_mode))
      ids_.insert(id_of(status));
  }
}

Status PrivatePlaces::check(const fs::path& path) const {
  std::error_code failed;
  const fs::path real = fs::canonical(path, failed);
  const auto id = id_at(path);
  if (failed || !id) return fail(Errc::not_found, path.string() + ": no such file or directory");
  if (Status entry = check_entry(*id, path); !entry) return entry;
  for (const fs::path& root : roots_) {
    if (const auto place = id_at(root); place && lies_in(real, *place))
      return refused(path, "lies in \"" + root.string() + "\", a place");
    if (lies_in(root, *id)) return refused(path, "holds \"" + root.string() + "\", a place");
  }
  return {};
}

Status PrivatePlaces::check_entry(FileId id, const fs::path& path) const {
  return ids_.contains(id) ? refused(path, "is a file or directory") : Status{};
}

}  // namespace ipnscast::sync
