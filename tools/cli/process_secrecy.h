#pragma once

namespace ipnscast::tools {

// What this process knows stays in it: keys and passwords reach no core dump, and other programs of
// the same user cannot look into its memory or its environment. First thing in main().
void keep_memory_to_ourselves();

}  // namespace ipnscast::tools
