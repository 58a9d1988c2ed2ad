#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace ipnscast::tools {

// CPU seconds of this process so far, so that other programs on the machine hardly matter.
double cpu_seconds();

// Resident memory of this process in MiB: now, and at most so far.
double resident_mib();
double most_resident_mib();

double median(std::vector<double> values);

// CPU seconds that `workers` threads take to do work(begin, end) over the items of [first, last).
double cpu_seconds_of(size_t workers, size_t first, size_t last,
                      const std::function<void(size_t begin, size_t end)>& work);

}  // namespace ipnscast::tools
