#include "ipnscast/nostr/net/message/message_reader.h"

namespace ipnscast::nostr::net {
namespace {

// Nobody agreed on a use of RSV2 and RSV3.
constexpr unsigned char kUnknown = 0x30;

}  // namespace

Result<std::optional<std::string>> MessageReader::add(const Part& part) {
  if ((part.reserved & kUnknown) != 0) return fail(Errc::unsupported, "unknown reserved bits");
  if (part.first) {
    text_.clear();
    compressed_ = (part.reserved & kCompressedBit) != 0;
    if (compressed_ && !deflate_)
      return fail(Errc::unsupported, "it is compressed, which nobody agreed on");
  }
  text_over_ = part.last;
  if (compressed_) {
    if (!inflater_) inflater_ = std::make_unique<Inflater>();
    if (auto added = inflater_->add(part.bytes, part.last, max_bytes_, text_); !added) {
      return fail(added.error());
    }
  } else if (part.bytes.size() > max_bytes_ - text_.size()) {
    return fail(Errc::too_large, "above " + std::to_string(max_bytes_) + " bytes");
  } else {
    text_.append(part.bytes);
  }
  if (!part.last) return std::nullopt;
  std::string whole;
  whole.swap(text_);
  return whole;
}

}  // namespace ipnscast::nostr::net
