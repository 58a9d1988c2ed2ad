// The Python module, by a Python program.
#include "ipnscast/tests/integration/sync/client_world.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::test;

TEST_CASE(
    "a Python program follows, waits, publishes and is interrupted, with asyncio or without") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  SKIP_TEST("an interpreter without the sanitizer cannot load a library that has it");
#endif
  const std::string new_enough = "import sys; sys.exit(sys.version_info < (3, 9))";
  if (run({{"python3", "-c", new_enough}}).exit != 0) SKIP_TEST("there is no Python 3.9 or later");
  World world;
  Command command{{"python3", "-X", "dev", "-W", "error",
                   source_folder() + "/tests/integration/c_api/client_test.py",
                   world.dir.path().string(), world.relay->url(), world.node->gateway_url(),
                   world.node->rpc_url()}};
  command.environment = {{"PYTHONPATH", source_folder() + "/tools/python"},
                         {"PYTHONDONTWRITEBYTECODE", "1"},
                         {"IPNSCAST_LIBRARY", build_folder() + "/sync/c_api/libipnscast.so"}};
  const Ran ran = run(command, std::chrono::minutes(9));
  INFO(ran.out << ran.err);
  CHECK(ran.exit == 0);
  CHECK(ran.out.ends_with("passed\n"));
  CHECK(ran.err.find("Error") == std::string::npos);
}
