// Resolve and fetch through five real Kubo nodes behind a fault proxy: one row for each scenario.
//
//   bench_ipfs [--trials N] [--seed S] [--floor yes|no|both] [--warm] [--only TEXT] [--json]
//
// Not a test: it measures, on whatever else the machine does at that time. faulty_nodes_test.cpp
// asserts the same scenarios' outcomes. Resolve and fetch together: S1-01, S1-02, S1-21.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "ipnscast/tests/interop/fault_trial.h"

namespace {

using namespace ipnscast;
using namespace ipnscast::test;
using std::chrono::microseconds;

struct Wanted {
  uint64_t trials = 20;
  uint64_t seed = 1;
  bool floor = true;
  bool without_floor = true;
  bool warm = false;
  bool json = false;
  std::string only;
};

double milliseconds(microseconds time) { return static_cast<double>(time.count()) / 1000.0; }

struct Series {
  std::vector<double> values;

  void add(double value) { values.push_back(value); }
  double mean() const {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
  }
  double quantile(double share) const {
    if (values.empty()) return 0;
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
  }
};

// What the trials of one scenario gave, in milliseconds.
struct Row {
  std::string what;
  bool floor = true;
  size_t trials = 0;
  size_t good = 0;
  size_t stale_first = 0;
  Series resolved, oracle, ratio, beyond, total;
  std::vector<std::string> failures;

  void add(const TrialResult& result, uint64_t seed) {
    ++trials;
    stale_first += result.stale_first ? 1 : 0;
    if (!result.success()) {
      failures.push_back("seed " + std::to_string(seed) + ": " + result.failure);
      return;
    }
    ++good;
    // With a floor an old record is no answer; without one the first verified record is the result.
    const microseconds answer = floor ? result.resolved : result.first;
    resolved.add(milliseconds(answer));
    oracle.add(milliseconds(result.oracle));
    ratio.add(milliseconds(answer) / milliseconds(result.oracle));
    beyond.add(milliseconds(answer - result.oracle));
    total.add(milliseconds(result.total));
  }
};

void print_header() {
  std::printf("%-18s %-5s %9s %23s %23s %15s %15s %6s\n", "", "", "", "resolve ms", "and fetch ms",
              "resolve/oracle", "beyond it ms", "old");
  std::printf("%-18s %-5s %9s %7s %7s %7s %7s %7s %7s %7s %7s %7s %7s %6s\n", "scenario", "floor",
              "success", "mean", "p50", "p95", "mean", "p50", "p95", "p50", "p95", "p50", "p95",
              "first");
}

void print(const Row& row) {
  std::printf(
      "%-18s %-5s %4zu/%-4zu %7.1f %7.1f %7.1f %7.1f %7.1f %7.1f %7.3f %7.3f %7.1f %7.1f %6zu\n",
      row.what.c_str(), row.floor ? "yes" : "no", row.good, row.trials, row.resolved.mean(),
      row.resolved.quantile(0.5), row.resolved.quantile(0.95), row.total.mean(),
      row.total.quantile(0.5), row.total.quantile(0.95), row.ratio.quantile(0.5),
      row.ratio.quantile(0.95), row.beyond.quantile(0.5), row.beyond.quantile(0.95),
      row.stale_first);
  for (const std::string& failure : row.failures) std::printf("    %s\n", failure.c_str());
  std::fflush(stdout);
}

nlohmann::ordered_json to_json(const Row& row) {
  const auto of = [](const Series& series) {
    return nlohmann::ordered_json{
        {"mean", series.mean()}, {"p50", series.quantile(0.5)}, {"p95", series.quantile(0.95)}};
  };
  return {{"scenario", row.what},         {"floor", row.floor},          {"trials", row.trials},
          {"success", row.good},          {"resolve", of(row.resolved)}, {"total", of(row.total)},
          {"oracle", of(row.oracle)},     {"ratio", of(row.ratio)},      {"beyond", of(row.beyond)},
          {"old_first", row.stale_first}, {"failures", row.failures}};
}

Row measure(FaultStage& stage, const FaultScenario& scenario, const Wanted& wanted, bool floor) {
  Row row{.what = scenario.what, .floor = floor};
  std::unique_ptr<FaultRun> run;
  for (uint64_t i = 0; i < wanted.trials; ++i) {
    // The scenario is part of the seed: no two trials share a name, delays or a deal of the faults.
    const uint64_t seed = std::hash<std::string>{}(scenario.what + (floor ? "/f/" : "/n/") +
                                                   std::to_string(wanted.seed)) +
                          i;
    if (!run || !wanted.warm) {
      run.reset();
      run = std::make_unique<FaultRun>(stage, deal(scenario, seed), seed);
      if (wanted.warm) run->trial(seed ^ (uint64_t{1} << 63), floor);
    }
    row.add(run->trial(seed, floor), seed);
  }
  return row;
}

bool read(int count, char** arguments, Wanted& out) {
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    const bool last = i + 1 == count;
    if (name == "--warm") {
      out.warm = true;
    } else if (name == "--json") {
      out.json = true;
    } else if (name == "--trials" && !last) {
      out.trials = std::strtoull(arguments[++i], nullptr, 10);
    } else if (name == "--seed" && !last) {
      out.seed = std::strtoull(arguments[++i], nullptr, 10);
    } else if (name == "--only" && !last) {
      out.only = arguments[++i];
    } else if (name == "--floor" && !last) {
      const std::string which = arguments[++i];
      out.floor = which != "no";
      out.without_floor = which != "yes";
    } else {
      return false;
    }
  }
  return out.trials > 0;
}

}  // namespace

int main(int count, char** arguments) try {
  Wanted wanted;
  if (!read(count, arguments, wanted)) {
    std::fprintf(stderr,
                 "usage: bench_ipfs [--trials N] [--seed S] [--floor yes|no|both] [--warm] [--only "
                 "TEXT] [--json]\n");
    return 2;
  }
  ::setenv("IPNSCAST_INTEROP", "1", 1);
  const auto folder = peer("kubo");
  if (!folder) {
    std::fprintf(stderr, "%s\n", folder.error().c_str());
    return 3;
  }
  FaultStage stage(*folder);
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  bool good = true;
  if (!wanted.json) print_header();
  for (const bool floor : {true, false}) {
    if (!(floor ? wanted.floor : wanted.without_floor)) continue;
    for (const FaultScenario& scenario : fault_scenarios()) {
      if (scenario.what.find(wanted.only) == std::string::npos) continue;
      const Row row = measure(stage, scenario, wanted, floor);
      good = good && row.failures.empty();
      if (wanted.json)
        rows.push_back(to_json(row));
      else
        print(row);
    }
  }
  if (wanted.json) {
    std::printf("%s\n", nlohmann::ordered_json{{"bench", "ipfs"},
                                               {"unit", "milliseconds"},
                                               {"seed", wanted.seed},
                                               {"warm", wanted.warm},
                                               {"rows", rows}}
                            .dump()
                            .c_str());
  }
  return good ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
