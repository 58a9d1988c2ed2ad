#pragma once

#include "ipnscast/sync/ipfs/ipld/block_source.h"
#include "ipnscast/tools/cli/progress_line.h"

namespace ipnscast::tools {

// Shows how many bytes of blocks have gone by, ten times a second at most.
class BlockProgress {
 public:
  explicit BlockProgress(ProgressLine& line) : line_(line) {}
  void add(size_t bytes);

 private:
  ProgressLine& line_;
  const Rate rate_;
  uint64_t bytes_ = 0;
  std::chrono::steady_clock::time_point told_{};
};

class WatchedSink final : public sync::BlockSink {
 public:
  WatchedSink(sync::BlockSink& sink, ProgressLine& line) : sink_(sink), progress_(line) {}
  Status put(const sync::Cid& cid, ByteView block) override {
    progress_.add(block.size());
    return sink_.put(cid, block);
  }

 private:
  sync::BlockSink& sink_;
  BlockProgress progress_;
};

class WatchedSource final : public sync::BlockSource {
 public:
  WatchedSource(sync::BlockSource& source, ProgressLine& line) : source_(source), progress_(line) {}
  Result<std::optional<Bytes>> get(const sync::Cid& cid) override {
    auto block = source_.get(cid);
    if (block && *block) progress_.add((*block)->size());
    return block;
  }
  bool verifies() const override { return source_.verifies(); }

 private:
  sync::BlockSource& source_;
  BlockProgress progress_;
};

}  // namespace ipnscast::tools
