#include "ipnscast/nostr/net/message/deflater.h"

#include <zlib.h>

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kTailBytes = 4;  // 00 00 ff ff, which is not sent: RFC 7692 section 7.2.1

}  // namespace

Deflater::Deflater() = default;

Deflater::~Deflater() {
  if (stream_) deflateEnd(stream_.get());
}

std::optional<std::string> Deflater::message(std::string_view text) {
  if (text.size() <= kTailBytes) return std::nullopt;
  if (!stream_) {
    stream_ = std::make_unique<z_stream>();
    if (deflateInit2(stream_.get(), Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL - 1,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      stream_.reset();
      return std::nullopt;
    }
  } else {
    deflateReset(stream_.get());
  }
  // No longer than the text, or it is of no use.
  std::string out(text.size() + kTailBytes - 1, '\0');
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream_->avail_in = static_cast<uInt>(text.size());
  stream_->next_out = reinterpret_cast<Bytef*>(out.data());
  stream_->avail_out = static_cast<uInt>(out.size());
  if (deflate(stream_.get(), Z_SYNC_FLUSH) != Z_OK || stream_->avail_in != 0 ||
      stream_->avail_out == 0) {
    return std::nullopt;
  }
  out.resize(out.size() - stream_->avail_out - kTailBytes);
  return out;
}

}  // namespace ipnscast::nostr::net
