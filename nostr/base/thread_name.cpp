#include "ipnscast/nostr/base/thread_name.h"

#include <pthread.h>

namespace ipnscast {

void set_thread_name(const char* name) {
#ifdef __linux__
  pthread_setname_np(pthread_self(), name);
#else
  (void)name;
#endif
}

}  // namespace ipnscast
