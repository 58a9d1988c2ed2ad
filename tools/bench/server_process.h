#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace ipnscast::tools {

// Servers of a bench in a process of their own, so that only what is measured counts. To be made
// before this process has threads; the child ends with this object.
class ServerProcess {
 public:
  // Runs in the child: starts the servers and gives their ports. `keep` lives as long as the child.
  using Start = std::function<std::vector<uint16_t>(std::shared_ptr<void>& keep)>;
  ServerProcess(size_t ports, const Start& start);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Empty when they did not start.
  const std::vector<uint16_t>& ports() const { return ports_; }

 private:
  pid_t child_ = -1;
  int life_ = -1;
  std::vector<uint16_t> ports_;
};

}  // namespace ipnscast::tools
