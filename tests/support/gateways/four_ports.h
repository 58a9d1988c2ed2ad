#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ipnscast/bridge/stack.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast::test {

// What `ipnscast up` runs, in this process, and its four ports.
class FourPorts {
 public:
  struct Port {
    std::string name;
    uint16_t number = 0;
    bool takes_bodies = true;  // of a few bytes
    bool takes_websockets = false;
  };

  // Throws std::runtime_error.
  FourPorts();
  const std::vector<Port>& ports() const { return ports_; }
  const Port& relay() const { return ports_[0]; }
  const Port& gateway() const { return ports_[1]; }
  const Port& rpc() const { return ports_[2]; }
  const Port& metrics() const { return ports_[3]; }

  // A plain request to the port on a connection of its own, answered with a status: nothing is
  // wrong. The answer's first line, or what came instead.
  static std::string ask(const Port& port);
  // Whether all four are fine.
  bool all_answer() const;

 private:
  TempDir directory_;
  std::unique_ptr<bridge::Stack> stack_;
  std::vector<Port> ports_;
};

}  // namespace ipnscast::test
