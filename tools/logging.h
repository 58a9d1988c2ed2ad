#pragma once

namespace ipnscast::tools {

// Makes standard error the sink of nostr/base/log.h: warnings and errors, with 1 also what happens,
// with 2 everything.
void start_logging(int verbose);

}  // namespace ipnscast::tools
