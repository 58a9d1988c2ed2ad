#pragma once

namespace ipnscast {

// Names the calling thread for the system's tools (15 characters at most). Every thread of ours
// stands in the README's thread table under this name.
void set_thread_name(const char* name);

}  // namespace ipnscast
