#include "ipnscast/tools/bench/measure.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <thread>

namespace ipnscast::tools {
namespace {

constexpr double kMib = 1024.0 * 1024.0;

}  // namespace

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / kMib;
}

double most_resident_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double cpu_seconds_of(size_t workers, size_t first, size_t last,
                      const std::function<void(size_t begin, size_t end)>& work) {
  const double before = cpu_seconds();
  std::vector<std::thread> threads;
  const size_t share = (last - first + workers - 1) / workers;
  for (size_t begin = first; begin < last; begin += share) {
    threads.emplace_back([&work, begin, end = std::min(begin + share, last)] { work(begin, end); });
  }
  for (auto& thread : threads) thread.join();
  return cpu_seconds() - before;
}

}  // namespace ipnscast::tools
