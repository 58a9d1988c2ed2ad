#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace ipnscast::test {

// Prints it, so that a run can be repeated: random, or what IPNSCAST_TEST_SEED says.
inline uint64_t test_seed() {
  const char* const given = std::getenv("IPNSCAST_TEST_SEED");
  const auto seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "seed " << seed << " (IPNSCAST_TEST_SEED repeats it)" << std::endl;
  return seed;
}

}  // namespace ipnscast::test
