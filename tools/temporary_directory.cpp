#include "tools/temporary_directory.h"

#include <cstdlib>

namespace ipnscast::tools {

Result<TemporaryDirectory> TemporaryDirectory::make() {
  std::error_code failed;
  const auto parent = std::filesystem::temp_directory_path(failed);
  if (failed) return fail(Errc::io, "no directory for temporary files: " + failed.message());
  std::string pattern = (parent / "ipnscast-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    return fail(Errc::io, parent.string() + ": cannot make a temporary directory");
  return TemporaryDirectory(pattern);
}

TemporaryDirectory::~TemporaryDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace ipnscast::tools
