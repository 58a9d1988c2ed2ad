#include "ipnscast/tools/watch/mirror_mark.h"

#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <system_error>

#include "ipnscast/nostr/base/file/pending_file.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kMaxSize = 64 * 1024;

tl::unexpected<Error> mark_error(const std::filesystem::path& path) {
  return fail(Errc::io, path.string() + ": " + std::generic_category().message(errno));
}

std::string line_of(const char* word, const std::optional<MadeDirectory>& made) {
  if (!made) return {};
  std::string out = std::string(word) + " " + std::to_string(made->inode) + " " +
                    std::to_string(made->born) + " " + to_hex(as_bytes(made->value));
  if (!made->entries.empty()) out += " " + made->entries;
  return out + "\n";
}

}  // namespace

std::string MirrorMark::text() const {
  return name + "\n" + line_of("shown", shown) + line_of("next", next);
}

std::optional<MirrorMark> MirrorMark::parse(const std::string& text) {
  std::istringstream in(text);
  MirrorMark out;
  if (!std::getline(in, out.name) || out.name.empty()) return std::nullopt;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string word;
    std::string value;
    MadeDirectory made;
    if (!(words >> word >> made.inode >> made.born >> value)) return std::nullopt;
    words >> made.entries;
    const auto bytes = from_hex(value);
    if (!bytes || (word != "shown" && word != "next")) return std::nullopt;
    made.value = as_text(*bytes);
    (word == "shown" ? out.shown : out.next) = made;
  }
  return out;
}

Result<std::string> entries_digest(const Folder& folder) {
  auto names = folder.names();
  if (!names) return fail(names.error());
  std::sort(names->begin(), names->end());
  std::string all;
  for (const std::string& name : *names) {
    const auto status = folder.look(name);
    if (!status) return fail(status.error());
    if (*status) all += std::to_string((*status)->st_ino) + "/" + name + "/";
  }
  return to_hex(sha256(as_bytes(all)));
}

bool MadeDirectory::is(const MadeDirectory& other) const {
  if (inode != other.inode || born != other.born) return false;
  return born != 0 || (!entries.empty() && entries == other.entries);
}

Result<MadeDirectory> MadeDirectory::of(const Folder& folder) {
  struct statx status {};
  if (::statx(folder.get(), "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) != 0)
    return mark_error(folder.path());
  MadeDirectory out;
  out.inode = status.stx_ino;
  if ((status.stx_mask & STATX_BTIME) != 0)
    out.born = status.stx_btime.tv_sec * 1'000'000'000 + status.stx_btime.tv_nsec;
  if (out.born != 0) return out;
  auto entries = entries_digest(folder);
  if (!entries) return fail(entries.error());
  out.entries = std::move(*entries);
  return out;
}

Result<MirrorMarkFile> MirrorMarkFile::open(const std::filesystem::path& state_dir,
                                            const std::filesystem::path& mirror) {
  if (auto state = Folder::open_own(state_dir); !state) return fail(state.error());
  auto folder = Folder::open_own(state_dir / "mirrors");
  if (!folder) return fail(folder.error());
  const std::string name = to_hex(sha256(as_bytes(mirror.native()))).substr(0, 32);
  Descriptor lock(::openat(folder->get(), (name + ".lock").c_str(),
                           O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!lock) return mark_error(folder->path() / name);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return mark_error(folder->path() / name);
    return fail(Errc::conflict, "another process mirrors into \"" + mirror.string() +
                                    "\": stop it, or mirror into another directory");
  }
  return MirrorMarkFile(std::move(*folder), name, std::move(lock));
}

Result<std::optional<MirrorMark>> MirrorMarkFile::read() const {
  const Descriptor file(
      ::openat(folder_.get(), name_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) return mark_error(folder_.path() / name_);
  std::string text(kMaxSize, '\0');
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  if (size < 0) return mark_error(folder_.path() / name_);
  text.resize(static_cast<size_t>(size));
  return MirrorMark::parse(text);
}

Status MirrorMarkFile::write(const MirrorMark& mark) const {
  auto folder = folder_.duplicate();
  if (!folder) return fail(folder.error());
  auto file = PendingFile::create(std::move(*folder), name_, PendingFile::Over::file, 0600);
  if (!file) return fail(file.error());
  const std::string text = mark.text();
  if (Status written = file->write(as_bytes(text)); !written) return written;
  return file->commit(true);
}

}  // namespace ipnscast::tools
