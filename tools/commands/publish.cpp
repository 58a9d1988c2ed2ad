#include <map>
#include <memory>
#include <mutex>

#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tools/cli/progress_line.h"
#include "ipnscast/tools/cli/setting_option.h"
#include "ipnscast/tools/reports/device_rows.h"
#include "ipnscast/tools/reports/lost_rows.h"
#include "ipnscast/tools/reports/outcome_rows.h"
#include "ipnscast/tools/session/resolution.h"
#include "ipnscast/tools/session/shared_client.h"
#include "ipnscast/tools/session/target.h"
#include "ipnscast/tools/usage/arguments.h"
#include "ipnscast/tools/usage/typed_value.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kTargetDeadline{10'000};
constexpr Milliseconds kReceipts{60'000};
constexpr uint64_t kPackingStep = 4 << 20;

struct PublishOptions {
  std::string target;
  std::string path;
  std::string cid;
  std::optional<uint64_t> expect_sequence;
  std::optional<uint64_t> based_on;
  bool replace = false;
  bool trust_clock = false;
  bool force = false;
  bool queue = false;
  bool hidden = false;
  size_t wait_applied = 0;
  bool derived = false;
};

// What there is to publish: exactly one of PATH and --cid.
Result<std::optional<sync::Cid>> content_of(const PublishOptions& options) {
  if (options.path.empty() && options.cid.empty())
    return fail(Errc::invalid, "what is to be published under \"" + options.target +
                                   "\"? Give a PATH, or --cid CID");
  if (!options.path.empty() && !options.cid.empty())
    return fail(Errc::invalid, "\"" + options.path + "\" and --cid \"" + options.cid +
                                   "\" exclude each other: give one of them");
  if (options.cid.empty()) {
    std::error_code failed;
    if (!std::filesystem::exists(options.path, failed))
      return fail(Errc::invalid,
                  "\"" + options.path + "\" does not exist: want a file or directory");
    return std::optional<sync::Cid>();
  }
  auto content = typed_content(options.cid);
  if (!content) return fail(content.error().within("--cid"));
  return std::optional<sync::Cid>(std::move(*content));
}

// How far each node is, on one line.
class NodeProgress {
 public:
  explicit NodeProgress(ProgressLine& line) : line_(line) {}

  void packing(uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    if (bytes < packed_ + kPackingStep) return;
    packed_ = bytes;
    line_.show("packing: " + byte_count(bytes));
  }

  void take(const sync::PublishProgress& now) {
    const std::lock_guard lock(mutex_);
    nodes_[now.node] = now;
    std::string text;
    for (const auto& [url, node] : nodes_) {
      if (!text.empty()) text += ", ";
      text += url.substr(url.find("//") + 2) + " " + byte_count(node.bytes) + " of " +
              byte_count(node.total) + (node.interrupted ? " (interrupted, tried again)" : "");
    }
    line_.show(text);
  }

 private:
  ProgressLine& line_;
  std::mutex mutex_;
  // guarded by mutex_
  std::map<std::string, sync::PublishProgress> nodes_;
  uint64_t packed_ = 0;  // bytes, when that was shown last
};

// The version of this sequence, as the places have it now.
Result<sync::Version> version_at(sync::Client& client, const sync::IpnsName& name,
                                 uint64_t sequence, Milliseconds time) {
  const auto found = client.resolve(name, time);
  if (!found) return fail(found.error());
  // One that is over counts too: what is published has to go above it.
  for (const auto& record : {found->best, found->expired}) {
    if (record && record->fields().sequence.value == sequence)
      return sync::Version{record->fields().sequence, record->fields().value};
  }
  const auto& best = found->best ? found->best : found->expired;
  if (!best) return fail(Errc::conflict, "--based-on: the name has no record yet");
  const auto& fields = best->fields();
  return fail(Errc::conflict, "--based-on: the name is at sequence " +
                                  std::to_string(fields.sequence.value) + " (" + fields.value +
                                  "), not " + std::to_string(sequence));
}

// So many other devices of ours are to have taken it in before the command ends.
void print_with_receipts(Context& context, sync::Client& client, const sync::Outcome& outcome,
                         size_t wanted, const TimeLimit& limit) {
  const sync::Version version{outcome.sequence, sync::value_of(outcome.cid)};
  const auto deadline = std::chrono::steady_clock::now() + limit.left(kReceipts);
  const auto receipts = client.wait_applied(outcome.name, version, wanted, deadline);
  print_outcome(context, outcome, receipts ? *receipts : std::vector<sync::Device>());
  if (context.exit != Exit::done) return;
  if (!receipts) return report(context, receipts.error());
  if (receipts->size() >= wanted) return;
  report(context,
         {Errc::timeout, "published, but " + std::to_string(receipts->size()) + " of " +
                             std::to_string(wanted) + " other devices have taken it in so far" +
                             (receipts->empty() ? "" : ": " + labels(*receipts))});
}

void publish(Context& context, const PublishOptions& options) {
  const TimeLimit limit(context);
  const auto session = Session::open(context);
  if (!session) return;
  const auto cid = content_of(options);
  if (!cid) return report(context, cid.error());
  const auto key =
      resolve_own_key(*session, options.target, options.derived, limit.left(kTargetDeadline));
  if (!key) return report(context, key.error());
  auto config = session->sync_config();
  if (!config) return report(context, config.error());
  if (config->relays.empty() && config->gateways.empty())
    return report_usage(context, "neither a relay nor a node is configured: " +
                                     session->how_to_set("relays.urls and gateways.nodes"));
  ProgressLine line(context.json);
  const auto progress = std::make_shared<NodeProgress>(line);
  if (context.timeout) {
    config->publish_timeout = *context.timeout;
    config->answer_by = std::min(config->answer_by, *context.timeout / 3);
  }
  // A job that begins anew each time is no device whose publishes anybody will ask for.
  std::error_code unknown;
  config->publish_job =
      options.replace && !std::filesystem::exists(config->state_dir / sync::kStateFile, unknown);
  const auto client = open_or_attach(*config, limit.left(kTargetDeadline));
  if (!client) return report(context, client.error());
  sync::PublishOptions how;
  if (options.based_on) {
    const auto version =
        version_at(**client, key->name(), *options.based_on, limit.left(kTargetDeadline));
    if (!version) return report(context, version.error());
    how.based_on = *version;
  }
  how.replace = options.replace;
  how.trust_clock = options.trust_clock;
  how.settle = sync::PublishOptions::Settle::when_shared;
  how.force = options.force;
  how.queue = options.queue;
  how.deadline = limit.end();
  how.hidden = options.hidden;
  if (options.expect_sequence) how.expect_sequence = sync::Sequence{*options.expect_sequence};
  if (line.active()) {
    how.on_packing = [progress](uint64_t bytes) { progress->packing(bytes); };
    how.on_progress = [progress](const sync::PublishProgress& now) { progress->take(now); };
  }
  const auto outcome =
      *cid ? (*client)->publish_cid(*key, **cid, how) : (*client)->publish(*key, options.path, how);
  line.end();
  say_lost(context, key->name(), (*client)->lost(key->name()));
  if (!outcome) return report(context, outcome.error());
  if (options.wait_applied == 0 || outcome->queued) return print_outcome(context, *outcome);
  print_with_receipts(context, **client, *outcome, options.wait_applied, limit);
}

}  // namespace

void add_publish(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand(
      "publish", "Give a name of ours a new value: content, record, routers, announcement");
  const auto options = std::make_shared<PublishOptions>();
  command
      ->add_option("target", options->target,
                   "self, a key's label, a name of ours, or the npub that announces it")
      ->type_name("TARGET")
      ->required();
  command->add_option("path", options->path, "A file or directory")->type_name("PATH");
  command->add_option("--cid", options->cid, "Content that the nodes have already")
      ->type_name("CID");
  add_number(*command, "--expect-sequence", options->expect_sequence, kSequences,
             "Only if the name has this sequence now");
  add_setting(*command, context, "--lifetime", "publish.lifetime");
  add_setting(*command, context, "--ttl", "publish.ttl");
  add_number(*command, "--based-on", options->based_on, kSequences,
             "What it was made on: the version with this sequence");
  command->add_flag("--replace", options->replace,
                    "Over whatever is there, taken in or not; for a job that publishes a site");
  command->add_flag("--trust-clock", options->trust_clock,
                    "Although servers or our own hints say that this machine's clock is wrong");
  command->add_flag("--force", options->force,
                    "Also an empty state over a richer one, and though nobody answers");
  command->add_flag("--queue", options->queue,
                    "When no node takes the content now, commit all the same and bring it later");
  command->add_flag("--hidden", options->hidden,
                    "Hidden files too: names that start with a dot are left out otherwise");
  add_number(*command, "--wait-applied", options->wait_applied, {1, 256},
             "Wait until so many other devices of ours have taken it in, a minute at most, or as "
             "long as --timeout says");
  command->add_flag("--derived", options->derived, "Of a Nostr key, the secp256k1 name");
  command->callback([&context, options] { publish(context, *options); });
}

}  // namespace ipnscast::tools
