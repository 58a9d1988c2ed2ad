#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/bench/ingest.h"
#include "tools/command.h"

namespace ipnscast::tools {
namespace {

void print_ingest(const IngestOptions& options, const IngestResult& result) {
  char line[200];
  std::snprintf(line, sizeof(line),
                "%zu worker%s  %8.0f verified/s  %8.0f bare/s  ratio %.3f  overhead %.2f us",
                options.workers, options.workers == 1 ? " " : "s", result.verified, result.bare,
                result.ratio(), result.overhead_microseconds());
  print_line(line);
}

void ingest(Context& context, IngestOptions options) {
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  for (const size_t workers : {1, 2}) {
    options.workers = workers;
    const auto result = bench_ingest(options);
    if (!result) return report(context, result.error());
    if (!context.json) print_ingest(options, *result);
    runs.push_back({{"workers", workers},
                    {"figure", result->verified},
                    {"limit", result->bare},
                    {"ratio", result->ratio()},
                    {"overhead_us", result->overhead_microseconds()}});
  }
  if (!context.json)
    return print_line("per second of process CPU time; bare: x-only key parse and Schnorr verify");
  const nlohmann::ordered_json out = {{"bench", "ingest"},
                                      {"unit", "events per CPU second"},
                                      {"events", options.events},
                                      {"keys", options.keys},
                                      {"runs", runs}};
  print_line(out.dump());
}

}  // namespace

void add_bench(CLI::App& app, Context& context) {
  CLI::App* const bench =
      app.add_subcommand("bench", "Measurements, each beside its limit of the same run");
  bench->require_subcommand(1);

  CLI::App* const command =
      bench->add_subcommand("ingest", "From frames in memory to verified events");
  const auto options = std::make_shared<IngestOptions>();
  command->add_option("--events", options->events, "How many")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  command->add_option("--keys", options->keys, "By how many authors")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->callback([&context, options] { ingest(context, *options); });
}

}  // namespace ipnscast::tools
