#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/bench/ingest.h"
#include "tools/bench/notify.h"
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

// The value below which `share` of all lie, in milliseconds.
double quantile(const std::vector<NotifySample>& samples,
                std::chrono::microseconds NotifySample::*member, double share) {
  std::vector<double> sorted;
  for (const auto& sample : samples)
    sorted.push_back(static_cast<double>((sample.*member).count()) / 1000.0);
  std::sort(sorted.begin(), sorted.end());
  const double rank = share * static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<size_t>(rank + 0.5)];
}

void print_notify(NotifyPath path, const std::vector<NotifySample>& samples) {
  char line[240];
  std::snprintf(
      line, sizeof(line),
      "%-8s median %7.2f ms  p99 %7.2f ms  call returns %7.2f ms  hint to record "
      "%5.2f ms  to content %5.2f ms",
      std::string(to_string(path)).c_str(), quantile(samples, &NotifySample::handled, 0.5),
      quantile(samples, &NotifySample::handled, 0.99), quantile(samples, &NotifySample::call, 0.5),
      quantile(samples, &NotifySample::confirmed, 0.5),
      quantile(samples, &NotifySample::fetched, 0.5));
  print_line(line);
}

void notify(Context& context, size_t count) {
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  double limit = 0;
  for (const NotifyPath path : {NotifyPath::bare, NotifyPath::record, NotifyPath::content}) {
    const auto samples = bench_notify(path, count);
    if (!samples) return report(context, samples.error());
    if (!context.json) print_notify(path, *samples);
    const double median = quantile(*samples, &NotifySample::handled, 0.5);
    if (path == NotifyPath::bare) limit = median;
    runs.push_back({{"path", to_string(path)},
                    {"figure", median},
                    {"p99", quantile(*samples, &NotifySample::handled, 0.99)},
                    {"limit", limit},
                    {"ratio", median / limit},
                    {"call", quantile(*samples, &NotifySample::call, 0.5)},
                    {"confirmed", quantile(*samples, &NotifySample::confirmed, 0.5)},
                    {"fetched", quantile(*samples, &NotifySample::fetched, 0.5)}});
  }
  if (!context.json) {
    return print_line(
        "from the publishing call to the other device's handler; bare: an event between two relay "
        "pools; record: announce with the record in the hint; content: publish of a small file, "
        "by way of the embedded node");
  }
  const nlohmann::ordered_json out = {
      {"bench", "notify"}, {"unit", "milliseconds"}, {"samples", count}, {"runs", runs}};
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

  CLI::App* const notify_command = bench->add_subcommand(
      "notify", "From publishing on one device to the handler on another, over a loopback relay");
  const auto samples = std::make_shared<size_t>(100);
  notify_command->add_option("--samples", *samples, "How many, each under a name of its own")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  notify_command->callback([&context, samples] { notify(context, *samples); });
}

}  // namespace ipnscast::tools
