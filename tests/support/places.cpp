#include "ipnscast/tests/support/places.h"

// The only file that is compiled with these paths: a compiler cache serves all others to every
// checkout.
namespace ipnscast::test {

std::string source_folder() { return IPNSCAST_SOURCE_DIR; }
std::string build_folder() { return IPNSCAST_BINARY_DIR; }
std::string program() { return build_folder() + "/tools/ipnscast"; }

}  // namespace ipnscast::test
