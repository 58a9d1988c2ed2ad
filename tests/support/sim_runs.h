#pragma once

#include <cstdlib>

namespace ipnscast::test {

// How many seeds a simulation plays: IPNSCAST_SIM_RUNS, or as many as the default run has time for.
inline size_t sim_runs(size_t by_default) {
  const char* wanted = std::getenv("IPNSCAST_SIM_RUNS");
  return wanted == nullptr ? by_default : static_cast<size_t>(std::strtoul(wanted, nullptr, 10));
}

}  // namespace ipnscast::test
