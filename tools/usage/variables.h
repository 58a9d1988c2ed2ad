#pragma once

namespace ipnscast::tools {

// Ends the parsing when the environment has a variable that is nearly one of ours: it was meant to
// do something, and does nothing.
void check_variables();

}  // namespace ipnscast::tools
