#pragma once

#include <string>

namespace ipnscast::test {

// Says that the running test case cannot run here, and why. The case counts as skipped, never as
// passed. Use the macro, which leaves the test.
void note_skip(const std::string& reason);

}  // namespace ipnscast::test

#define SKIP_TEST(reason)                \
  do {                                   \
    ::ipnscast::test::note_skip(reason); \
    return;                              \
  } while (false)
