#include "ipnscast/tests/support/vectors.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "ipnscast/tests/support/places.h"

namespace ipnscast::test {

std::optional<std::filesystem::path> official_vectors() {
  const char* from_environment = std::getenv("IPNSCAST_VECTORS");
  const std::filesystem::path folder =
      from_environment != nullptr ? std::filesystem::path(from_environment)
                                  : std::filesystem::path(source_folder()) / "../shared/vectors";
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  return folder;
}

std::filesystem::path own_vectors() {
  return std::filesystem::path(source_folder()) / "tests/vectors";
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace ipnscast::test
