#include "ipnscast/nostr/net/message/inflater.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kStepBytes = 16 * 1024;
constexpr std::string_view kTail("\x00\x00\xff\xff", 4);  // RFC 7692 section 7.2.2

}  // namespace

Inflater::Inflater() = default;

Inflater::~Inflater() {
  if (stream_) inflateEnd(stream_.get());
}

Status Inflater::add(std::string_view part, bool last, size_t max_bytes, std::string& out) {
  if (!stream_) {
    stream_ = std::make_unique<z_stream>();
    if (inflateInit2(stream_.get(), -MAX_WBITS) != Z_OK) {
      stream_.reset();
      return fail(Errc::io, "no memory to decompress");
    }
  }
  if (auto done = run(part, max_bytes, out); !done || !last) return done;
  if (whole_stream_) return {};
  if (auto done = run(kTail, max_bytes, out); !done) return done;
  // zlib says so behind the end of a block: zlib.h, inflate(), data_type.
  constexpr int kBetweenBlocks = 128;
  if (!whole_stream_ && (stream_->data_type & kBetweenBlocks) == 0)
    return fail(Errc::parse, "its deflate stream ends too early");
  return {};
}

Status Inflater::run(std::string_view input, size_t max_bytes, std::string& out) {
  std::array<char, kStepBytes> step;
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream_->avail_in = static_cast<uInt>(input.size());
  do {
    stream_->next_out = reinterpret_cast<Bytef*>(step.data());
    stream_->avail_out = static_cast<uInt>(step.size());
    const int result = inflate(stream_.get(), Z_SYNC_FLUSH);
    const size_t made = step.size() - stream_->avail_out;
    if (made > max_bytes - std::min(out.size(), max_bytes)) {
      return fail(Errc::too_large, "above " + std::to_string(max_bytes) + " bytes");
    }
    if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END) {
      return fail(Errc::parse, "not a deflate stream");
    }
    out.append(step.data(), made);
    if (result != Z_BUF_ERROR) whole_stream_ = result == Z_STREAM_END && stream_->avail_in == 0;
    if (result == Z_STREAM_END) {
      // RFC 7692 section 7.2.3.5: a block may be the last of its stream; the next begins anew.
      const auto rest = stream_->avail_in;
      auto* const at = stream_->next_in;
      if (inflateReset(stream_.get()) != Z_OK) return fail(Errc::parse, "not a deflate stream");
      stream_->next_in = at;
      stream_->avail_in = rest;
    }
    // Nothing came and nothing was taken: more input is needed.
    if (result == Z_BUF_ERROR && made == 0) break;
  } while (stream_->avail_in > 0 || stream_->avail_out == 0);
  return {};
}

}  // namespace ipnscast::nostr::net
