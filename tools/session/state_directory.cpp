#include "ipnscast/tools/session/state_directory.h"

#include <cstdlib>

namespace ipnscast::tools {

Result<std::filesystem::path> state_directory(const Context& context) {
  if (!context.state_dir.empty()) return std::filesystem::path(context.state_dir);
  // A relative path there is to be ignored (XDG Base Directory Specification).
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::filesystem::path(state) / "ipnscast";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::filesystem::path(home) / ".local/state/ipnscast";
  return fail(Errc::invalid, "no home directory: say where with --state");
}

namespace {

// --keys or IPNSCAST_KEYS; empty: neither.
std::filesystem::path named_keys(const Context& context) {
  if (!context.keys_dir.empty()) return context.keys_dir;
  const char* wanted = std::getenv("IPNSCAST_KEYS");
  return wanted == nullptr ? "" : wanted;
}

}  // namespace

Result<std::filesystem::path> new_keys_directory(const Context& context) {
  if (!named_keys(context).empty() || context.state_dir.empty()) return keys_directory(context);
  return std::filesystem::path(context.state_dir) / "keys";
}

Result<std::filesystem::path> keys_directory(const Context& context) {
  if (auto named = named_keys(context); !named.empty()) return named;
  const auto state = state_directory(context);
  if (!state) return state;
  std::error_code unknown;
  if (std::filesystem::is_directory(*state / "keys", unknown)) return *state / "keys";
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return std::filesystem::path(data) / "ipnscast/keys";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/')
    return std::filesystem::path(home) / ".local/share/ipnscast/keys";
  return *state / "keys";
}

Status check_state_is_there(const Context& context) {
  std::error_code unknown;
  const auto found = std::filesystem::status(context.state_dir, unknown).type();
  if (context.state_dir.empty() || found != std::filesystem::file_type::not_found) return {};
  return fail(Errc::not_found, "--state \"" + context.state_dir +
                                   "\" does not exist: name the directory that watch, publish or "
                                   "bridge worked in");
}

std::filesystem::path cache_directory(const Context& context) {
  if (!context.state_dir.empty()) return {};
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return std::filesystem::path(cache) / "ipnscast";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::filesystem::path(home) / ".cache/ipnscast";
  return {};
}

}  // namespace ipnscast::tools
