#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/tools/bench/cache.h"
#include "ipnscast/tools/bench/filter.h"
#include "ipnscast/tools/bench/ingest.h"
#include "ipnscast/tools/bench/names.h"
#include "ipnscast/tools/bench/notify.h"
#include "ipnscast/tools/bench/pool.h"
#include "ipnscast/tools/bench/publish.h"
#include "ipnscast/tools/bench/sync.h"
#include "ipnscast/tools/cli/command.h"
#include "ipnscast/tools/usage/arguments.h"

namespace ipnscast::tools {
namespace {

// What a bench printed and what --json gives: a row for each run.
class Report {
 public:
  Report(Context& context, std::string bench, std::string unit)
      : context_(context), bench_(std::move(bench)), unit_(std::move(unit)) {}

  void add(const std::string& what, double figure, double limit,
           nlohmann::ordered_json more = nlohmann::ordered_json::object()) {
    nlohmann::ordered_json row = {
        {"what", what}, {"figure", figure}, {"limit", limit}, {"ratio", figure / limit}};
    if (!context_.json) {
      char line[200];
      std::snprintf(line, sizeof(line), "%-34s %11.0f/s  limit %11.0f/s  ratio %8.3f", what.c_str(),
                    figure, limit, figure / limit);
      std::string text = line;
      for (const auto& [key, value] : more.items()) text += "  " + key + " " + value.dump();
      print_line(text);
    }
    row.update(more);
    runs_.push_back(std::move(row));
  }
  void end(const std::string& note) {
    if (!context_.json) return print_line(note);
    const nlohmann::ordered_json out = {{"bench", bench_}, {"unit", unit_}, {"runs", runs_}};
    print_line(out.dump());
  }

 private:
  Context& context_;
  const std::string bench_;
  const std::string unit_;
  nlohmann::ordered_json runs_ = nlohmann::ordered_json::array();
};

struct IngestInput {
  size_t events = 40'000;
  size_t keys = 2'000;
  std::string file;
};

Result<BenchEvents> input_of(const IngestInput& wanted) {
  if (!wanted.file.empty() && std::filesystem::exists(wanted.file))
    return read_bench_events(wanted.file);
  BenchEvents made = make_bench_events(wanted.events, wanted.keys);
  if (!wanted.file.empty()) {
    if (const Status written = write_bench_events(wanted.file, made); !written)
      return fail(written.error());
  }
  return made;
}

void ingest(Context& context, const IngestInput& wanted) {
  const auto input = input_of(wanted);
  if (!input) return report(context, input.error());
  Report out(context, "ingest", "events per CPU second");
  for (const size_t workers : {1, 2}) {
    const auto result = bench_distinct(*input, workers);
    if (!result) return report(context, result.error());
    out.add("distinct, workers: " + std::to_string(workers), result->figure, result->limit);
  }
  // The first event of each author, whose key is yet unknown.
  const size_t few = std::min<size_t>(input->events.size(), 10'000);
  const auto strangers = bench_distinct(make_bench_events(few, few), 1);
  if (!strangers) return report(context, strangers.error());
  out.add("distinct, each by a new author", strangers->figure, strangers->limit);
  const auto copies = bench_duplicates(*input);
  if (!copies) return report(context, copies.error());
  out.add("copies from 9 more relays", copies->figure, copies->limit);
  const auto burst = bench_burst();
  if (!burst) return report(context, burst.error());
  out.add("burst on one address", burst->rate.figure, burst->rate.limit,
          {{"versions", burst->versions}, {"signatures", burst->signatures}});
  out.end("per second of process CPU time; limit: x-only key parse and Schnorr verify of each");
}

void filter(Context& context) {
  Report out(context, "filter", "events per CPU second");
  for (const size_t names : {1, 100, 1000, 5000}) {
    const auto result = bench_filter(names);
    if (!result) return report(context, result.error());
    out.add("names watched: " + std::to_string(names), result->figure, result->limit);
  }
  out.end("per second of process CPU time; limit: one look-up in a hash table of the names");
}

void cache(Context& context) {
  const auto hits = bench_cache(std::filesystem::temp_directory_path());
  if (!hits) return report(context, hits.error());
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  for (const CacheHit& hit : *hits) {
    runs.push_back({{"what", hit.what},
                    {"figure", hit.median},
                    {"p99", hit.p99},
                    {"limit", hit.target},
                    {"ratio", hit.median / hit.target}});
    if (context.json) continue;
    char line[160];
    std::snprintf(line, sizeof(line), "%-34s median %8.2f us  p99 %8.2f us  target %5.0f us",
                  hit.what.c_str(), hit.median, hit.p99, hit.target);
    print_line(line);
  }
  if (!context.json)
    return print_line("a cache hit, wall clock; what comes from disk is hashed again");
  const nlohmann::ordered_json out = {{"bench", "cache"}, {"unit", "microseconds"}, {"runs", runs}};
  print_line(out.dump());
}

void pool(Context& context, size_t relays, size_t subscriptions) {
  const auto result = bench_pool(relays, subscriptions);
  if (!result) return report(context, result.error());
  if (context.json) {
    return print_line(nlohmann::ordered_json{{"bench", "pool"},
                                             {"relays", relays},
                                             {"subscriptions", subscriptions},
                                             {"seconds", result->seconds},
                                             {"mib_at_start", result->mib_at_start},
                                             {"mib_live", result->mib_live},
                                             {"mib_most", result->mib_most}}
                          .dump());
  }
  char line[240];
  std::snprintf(line, sizeof(line),
                "%zu relays, %zu subscriptions: all live after %.1f s; resident %.0f MiB, at most "
                "%.0f MiB (%.0f MiB before)",
                relays, subscriptions, result->seconds, result->mib_live, result->mib_most,
                result->mib_at_start);
  print_line(line);
}

void publish(Context& context, size_t events) {
  const auto result = bench_publish(events);
  if (!result) return report(context, result.error());
  Report out(context, "publish", "events per second");
  out.add("CPU time", result->figure, result->limit);
  out.add("wall clock", result->wall, result->wall_limit);
  out.add("CPU time, beside signing", result->figure, result->signing);
  out.end(
      "through a pool to the embedded relay on loopback, which verifies and stores; limit: a bare "
      "WebSocket with the same frames, and signing alone");
}

void names(Context& context, size_t count, size_t seconds, bool relay) {
  const auto result = bench_names(count, relay, Seconds(static_cast<int64_t>(seconds)));
  if (!result) return report(context, result.error());
  if (context.json) {
    return print_line(nlohmann::ordered_json{{"bench", "names"},
                                             {"names", count},
                                             {"relay", relay},
                                             {"seconds", result->seconds},
                                             {"mib", result->mib},
                                             {"polls_a_second", result->polls},
                                             {"core", result->core},
                                             {"micros_a_poll", result->micros_a_poll()}}
                          .dump());
  }
  char line[240];
  std::snprintf(line, sizeof(line),
                "%zu names, %s: all handed over after %.1f s; %.0f MiB; then %.0f polls/s, %.2f %% "
                "of a core, %.0f us of CPU a poll",
                count, relay ? "a relay that had them all" : "no relay", result->seconds,
                result->mib, result->polls, result->core * 100, result->micros_a_poll());
  print_line(line);
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

void sync_figures(Context& context, size_t names) {
  const auto figures = bench_sync(names);
  if (!figures) return report(context, figures.error());
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  for (const SyncFigure& one : *figures) {
    runs.push_back({{"what", one.what},
                    {"requirements", one.requirements},
                    {"figure", one.figure},
                    {"limit", one.limit},
                    {"unit", one.unit},
                    {"at_least", one.at_least},
                    {"met", one.met()}});
    if (context.json) continue;
    char line[160];
    std::snprintf(line, sizeof(line), "%-30s %9.2f %-2s  %s %6g %-2s  %-18s %s", one.what.c_str(),
                  one.figure, one.unit.c_str(), one.at_least ? "at least" : "at most ", one.limit,
                  one.unit.c_str(), one.requirements.c_str(), one.met() ? "" : "MISSED");
    print_line(line);
  }
  if (!context.json) {
    return print_line(
        "resolving and fetching a small file, by way of five embedded nodes on loopback of which "
        "two are gone; what a network takes comes on top");
  }
  print_line(nlohmann::ordered_json{{"bench", "sync"}, {"names", names}, {"runs", runs}}.dump());
}

void add_count(CLI::App& command, const std::string& option, size_t& target, WholeNumbers range,
               const std::string& help) {
  add_number(command, option, target, range, help)->default_str(std::to_string(target));
}

}  // namespace

void add_bench(CLI::App& app, Context& context) {
  CLI::App* const bench =
      app.add_subcommand("bench", "Measurements, each beside its limit of the same run");
  bench->require_subcommand(1);

  CLI::App* const command =
      bench->add_subcommand("ingest", "From frames in memory to verified events");
  const auto options = std::make_shared<IngestInput>();
  add_count(*command, "--events", options->events, {1, 10'000'000}, "How many");
  add_count(*command, "--keys", options->keys, {1, 1'000'000}, "By how many authors");
  command->add_option("--file", options->file,
                      "Frames, one a line: read when it is there, else written");
  command->callback([&context, options] { ingest(context, *options); });

  bench->add_subcommand("filter", "Whether an event matches the filters of many names")
      ->callback([&context] { filter(context); });

  bench->add_subcommand("cache", "A record or block that is there already")->callback([&context] {
    cache(context);
  });

  CLI::App* const pool_command = bench->add_subcommand(
      "pool", "Memory of one pool with many relays and subscriptions, all live");
  const auto sizes = std::make_shared<std::pair<size_t, size_t>>(200, 1000);
  add_count(*pool_command, "--relays", sizes->first, {1, 1000}, "How many relays");
  add_count(*pool_command, "--subscriptions", sizes->second, {1, 100'000}, "How many of them");
  pool_command->callback([&context, sizes] { pool(context, sizes->first, sizes->second); });

  CLI::App* const names_command = bench->add_subcommand(
      "names", "Memory and CPU of a client that follows many names, while nothing changes");
  const auto many = std::make_shared<std::pair<size_t, size_t>>(10'000, 120);
  const auto alone = std::make_shared<bool>(false);
  add_count(*names_command, "--names", many->first, {1, 100'000}, "How many names");
  add_count(*names_command, "--seconds", many->second, {1, 3'600}, "How long to measure");
  names_command->add_flag("--no-relay", *alone, "Without a relay: all is polled at the quick rate");
  names_command->callback(
      [&context, many, alone] { names(context, many->first, many->second, !*alone); });

  CLI::App* const publish_command =
      bench->add_subcommand("publish", "Through a pool to a loopback relay, with its OKs");
  const auto published = std::make_shared<size_t>(5000);
  add_count(*publish_command, "--events", *published, {500, 1'000'000}, "How many");
  publish_command->callback([&context, published] { publish(context, *published); });

  CLI::App* const notify_command = bench->add_subcommand(
      "notify", "From publishing on one device to the handler on another, over a loopback relay");
  const auto samples = std::make_shared<size_t>(100);
  add_count(*notify_command, "--samples", *samples, {1, 1000},
            "How many, each under a name of its own");
  notify_command->callback([&context, samples] { notify(context, *samples); });

  CLI::App* const sync_command = bench->add_subcommand(
      "sync", "Resolving and fetching through five nodes of which two are gone");
  const auto names = std::make_shared<size_t>(100);
  add_count(*sync_command, "--names", *names, {1, 1000}, "How many names");
  sync_command->callback([&context, names] { sync_figures(context, *names); });
}

}  // namespace ipnscast::tools
