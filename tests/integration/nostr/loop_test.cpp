// What a net thread leaves behind: nothing.
#include "ipnscast/nostr/net/loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/own_process.h"

using namespace ipnscast;
using namespace ipnscast::nostr::net;

TEST_CASE("loops that have ended leave no descriptor behind, and close nobody else's") {
  REQUIRE(Loop::start());
  const size_t before = ipnscast::test::count_of_own("fd");
  const int others = ::eventfd(0, EFD_CLOEXEC);
  REQUIRE(others >= 0);
  for (int i = 0; i < 20; ++i) {
    const auto loop = Loop::start();
    REQUIRE(loop);
    const auto second = Loop::start();
    REQUIRE(second);
    (*loop)->run([] {});
  }
  CHECK(::eventfd_write(others, 1) == 0);
  ::close(others);
  CHECK(ipnscast::test::count_of_own("fd") == before);
}
