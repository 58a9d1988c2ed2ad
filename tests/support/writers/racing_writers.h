#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

// Two devices with one key that publish on the same version at the same moment, round by round,
// each a process of its own: the program racing_writer.
namespace ipnscast::test {

struct Racing {
  std::filesystem::path folder;       // for state directories
  std::vector<std::string> gateways;  // own nodes of both
  std::string relay;                  // empty: none
  std::string decider;                // publish.decider; empty: whoever is found
  int rounds = 50;
  std::chrono::milliseconds settle{2'000};
  std::chrono::milliseconds deadline{180'000};
};

// What a race came to.
struct Race {
  int rounds = 0;                     // that both played to the end
  int one_winner = 0;                 // one published, and the other was refused with a conflict
  int none = 0;                       // both were refused
  std::vector<std::string> two;       // rounds on one version in which both were told: published
  std::vector<std::string> troubles;  // anything else that was refused
  std::string output;                 // both, for INFO()
};

Race race(const Racing& how);

}  // namespace ipnscast::test
