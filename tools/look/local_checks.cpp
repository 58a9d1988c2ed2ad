#include "ipnscast/tools/look/local_checks.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <set>

#include "ipnscast/sync/state/state_reading.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tools/look/rows.h"
#include "ipnscast/tools/session/config_secrecy.h"

namespace ipnscast::tools {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kNoRoom = 8 * kMiB;        // a commit may fail soon
constexpr uint64_t kLittleRoom = 256 * kMiB;  // one fetch may fill it

std::string quoted_path(const fs::path& path) { return "\"" + path.string() + "\""; }

// Who may do what with a file that is there; nothing when all is well.
std::optional<Finding> check_owner(const std::string& check, const fs::path& path, mode_t forbidden,
                                   const std::string& danger, const std::string& mode) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return std::nullopt;
  if (about.st_uid != ::geteuid() && about.st_uid != 0)
    return Finding{Health::problem, check, path.string(),
                   "belongs to another user (uid " + std::to_string(about.st_uid) + ")",
                   "use a directory of your own, or run as that user"};
  if ((about.st_mode & forbidden) == 0) return std::nullopt;
  return Finding{Health::problem, check, path.string(), danger,
                 "chmod " + mode + " " + quoted_path(path)};
}

// The directory, or the first above it that is there.
fs::path nearest(fs::path path) {
  std::error_code unknown;
  path = fs::absolute(path, unknown);
  while (!fs::exists(path, unknown) && path.has_relative_path()) path = path.parent_path();
  return path;
}

std::string megabytes(uint64_t bytes) {
  return bytes >= 10'240 * kMiB ? std::to_string(bytes / (1'024 * kMiB)) + " GiB"
                                : std::to_string(bytes / kMiB) + " MiB";
}

Finding judge_room(const fs::path& directory, const struct statvfs& about) {
  const uint64_t left = static_cast<uint64_t>(about.f_bavail) * about.f_frsize;
  const bool no_files = about.f_files > 0 && about.f_favail == 0;
  Finding out{Health::ok, "disk", directory.string(), megabytes(left) + " left"};
  if (no_files) out.text = "no file can be made any more (inodes)";
  if (no_files || left < kNoRoom) {
    out.health = Health::problem;
    out.text = no_files ? out.text : "full: " + out.text;
    out.advice = "make room: what cannot be written is neither published nor handed over";
  } else if (left < kLittleRoom) {
    out.health = Health::warning;
    out.advice = "make room, or lower fetch.cache_bytes";
  }
  return out;
}

// What SQLite finds wrong with the file.
Status check_pages(store::Database& database, std::string& fault) {
  auto row = database.prepare("PRAGMA quick_check(1)");
  if (row.step() && row.text(0) != "ok") fault = row.text(0);
  return row.status();
}

Finding judge_state_file(const fs::path& state_dir) {
  const fs::path file = state_dir / sync::kStateFile;
  std::string fault;
  bool looked = false;
  const Status read = sync::read_state_file(state_dir, [&](store::Database& database) {
    looked = true;
    fault.clear();
    return check_pages(database, fault);
  });
  if (read && fault.empty() && !looked)
    return {Health::ok, "state", file.string(), "nothing was written yet"};
  if (read && fault.empty()) return {Health::ok, "state", file.string(), "sound"};
  if (!read && read.error().code == Errc::unsupported)
    return {Health::warning, "state", file.string(), read.error().message,
            "run a command that works in it, such as watch"};
  return {Health::problem, "state", file.string(), read ? fault : read.error().message,
          "move the state file away and begin anew, or restore a copy of it: names are learned "
          "again, and a publish asks the network which version is the last"};
}

}  // namespace

Findings check_keys(const sync::KeyStore& keys, const fs::path& folder) {
  Findings out;
  const auto entries = keys.list();
  if (!entries)
    return {{Health::problem, "keys", folder.string(), entries.error().message,
             "make the directory readable for you, or name another one with --keys"}};
  if (entries->empty())
    return {{Health::warning, "keys", folder.string(), "there is no key",
             "\"ipnscast init\" makes one; without it you can follow names and not publish"}};
  if (auto open =
          check_owner("keys", folder, S_IWGRP | S_IWOTH, "others can put keys into it", "700"))
    out.push_back(std::move(*open));
  for (const auto& entry : *entries) {
    const auto readable = keys.is_encrypted(entry.label);
    if (readable) continue;
    out.push_back({Health::problem, "keys", entry.label, readable.error().message,
                   "whoever could read it may have it: close the file, and make another key if "
                   "others use this machine"});
  }
  if (out.empty())
    out.push_back({Health::ok, "keys", folder.string(),
                   counted(entries->size(), "key") + ", readable by you alone"});
  return out;
}

Findings check_config(const Session& session, const fs::path& file) {
  Findings out;
  if (const std::string key = secret_others_can_read(file); !key.empty())
    out.push_back({Health::problem, "config", file.string(),
                   "holds a secret (" + key + ") and others can read it",
                   "chmod 600 " + quoted_path(file) + ", and change the secret"});
  const sync::Config& engine = session.settings().engine;
  if (engine.relays.empty())
    out.push_back({Health::warning, "config", file.string(), "no relay is configured",
                   session.how_to_set("relays.urls")});
  if (engine.gateways.empty())
    out.push_back({Health::warning, "config", file.string(), "no gateway or node is configured",
                   session.how_to_set("gateways.nodes")});
  if (out.empty()) {
    std::error_code unknown;
    out.push_back({Health::ok, "config", file.string(),
                   (fs::exists(file, unknown) ? "" : "not there; ") +
                       counted(engine.relays.size(), "relay") + ", " +
                       counted(engine.gateways.size(), "gateway")});
  }
  return out;
}

Findings check_state(const fs::path& state_dir) {
  Findings out;
  if (auto open = check_owner("state", state_dir, S_IWGRP | S_IWOTH,
                              "others can write into it, so that ipnscast does not use it", "700"))
    out.push_back(std::move(*open));
  if (auto open = check_owner("state", state_dir / sync::kStateFile, S_IRWXG | S_IRWXO,
                              "others can read which names you follow", "600"))
    out.push_back(std::move(*open));
  out.push_back(judge_state_file(state_dir));
  return out;
}

Findings check_disk(const std::vector<fs::path>& directories) {
  Findings out;
  std::set<unsigned long> seen;  // file systems
  for (const fs::path& directory : directories) {
    struct statvfs about {};
    if (::statvfs(nearest(directory).c_str(), &about) != 0) continue;
    if (seen.insert(about.f_fsid).second) out.push_back(judge_room(directory, about));
  }
  return out;
}

}  // namespace ipnscast::tools
