// The header as a C++11 program sees it.
#include <ipnscast.h>

namespace ipnscast {
namespace test {

const char* version_for_cxx11();

const char* version_for_cxx11() {
  const ipnscast_follow_options follow = IPNSCAST_FOLLOW_OPTIONS_INIT;
  const ipnscast_publish_options publish = IPNSCAST_PUBLISH_OPTIONS_INIT;
  const bool sized = follow.struct_size == sizeof(follow) && publish.struct_size == sizeof(publish);
  return sized ? ipnscast_version() : "";
}

}  // namespace test
}  // namespace ipnscast
