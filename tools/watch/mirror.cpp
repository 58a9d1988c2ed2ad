#include "ipnscast/tools/watch/mirror.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/sync/ipfs/unixfs/workspace.h"
#include "ipnscast/tools/cli/ipfs_path.h"

namespace ipnscast::tools {
namespace {

namespace fs = std::filesystem;

constexpr auto kContent = sync::Workspace::kContent;
constexpr char kBefore[] = "before";  // in the workspace: what the directory was

Error system_error(const fs::path& path) {
  return {Errc::io, path.string() + ": " + std::generic_category().message(errno)};
}

bool lacks_flags(int error) { return error == EINVAL || error == ENOSYS; }

// A file's name below the mirror.
std::string file_name(const std::string& value, const sync::Cid& end) {
  const std::string_view path = split_path(value).path;
  if (path.empty()) return end.to_string();
  return std::string(path.substr(path.rfind('/') + 1));
}

// The place with the links above it resolved, so that it is known however it is called.
Result<fs::path> real_place(const fs::path& directory) {
  std::error_code failed;
  fs::path place = fs::absolute(directory, failed).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();
  fs::create_directories(place.parent_path(), failed);
  const fs::path parent = fs::canonical(place.parent_path(), failed);
  if (failed) return fail(Errc::io, directory.string() + ": " + failed.message());
  return parent / place.filename();
}

}  // namespace

Result<Mirror> Mirror::open(const fs::path& directory, const sync::IpnsName& name,
                            const fs::path& state_dir) {
  const auto path = real_place(directory);
  if (!path) return fail(path.error());
  auto place = place_of(*path);
  if (!place) return fail(place.error());
  auto marks = MirrorMarkFile::open(state_dir, *path);
  if (!marks) return fail(marks.error());
  Mirror out(*path, name.to_string(), std::move(*place), std::move(*marks));
  const auto found = out.find();
  if (!found) return fail(found.error());
  if (*found && (*found)->made) out.shown_ = (*found)->made->value;
  remove_abandoned(out.place_.folder);
  return out;
}

// The mark says what we made; whatever else stands there is foreign, unless it is empty.
Result<std::optional<Mirror::Found>> Mirror::find() const {
  const std::string path = "\"" + directory_.string() + "\"";
  const auto status = place_.folder.look(place_.name);
  if (!status) return fail(status.error());
  if (!*status) return std::nullopt;
  const mode_t mode = (*status)->st_mode;
  if (S_ISLNK(mode))
    return fail(Errc::conflict,
                path + " is a symbolic link: name the directory that it leads to, or another one");
  if (!S_ISDIR(mode))
    return fail(Errc::conflict, path + " is no directory: mirror into another one");
  if ((*status)->st_uid != ::geteuid())
    return fail(Errc::refused, path + " belongs to another user (uid " +
                                   std::to_string((*status)->st_uid) +
                                   "): mirror into another directory");
  const auto folder = place_.folder.open_inner(place_.name);
  if (!folder) return fail(folder.error());
  if (folder->id() != id_of(**status)) return fail(foreign());
  const auto made = MadeDirectory::of(*folder);
  if (!made) return fail(made.error());
  const auto mark = marks_.read();
  if (!mark) return fail(mark.error());
  if (*mark) {
    for (const auto& known : {(*mark)->shown, (*mark)->next}) {
      if (!known || !known->is(*made)) continue;
      if ((*mark)->name == name_) return Found{folder->id(), known};
      return fail(Errc::conflict, path + " mirrors another name, " + (*mark)->name +
                                      ": mirror into another directory");
    }
  }
  const auto names = folder->names();
  if (!names) return fail(names.error());
  if (!names->empty()) return fail(foreign());
  return Found{folder->id(), std::nullopt};
}

Error Mirror::foreign() const {
  const std::string path = "\"" + directory_.string() + "\"";
  // Earlier versions marked a mirror with a file beside it. Anybody can write such a file, so it
  // proves nothing, and is not even opened.
  const std::string marker = "." + place_.name + ".ipnscast";
  const auto found = place_.folder.look(marker);
  if (found && *found)
    return {Errc::conflict,
            path + " may be a mirror of an earlier ipnscast, but the file \"" + marker +
                "\" beside it proves nothing: if nothing in the directory is needed, remove both "
                "and start again"};
  return {Errc::conflict, path +
                              " is not empty, and this ipnscast did not make it: move it away, "
                              "or mirror into another directory"};
}

// Puts the new content where the directory is. What was there is in the workspace afterwards.
Status Mirror::exchange(const sync::Workspace& workspace, const std::optional<Found>& found) const {
  const int inner = workspace.folder().get();
  const int outer = place_.folder.get();
  const char* const name = place_.name.c_str();
  const auto move_in = [&] {
    if (::renameat2(inner, kContent, outer, name, RENAME_NOREPLACE) == 0) return true;
    // A plain rename of a directory replaces an empty one and nothing else.
    return lacks_flags(errno) && ::renameat(inner, kContent, outer, name) == 0;
  };
  if (!found) return move_in() ? Status{} : fail(system_error(directory_));
  bool exchanged = ::renameat2(inner, kContent, outer, name, RENAME_EXCHANGE) == 0;
  if (exchanged) {
    if (::renameat(inner, kContent, inner, kBefore) != 0) return fail(system_error(directory_));
  } else {
    // A file system without exchanges: for a moment there is nothing at the place.
    if (!lacks_flags(errno) || ::renameat(outer, name, inner, kBefore) != 0)
      return fail(system_error(directory_));
  }
  const auto before = workspace.folder().look(kBefore);
  bool as_known = before && *before && id_of(**before) == found->id;
  // Somebody may have filled an empty directory meanwhile.
  if (as_known && !found->made) as_known = ::unlinkat(inner, kBefore, AT_REMOVEDIR) == 0;
  if (as_known) {
    if (exchanged || move_in()) return {};
    const Error error = system_error(directory_);
    static_cast<void>(::renameat(inner, kBefore, outer, name));
    return fail(error);
  }
  if (exchanged)
    static_cast<void>(::renameat2(inner, kBefore, outer, name, RENAME_EXCHANGE));
  else
    static_cast<void>(::renameat(inner, kBefore, outer, name));
  return fail(foreign());
}

Result<TreeChanges> Mirror::show(sync::BlockSource& blocks, const std::string& value,
                                 const sync::Cid& end, const sync::DagLimits& limits) {
  // Whoever moves the folder around the mirror means the path, and no longer what it led to.
  auto place = place_of(directory_);
  if (!place) return fail(place.error());
  place_ = std::move(*place);
  auto parent = place_.folder.duplicate();
  if (!parent) return fail(parent.error());
  const auto workspace = sync::Workspace::make_in(std::move(*parent));
  if (!workspace) return fail(workspace.error());
  sync::UnpackOptions options;
  options.file_name = file_name(value, end);
  options.stays_open = true;
  options.symlinks = true;  // those that stay inside; others are refused
  options.limits = limits;
  const auto unpacked = sync::unpack_into(blocks, end, workspace->folder(), kContent, options);
  if (!unpacked) return fail(unpacked.error());
  const auto still = place_of(directory_);
  if (!still || still->folder.id() != place_.folder.id())
    return fail(Errc::conflict, "the folder around \"" + directory_.string() +
                                    "\" was moved while the content was fetched");
  const auto built = workspace->folder().open_inner(kContent);
  if (!built) return fail(built.error());
  auto made = MadeDirectory::of(*built);
  if (!made) return fail(made.error());
  made->value = value;
  const auto found = find();
  if (!found) return fail(found.error());
  auto changes = compare_trees(directory_, built->path());
  if (!changes) return changes;
  if (*found) workspace->keep_mode_of(place_.name);
  // Before the exchange: whichever of the two directories a crash leaves there is known to be ours.
  const std::optional<MadeDirectory> shown = *found ? (*found)->made : std::nullopt;
  if (const Status written = marks_.write({name_, shown, *made}); !written)
    return fail(written.error());
  if (const Status done = exchange(*workspace, *found); !done) {
    static_cast<void>(marks_.write({name_, shown, std::nullopt}));
    return fail(done.error());
  }
  shown_ = value;
  if (const Status written = marks_.write({name_, *made, std::nullopt}); !written)
    return fail(written.error());
  if (*found) {
    const Status removed = workspace->folder().remove_tree(kBefore, (*found)->id);
    if (!removed)
      log_warning("mirror", "what was shown before cannot be removed: " + removed.error().message);
  }
  return changes;
}

}  // namespace ipnscast::tools
