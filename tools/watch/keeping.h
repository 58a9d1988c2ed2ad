#pragma once

#include <memory>
#include <vector>

#include "ipnscast/tools/watch/pins.h"
#include "ipnscast/tools/watch/record_keeping.h"
#include "ipnscast/tools/watch/watch_targets.h"

namespace ipnscast::tools {

// Whether --pin and --keep-alive make sense with the rest. Errc::invalid.
Status check_keeping(const Session& session, const WatchOptions& options);

// What `watch` does for what it follows beyond telling of it. Nothing of it without --pin and
// --keep-alive.
struct Keeping {
  std::unique_ptr<Places> places;
  std::unique_ptr<Pins> pins;
  std::unique_ptr<RecordKeeping> records;

  // `names`: whose records are kept alive. `blocks` outlives it. As Places::open(), Pins::open().
  static Result<Keeping> open(const WatchOptions& options, const sync::Config& config,
                              sync::BlockSource& blocks, std::vector<sync::IpnsName> names);
};

}  // namespace ipnscast::tools
