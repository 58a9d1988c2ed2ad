#include "ipnscast/tools/cli/process_secrecy.h"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace ipnscast::tools {

void keep_memory_to_ourselves() {
  ::prctl(PR_SET_DUMPABLE, 0);
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) != 0) return;
  limit.rlim_cur = 0;  // the commands that we run may raise it again
  ::setrlimit(RLIMIT_CORE, &limit);
}

}  // namespace ipnscast::tools
