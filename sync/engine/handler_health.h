#pragma once

#include <cstddef>

namespace ipnscast::sync {

// How the application's handlers fare.
struct HandlerHealth {
  size_t running = 0;      // written off ones do not count
  size_t waiting = 0;      // changes whose handler has not begun
  size_t written_off = 0;  // handlers that run on past their deadline, on threads given up for them
  size_t most_written_off = 0;

  // False: no more threads are given up for handlers that do not return, so that those keep others
  // waiting. Restart the program.
  bool healthy() const { return written_off < most_written_off; }
};

}  // namespace ipnscast::sync
