#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ipnscast/tests/support/process.h"

// Two devices with one key, ann and bob, as programs that a user types; ann's is killed about when
// it learns that what it published was displaced.
namespace ipnscast::test {

class KilledDevice {
 public:
  // `folder`: for the homes of both. `nodes`: that both publish to.
  KilledDevice(std::filesystem::path folder, const std::string& relay,
               const std::vector<std::string>& nodes);

  // Over and over: ann publishes, bob goes over it, and ann's watch is killed, at moments that
  // close in on the one when it tells the loss. CHECKs each time that ann's device has the loss
  // told, can read it with nobody else there, strikes it off by a command, and that it does not
  // come back. Prints how many kills there were, and how many of them after it was told.
  void play(int rounds, uint64_t seed) const;

 private:
  Command command(const std::string& person, std::vector<std::string> words) const;
  Ran run(const std::string& person, std::vector<std::string> words) const;
  // The value that it gave the name.
  std::string publish(const std::string& person, const std::string& text,
                      std::vector<std::string> more = {}) const;
  std::vector<std::string> lost(const std::string& person) const;
  // As ann's device has it, with nobody else there.
  std::string read_here(const std::string& value) const;
  // What the name has, as this person gets it.
  std::string get(const std::string& person) const;

  const std::filesystem::path folder_;
};

}  // namespace ipnscast::test
