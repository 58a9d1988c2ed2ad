#pragma once

#include <filesystem>
#include <system_error>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast {

// "PATH: No such file or directory", for an errno.
inline tl::unexpected<Error> system_error(const std::filesystem::path& path, int number) {
  return fail(Errc::io, path.string() + ": " + std::generic_category().message(number));
}

}  // namespace ipnscast
