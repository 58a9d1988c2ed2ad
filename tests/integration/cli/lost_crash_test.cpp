// A device is killed about when it learns that what it published was displaced (R33).
#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/support/test_seed.h"
#include "ipnscast/tests/support/writers/killed_device.h"
#include "ipnscast/tests/support/writers/set_writers.h"

using namespace ipnscast::test;

TEST_CASE(
    "a device that is killed when it learns of a loss still has it told, readable and struck off "
    "exactly once (R33, S0-67)") {
  const Stack stack;
  const TempDir homes;
  const KilledDevice device(homes.path(), stack.relay_url(),
                            {stack.gateway_url(), stack.rpc_url()});
  device.play(8 * writer_rounds(), test_seed());
}
