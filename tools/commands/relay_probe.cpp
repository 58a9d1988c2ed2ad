#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "ipnscast/nostr/base/file/pending_file.h"
#include "ipnscast/nostr/probe/net_wire.h"
#include "ipnscast/nostr/probe/probe.h"
#include "ipnscast/nostr/probe/verdict.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/reports/probe_report.h"
#include "ipnscast/tools/reports/probe_tally.h"
#include "ipnscast/tools/session/session.h"
#include "ipnscast/tools/usage/arguments.h"

namespace ipnscast::tools {
namespace {

namespace probe = nostr::probe;

struct RelayProbeOptions {
  std::vector<std::string> urls;
  std::string markdown;
  size_t parallel = 1;
};

// Probes relays, several at a time if wanted. Stopping lets those that are under way clean up and
// skips the rest.
class Probing {
 public:
  using Done = std::function<void(probe::Report)>;

  Probing(nostr::net::Loop& loop, nostr::net::Access access, const probe::Options& options)
      : loop_(loop), access_(std::move(access)), options_(options) {}

  // `done` gets each report as it comes, one at a time, on threads of ours.
  void run(const std::vector<nostr::RelayUrl>& relays, size_t parallel, const Done& done);
  // Any thread.
  void stop();
  bool stopped();

 private:
  std::optional<probe::Report> probe_one(const nostr::RelayUrl& url);

  // constant after construction
  nostr::net::Loop& loop_;
  const nostr::net::Access access_;
  const probe::Options options_;

  std::mutex mutex_;
  // guarded by mutex_
  std::set<probe::NetWire*> under_way_;
  bool stopped_ = false;
};

std::optional<probe::Report> Probing::probe_one(const nostr::RelayUrl& url) {
  probe::NetWire wire(loop_, url, access_);
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return std::nullopt;
    under_way_.insert(&wire);
  }
  auto report = probe::run(wire, url, options_);
  const std::lock_guard lock(mutex_);
  under_way_.erase(&wire);
  return report;
}

void Probing::run(const std::vector<nostr::RelayUrl>& relays, size_t parallel, const Done& done) {
  std::atomic<size_t> next = 0;
  std::mutex one_at_a_time;
  const auto work = [&] {
    for (size_t i = next++; i < relays.size(); i = next++) {
      auto report = probe_one(relays[i]);
      if (!report) return;
      const std::lock_guard lock(one_at_a_time);
      done(std::move(*report));
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(parallel, relays.size()); ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
}

void Probing::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  for (probe::NetWire* wire : under_way_) wire->cancel();
}

bool Probing::stopped() {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void run_probe(Context& context, const RelayProbeOptions& options) {
  StopSignal stop;
  const auto session = Session::open(context);
  if (!session) return;
  if (options.urls.empty() && session->settings().engine.relays.empty())
    return report_usage(context, "no relay: name one, or " + session->how_to_set("relays.urls"));
  const auto relays = session->relays(options.urls);
  if (!relays) return report(context, relays.error());
  auto loop = nostr::net::Loop::start();
  if (!loop) return report(context, loop.error());
  probe::Options wanted;
  if (context.timeout) wanted.timeout = *context.timeout;
  Probing probing(**loop, session->settings().engine.access, wanted);
  const OnStopSignal on_stop(stop, [&probing] { probing.stop(); });
  ProbeTally tally;
  std::vector<ProbedRelay> probed;
  probing.run(*relays, options.parallel, [&](probe::Report found) {
    const probe::Verdict verdict = probe::judge(found);
    print_probe(context, found, verdict);
    tally.add(found.unreachable.has_value(), verdict.fit);
    probed.push_back({std::move(found), verdict});
  });
  context.exit = probing.stopped() ? Exit::interrupted : tally.exit();
  if (options.markdown.empty()) return;
  if (const Status written =
          write_file(options.markdown, as_bytes(probe_markdown(std::move(probed))));
      !written)
    report(context, written.error());
}

}  // namespace

void add_relay_probe(CLI::App& relay, Context& context) {
  CLI::App* const command = relay.add_subcommand(
      "probe",
      "What relays really do with hints, each within --timeout (30s). Writes a few events with "
      "keys "
      "of its own and deletes them again, also after Ctrl-C (exit code 130). Exit code 1: unfit "
      "for "
      "hints, 3: unreachable");
  const auto options = std::make_shared<RelayProbeOptions>();
  command->add_option("url", options->urls, "Relays (default: the configured ones)")
      ->type_name("URL");
  command
      ->add_option("--markdown", options->markdown, "Also write a table of them all to this file")
      ->type_name("FILE");
  add_number(*command, "--parallel", options->parallel, {1, 32}, "Relays at a time")
      ->default_str(std::to_string(options->parallel));
  command->callback([&context, options] { run_probe(context, *options); });
}

}  // namespace ipnscast::tools
