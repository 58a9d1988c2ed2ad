#include "ipnscast/tools/watch/conflict_handler.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/tools/cli/ipfs_path.h"

namespace ipnscast::tools {
namespace {

namespace fs = std::filesystem;
using Choice = sync::Resolution::Choice;

constexpr size_t kShownOfCid = 8;

nlohmann::json version_json(const sync::Version& version) {
  return {{"sequence", version.sequence.value}, {"value", version.value}};
}

// NAME.conflict-SEQUENCE-CID8: the end of a CID tells it from others, its beginning does not.
std::string kept_name(const sync::Conflict& conflict, const sync::Cid& cid) {
  const std::string text = cid.to_string();
  return conflict.name.to_string() + ".conflict-" + std::to_string(conflict.ours.sequence.value) +
         "-" + text.substr(text.size() - std::min(text.size(), kShownOfCid));
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

}  // namespace

Result<ConflictHandler::Options> ConflictHandler::parse(const std::vector<std::string>& words) {
  Options out;
  const std::string what = words.empty() ? "" : words[0];
  if (what == "newest" && words.size() == 1) return out;
  const bool with_value = words.size() == 2 && !words[1].empty();
  if (what == "keep-both" && with_value) {
    out.strategy = Strategy::keep_both;
    out.folder = words[1];
    return out;
  }
  if (what == "exec" && with_value) {
    out.strategy = Strategy::exec;
    out.command = words[1];
    return out;
  }
  return fail(Errc::invalid, "--on-conflict: want newest, keep-both DIR or exec CMD, not \"" +
                                 what + (words.size() > 1 ? " " + words[1] : "") + "\"");
}

ConflictHandler::ConflictHandler(sync::Client& client, Options options)
    : client_(client),
      options_(std::move(options)),
      command_("--on-conflict exec", options_.command, options_.timeout) {}

void ConflictHandler::stop() { command_.stop(); }

Result<sync::Resolution> ConflictHandler::handle(const sync::Conflict& conflict) {
  switch (options_.strategy) {
    case Strategy::newest:
      break;
    case Strategy::keep_both:
      return keep_both(conflict);
    case Strategy::exec:
      return run_command(conflict);
  }
  return sync::Resolution{Choice::theirs};
}

Status ConflictHandler::write(const sync::Version& version, const fs::path& target) {
  const auto content = parse_ipfs_path(version.value);
  if (!content) return fail(Errc::invalid, version.value + " is no content");
  return client_.get(content->cid, content->path, target, options_.get);
}

// A run that was killed may have left it there: it came whole.
Result<sync::Resolution> ConflictHandler::keep_both(const sync::Conflict& conflict) {
  const auto content = parse_ipfs_path(conflict.ours.value);
  if (!content) return fail(Errc::invalid, conflict.ours.value + " is no content");
  std::error_code failed;
  fs::create_directories(options_.folder, failed);
  if (failed)
    return fail(Errc::io,
                "--on-conflict keep-both: " + options_.folder.string() + ": " + failed.message());
  const fs::path target = options_.folder / kept_name(conflict, content->cid);
  if (!is_there(target)) {
    const Status written = write(conflict.ours, target);
    if (!written) return fail(written.error().within("--on-conflict keep-both"));
  }
  log_warning("watch", conflict.name.to_string() + ": sequence " +
                           std::to_string(conflict.theirs.sequence.value) +
                           " displaced what this device had published as " +
                           std::to_string(conflict.ours.sequence.value) + ", which is kept in " +
                           target.string());
  return sync::Resolution{Choice::theirs};
}

Result<sync::Resolution> ConflictHandler::run_command(const sync::Conflict& conflict) {
  auto made = TemporaryDirectory::make();
  if (!made) return fail(made.error());
  const fs::path folder = made->path();
  const fs::path ours = folder / "ours";
  const fs::path theirs = folder / "theirs";
  const fs::path merged = folder / "merged";
  {
    const std::lock_guard lock(mutex_);
    work_.erase(conflict.name);
    work_.emplace(conflict.name, std::move(*made));
  }
  if (auto written = write(conflict.ours, ours); !written) return fail(written.error());
  if (auto written = write(conflict.theirs, theirs); !written) return fail(written.error());
  nlohmann::json line = {{"name", conflict.name.to_string()},
                         {"ours", version_json(conflict.ours)},
                         {"theirs", version_json(conflict.theirs)}};
  if (conflict.common) line["common"] = version_json(*conflict.common);
  const Status done = command_.run({{"IPNSCAST_NAME", conflict.name.to_string()},
                                    {"IPNSCAST_OURS", ours.string()},
                                    {"IPNSCAST_THEIRS", theirs.string()},
                                    {"IPNSCAST_MERGED", merged.string()}},
                                   line.dump() + "\n");
  if (!done) return fail(done.error());
  if (!is_there(merged)) return sync::Resolution{Choice::theirs};
  return sync::Resolution{Choice::path, merged, std::nullopt};
}

}  // namespace ipnscast::tools
