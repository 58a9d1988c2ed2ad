#include "ipnscast/nostr/base/file/temporary_directory.h"

#include <cstdlib>

namespace ipnscast {

Result<TemporaryDirectory> TemporaryDirectory::make() {
  std::error_code failed;
  const auto parent = std::filesystem::temp_directory_path(failed);
  if (failed) return fail(Errc::io, "no directory for temporary files: " + failed.message());
  std::string pattern = (parent / "ipnscast-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    return fail(Errc::io, parent.string() + ": cannot make a temporary directory");
  auto place = place_of(pattern);
  if (!place) return fail(place.error());
  const auto made = place->folder.open_inner(place->name);
  if (!made) return fail(made.error());
  return TemporaryDirectory(pattern, std::move(*place), made->id());
}

TemporaryDirectory::~TemporaryDirectory() {
  if (!path_.empty()) static_cast<void>(place_.folder.remove_tree(place_.name, id_));
}

}  // namespace ipnscast
