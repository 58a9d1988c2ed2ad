#include "ipnscast/tools/bench/server_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace ipnscast::tools {
namespace {

// Serves until the parent closes its end.
[[noreturn]] void serve(size_t ports, const ServerProcess::Start& start, int tell,
                        int until_closed) {
  std::shared_ptr<void> keep;
  std::vector<uint16_t> started = start(keep);
  started.resize(ports);
  const size_t bytes = ports * sizeof(uint16_t);
  char byte = 0;
  if (write(tell, started.data(), bytes) == static_cast<ssize_t>(bytes))
    (void)!read(until_closed, &byte, 1);
  _exit(0);
}

}  // namespace

ServerProcess::ServerProcess(size_t ports, const Start& start) : ports_(ports) {
  std::array<int, 2> port_pipe{};
  std::array<int, 2> life_pipe{};
  if (pipe(port_pipe.data()) != 0 || pipe(life_pipe.data()) != 0) {
    ports_.clear();
    return;
  }
  child_ = fork();
  if (child_ == 0) {
    close(life_pipe[1]);
    serve(ports, start, port_pipe[1], life_pipe[0]);
  }
  close(port_pipe[1]);
  close(life_pipe[0]);
  life_ = life_pipe[1];
  const size_t bytes = ports * sizeof(uint16_t);
  const bool told = read(port_pipe[0], ports_.data(), bytes) == static_cast<ssize_t>(bytes);
  if (!told || ports_.front() == 0) ports_.clear();
  close(port_pipe[0]);
}

ServerProcess::~ServerProcess() {
  if (life_ >= 0) close(life_);
  if (child_ > 0) waitpid(child_, nullptr, 0);
}

}  // namespace ipnscast::tools
