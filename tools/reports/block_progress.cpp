#include "ipnscast/tools/reports/block_progress.h"

namespace ipnscast::tools {

void BlockProgress::add(size_t bytes) {
  bytes_ += bytes;
  if (!line_.active()) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < told_ + std::chrono::milliseconds(100)) return;
  told_ = now;
  line_.show(byte_count(bytes_) + ", " + rate_.of(bytes_));
}

}  // namespace ipnscast::tools
