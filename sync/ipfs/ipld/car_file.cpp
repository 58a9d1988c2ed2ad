#include "ipnscast/sync/ipfs/ipld/car_file.h"

namespace ipnscast::sync {
namespace {

constexpr size_t kCarReadBytes = 256 << 10;
constexpr size_t kWriteBytes = 1 << 20;  // collected before they are written
constexpr size_t kRecentBlocks = 1 << 16;

std::string place_key(const Cid& cid) { return std::string(as_text(block_key(cid))); }

Error io_error(const std::filesystem::path& file, std::string_view what) {
  return {Errc::io, file.string() + ": " + std::string(what)};
}

// As long as the real root's: version 1, sha2-256.
Cid placeholder() { return Cid{1, static_cast<uint64_t>(Codec::raw), {0x12, Bytes(32, 0)}}; }

}  // namespace

Result<std::unique_ptr<CarFile>> CarFile::open(const std::filesystem::path& file,
                                               std::optional<Instant> deadline) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    return fail(Errc::not_found, file.string() + ": no such file");
  }
  // A pipe would be waited for, and blocks are read where they stand.
  if (!std::filesystem::is_regular_file(file, ignored))
    return fail(io_error(file, "is not an ordinary file"));
  std::unique_ptr<CarFile> out(new CarFile);
  out->file_.open(file, std::ios::binary);
  if (!out->file_) return fail(io_error(file, "cannot read"));
  const Status read = out->read_index(deadline);
  if (!read) return fail(read.error().within(file.string()));
  return out;
}

Status CarFile::read_index(const std::optional<Instant>& deadline) {
  CarReader reader(
      [this](const CarSection& section) -> Status {
        Place& place = places_[place_key(section.cid)];
        if (!place.is_good) {
          const bool is_good = check_block(section.cid, section.block).has_value();
          place = {section.offset, section.block.size(), is_good};
        }
        return {};
      },
      CarReader::Check::trust);
  Bytes buffer(kCarReadBytes);
  while (file_) {
    if (deadline && std::chrono::steady_clock::now() >= *deadline)
      return fail(Errc::timeout, "not read through within the deadline");
    file_.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
    const auto got = static_cast<size_t>(file_.gcount());
    byte_count_ += got;
    Status fed = reader.feed(ByteView(buffer).first(got));
    if (!fed) return fed;
  }
  if (file_.bad()) return fail(Errc::io, "cannot read");
  file_.clear();
  roots_ = reader.roots();
  return reader.finish();
}

Result<std::optional<Bytes>> CarFile::get(const Cid& cid) {
  const auto found = places_.find(place_key(cid));
  if (found == places_.end()) return std::nullopt;
  const Place& place = found->second;
  Bytes out(place.size);
  file_.seekg(static_cast<std::streamoff>(place.offset));
  file_.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (!file_) {
    file_.clear();
    return fail(Errc::io, "the CAR file changed while it was read");
  }
  return out;
}

CarFileWriter::CarFileWriter(PendingFile file) : file_(std::move(file)), recent_(kRecentBlocks) {}

Result<std::unique_ptr<CarFileWriter>> CarFileWriter::create(const std::filesystem::path& file) {
  auto pending = PendingFile::create(file, PendingFile::Over::file, 0666);
  if (!pending) return fail(pending.error());
  std::unique_ptr<CarFileWriter> out(new CarFileWriter(std::move(*pending)));
  const Status written = out->write(car_header({placeholder()}));
  if (!written) return fail(written.error());
  return out;
}

Status CarFileWriter::write(ByteView bytes) {
  append(waiting_, bytes);
  byte_count_ += bytes.size();
  return waiting_.size() < kWriteBytes ? Status{} : flush();
}

Status CarFileWriter::flush() {
  Status written = file_.write(waiting_);
  waiting_.clear();
  return written;
}

Status CarFileWriter::put(const Cid& cid, ByteView block) {
  if (!recent_.insert(place_key(cid))) return {};
  Bytes section;
  section.reserve(block.size() + 64);
  append_car_section(section, cid, block);
  ++block_count_;
  return write(section);
}

Status CarFileWriter::finish(const Cid& root) {
  const Bytes header = car_header({root});
  if (header.size() != car_header({placeholder()}).size()) {
    return fail(Errc::unsupported, "car: the root has to be a version 1 CID with sha2-256");
  }
  Status written = flush();
  if (written) written = file_.write_at(0, header);
  return written ? file_.commit() : written;
}

}  // namespace ipnscast::sync
