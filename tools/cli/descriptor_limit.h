#pragma once

namespace ipnscast::tools {

// Lets this process have as many descriptors as a server needs: a shell's 1,024 are fewer than the
// connections that the embedded relay and node take. Before any thread starts.
void raise_descriptor_limit();

}  // namespace ipnscast::tools
