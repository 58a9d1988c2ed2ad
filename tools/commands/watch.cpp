#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/state/known_here.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/reports/lost_rows.h"
#include "ipnscast/tools/reports/trouble.h"
#include "ipnscast/tools/session/reading_client.h"
#include "ipnscast/tools/session/resolution.h"
#include "ipnscast/tools/session/shared_client.h"
#include "ipnscast/tools/usage/arguments.h"
#include "ipnscast/tools/watch/change_handler.h"
#include "ipnscast/tools/watch/conflict_handler.h"
#include "ipnscast/tools/watch/keeping.h"
#include "ipnscast/tools/watch/opening_line.h"
#include "ipnscast/tools/watch/untrusted_hints.h"
#include "ipnscast/tools/watch/watch_targets.h"
#include "ipnscast/tools/watch/webhook_opening.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kWatchTargetDeadline{10'000};
constexpr Milliseconds kOnceDeadline{60'000};

Result<ChangeHandler::Options> handler_options(const Context& context, const WatchOptions& options,
                                               const Target& target,
                                               const std::filesystem::path& state_dir) {
  ChangeHandler::Options out;
  out.json = context.json;
  const Screen screen = Screen::of(STDOUT_FILENO);
  if (screen.terminal) out.screen.emplace(screen, target.names);
  out.exec = options.exec;
  out.exec_variables = options.exec_variables;
  if (options.mirror.empty()) return out;
  if (target.names.size() != 1)
    return fail(Errc::invalid, "--mirror: want one name, these are " +
                                   std::to_string(target.names.size()) + ": " +
                                   name_list(target.names));
  if (options.records_only)
    return fail(Errc::invalid, "--mirror \"" + options.mirror +
                                   "\" and --records-only exclude each other: give one of them");
  auto mirror = Mirror::open(options.mirror, target.names.front(), state_dir);
  if (!mirror) return fail(mirror.error());
  out.mirror = std::move(*mirror);
  return out;
}

Result<ConflictHandler::Options> conflict_options(const WatchOptions& options) {
  if (options.every_version && options.once)
    return fail(Errc::invalid, "--every-version and --once exclude each other: give one of them");
  if (options.on_conflict.empty()) return ConflictHandler::Options{};
  if (options.once)
    return fail(Errc::invalid, "--on-conflict \"" + options.on_conflict.front() +
                                   "\" and --once exclude each other: give one of them");
  return ConflictHandler::parse(options.on_conflict);
}

bool conflicts_are_decided(const ConflictHandler::Options& decides) {
  return decides.strategy != ConflictHandler::Strategy::newest;
}

Error decided_elsewhere(const std::filesystem::path& state_dir) {
  return {Errc::invalid, "--on-conflict: whoever holds " + state_dir.string() +
                             " publishes, so give it to that watch, or leave it out here"};
}

// What is followed over what: for a person before a terminal, and for the log.
void say_what_is_followed(const Context& context, const Target& target,
                          const sync::Config& config) {
  const std::string line = opening_line(target.names, config);
  if (!context.json && Screen::of(STDERR_FILENO).terminal)
    print_note(line);
  else
    log_info("watch", line);
}

using Sequences = std::map<sync::IpnsName, sync::Sequence>;

// What the state directory knows of these names already.
Sequences known_sequences(const std::filesystem::path& state_dir,
                          const std::vector<sync::IpnsName>& names) {
  Sequences out;
  for (const auto& name : names) {
    const auto known = sync::read_known(state_dir, name);
    if (!known)
      log_warning("watch", "what is known of names cannot be read: " + known.error().message);
    else if (*known)
      out.emplace(name, (*known)->fields().sequence);
  }
  return out;
}

// What others displaced of these names before; what they displace from now on comes as a change.
void say_lost_before(Context& context, const std::vector<sync::IpnsName>& names,
                     const std::filesystem::path& state_dir) {
  for (const auto& name : names) {
    const auto lost = lost_there(state_dir, name);
    say_lost(context, name, lost);
    if (context.json && !lost.empty())
      print_line(
          dump({{"event", "displaced"}, {"name", name.to_string()}, {"displaced", lost.size()}}));
  }
}

Error fell_back(const sync::Change& change, sync::Sequence known) {
  return {Errc::conflict, change.name.to_string() + ": the sources fell back to sequence " +
                              std::to_string(change.sequence.value) + ", and " +
                              std::to_string(known.value) + " is known here"};
}

// `watch` from an open client to its end.
class Watching {
 public:
  Watching(Context& context, const WatchOptions& options, const Target& target, StopSignal& stop,
           sync::Client& client, ChangeHandler& handler, ConflictHandler* conflicts,
           Sequences floors, const TimeLimit& limit, const Trouble& trouble)
      : context_(context),
        options_(options),
        target_(target),
        stop_(stop),
        client_(client),
        handler_(handler),
        conflicts_(conflicts),
        floors_(std::move(floors)),
        limit_(limit),
        trouble_(trouble),
        missing_(target.names.begin(), target.names.end()) {}

  Status start();
  // Waits for Ctrl-C, the limit, or with --once for every name's state.
  void wait(bool has_gateways);

 private:
  Status handle(const sync::Change& change);
  // Notes when nobody has a record of a name, so that --once does not wait for nothing.
  void look_for_records();

  Context& context_;
  const WatchOptions& options_;
  const Target& target_;
  StopSignal& stop_;
  sync::Client& client_;
  ChangeHandler& handler_;
  ConflictHandler* const conflicts_;  // none: what is newest stays
  const Sequences floors_;
  const TimeLimit& limit_;
  const Trouble& trouble_;
  std::mutex mutex_;
  std::set<sync::IpnsName> missing_;  // guarded by mutex_; of --once: nothing printed yet
  std::optional<Error> failure_;      // guarded by mutex_; of --once
};

Status Watching::handle(const sync::Change& change) {
  const auto floor = floors_.find(change.name);
  const bool behind = floor != floors_.end() && change.sequence < floor->second;
  const Status done = behind ? fail(fell_back(change, floor->second)) : handler_.handle(change);
  if (!options_.once) return done;
  const std::lock_guard lock(mutex_);
  if (!done) {
    failure_ = done.error();
  } else if (change.kind != sync::ChangeKind::provisional) {
    missing_.erase(change.name);
  }
  if (failure_ || missing_.empty()) stop_.stop();
  return done;
}

Status Watching::start() {
  for (const auto& status : client_.status()) {
    if (std::find(target_.names.begin(), target_.names.end(), status.name) == target_.names.end())
      continue;
    const Status shown = handler_.catch_up(status);
    if (!shown) return shown;
  }
  for (const auto& name : target_.names) {
    sync::WatchOptions options;
    options.fetch_content = !options_.records_only;
    options.every_version = options_.every_version;
    options.takes_in =
        !options_.mirror.empty() || !options_.exec.empty() || !options_.webhook.empty();
    options.on_change = [this](const sync::Change& change) { return handle(change); };
    if (conflicts_ != nullptr)
      options.on_conflict = [this](const sync::Conflict& one) { return conflicts_->handle(one); };
    const Status watched = client_.watch(name, std::move(options));
    if (!watched) return watched;
  }
  return {};
}

void Watching::look_for_records() {
  for (const auto& name : target_.names) {
    const auto found = client_.resolve(name, limit_.left(kWatchTargetDeadline));
    const std::lock_guard lock(mutex_);
    if (!missing_.contains(name) || (found && found->best)) continue;
    failure_ = found ? nothing_found(name, *found, sync::ExpiredPolicy::last_good) : found.error();
    return stop_.stop();
  }
}

void Watching::wait(bool has_gateways) {
  std::optional<Milliseconds> deadline;
  if (options_.once || context_.timeout) deadline = limit_.left(kOnceDeadline);
  std::thread lookup;
  if (options_.once && has_gateways) lookup = std::thread([this] { look_for_records(); });
  const bool stopped = stop_.wait(deadline);
  handler_.stop();
  if (conflicts_ != nullptr) conflicts_->stop();
  if (lookup.joinable()) lookup.join();
  client_.close();
  const std::lock_guard lock(mutex_);
  if (options_.once && missing_.empty()) return;
  if (failure_) return report(context_, *failure_);
  if (!stopped && options_.once)
    return report(context_, {Errc::timeout, "no confirmed state yet" + trouble_.last()});
  if (!stopped) context_.exit = Exit::deadline;
}

void watch(Context& context, const WatchOptions& options) {
  StopSignal stop;
  const TimeLimit limit(context);
  auto decides = conflict_options(options);
  if (!decides) return report(context, decides.error());
  const auto trusted = trusted_keys(options.trust);
  if (!trusted) return report(context, trusted.error());
  const auto session = Session::open(context);
  if (!session) return;
  const auto target = wait_for_targets(*session, options, limit);
  if (!target) return report(context, target.error());
  auto config = session->sync_config();
  if (!config) return report(context, config.error());
  add_to(*config, *target);
  for (const auto& key : *trusted) config->trusted_authors.push_back(key);
  const bool has_gateways = !config->gateways.empty();
  if (!has_gateways && config->relays.empty())
    return report_usage(context, "neither a relay nor a gateway is configured: " +
                                     session->how_to_set("relays.urls and gateways.nodes"));
  if (!has_gateways && !options.records_only)
    return report_usage(
        context, "no gateway or node is configured: " + session->how_to_set("gateways.nodes") +
                     ", or give --records-only");
  auto how = handler_options(context, options, *target, session->state_dir());
  if (!how) return report(context, how.error());
  if (const Status checked = check_keeping(*session, options); !checked)
    return report(context, checked.error());
  auto webhook = open_webhook(options, config->access.ca_file);
  if (!webhook) return report(context, webhook.error());
  how->webhook = std::move(*webhook);
  how->limits.max_bytes = config->fetch_max_bytes;
  how->limits.deadline = limit.end();
  // A command has the whole time, and is ended before its lane is given up.
  how->exec_timeout = config->handler_timeout;
  decides->timeout = config->handler_timeout;
  if (!how->exec.empty() || !decides->command.empty())
    config->handler_timeout += 2 * ChangeCommand::kGrace;
  if (how->webhook) config->handler_timeout += Webhook::kDeadline;
  say_lost_before(context, target->names, config->state_dir);
  const auto trouble = std::make_shared<Trouble>(context.json);
  config->on_trouble = [trouble](const auto& name, const auto& text) { trouble->note(name, text); };
  const auto untrusted =
      options.once ? std::unique_ptr<UntrustedHints>() : UntrustedHints::of(*config);
  if (!options.once) say_what_is_followed(context, *target, *config);
  // A look does not count as having handed anything over.
  auto follower = Follower::open(std::move(*config), options.once, options.as);
  if (!follower) return report(context, follower.error());
  sync::Client& client = *follower->client;
  if (follower->beside && conflicts_are_decided(*decides)) {
    context.exit = Exit::usage;
    return report(context, decided_elsewhere(session->state_dir()));
  }
  Sequences floors;
  if (follower->fresh) floors = known_sequences(session->state_dir(), target->names);
  std::vector<sync::IpnsName> others = target->names;
  if (!follower->beside) {
    for (const auto& key : session->open_keys()) {
      (void)client.keep_alive(key);
      std::erase(others, key.name());
    }
  }
  const auto keeping = Keeping::open(options, follower->config, client.blocks(), std::move(others));
  if (!keeping) return report(context, keeping.error());
  how->pins = keeping->pins.get();
  how->on_done = [&](const sync::Change& change) {
    if (untrusted) untrusted->noticed(change);
    if (keeping->records) keeping->records->noticed(change);
  };
  ChangeHandler handler(client, std::move(*how));
  std::optional<ConflictHandler> conflicts;
  if (conflicts_are_decided(*decides)) conflicts.emplace(client, std::move(*decides));
  Watching watching(context, options, *target, stop, client, handler,
                    conflicts ? &*conflicts : nullptr, std::move(floors), limit, *trouble);
  if (const Status started = watching.start(); !started) {
    client.close();
    return report(context, started.error());
  }
  watching.wait(has_gateways);
}

}  // namespace

void add_watch(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand("watch", "Follow names; a line for each change");
  const auto options = std::make_shared<WatchOptions>();
  command
      ->add_option("target", options->targets,
                   "IPNS names, npubs, naddrs, domains (DNSLink), self or a key's label")
      ->type_name("TARGET")
      ->required();
  command->add_flag("--once", options->once, "Print the current confirmed state and end");
  command
      ->add_option("--mirror", options->mirror,
                   "Keep the content as files here; a directory that is absent, empty or ours")
      ->type_name("DIR");
  command->add_flag("--every-version", options->every_version,
                    "Every version that is heard, one after the other: also those that a newer one "
                    "replaced while a command ran or failed, or between two runs");
  CLI::Option* const exec =
      command
          ->add_option("--exec", options->exec,
                       "Run this by /bin/sh on each change, the JSON line on its input; again "
                       "later when it fails or takes longer than handover.handler_timeout. It "
                       "finds IPNSCAST_NAME, _CID, _SEQUENCE, _PREVIOUS and _PATH (of the mirror) "
                       "in its environment, our settings without secrets, and of the rest only "
                       "PATH, HOME, USER, LANG, TZ, TMPDIR, XDG_... and proxies")
          ->type_name("CMD");
  command
      ->add_option("--exec-env", options->exec_variables,
                   "A variable of this environment that the command of --exec gets too")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->needs(exec);
  CLI::Option* const webhook =
      command
          ->add_option("--webhook", options->webhook,
                       "Post each change there as JSON, signed (Standard Webhooks); again later "
                       "unless the answer is 2xx or 410. http:// to this machine only")
          ->type_name("URL");
  command
      ->add_option("--webhook-secret-file", options->webhook_secret_file,
                   "The secret that signs: one line \"whsec_...\", mode 0600 (else "
                   "IPNSCAST_WEBHOOK_SECRET)")
      ->type_name("FILE")
      ->needs(webhook);
  command
      ->add_flag("--webhook-http", options->webhook_http,
                 "Post over http:// to other machines too, where others on the way read along")
      ->needs(webhook);
  command->add_flag("--pin", options->pin,
                    "Bring each version to the nodes of gateways.nodes and pin it there");
  add_number(*command, "--versions", options->versions, {1, 10'000},
             "With --pin: so many versions of a name stay pinned, older pins are taken off");
  command->add_flag("--keep-alive", options->keep_alive,
                    "Put the newest valid record of each name, as it is, to all routers and nodes "
                    "again and again, so that they do not drop it");
  command
      ->add_option("--on-conflict", options->on_conflict,
                   "What becomes of a publish of this device that was displaced: newest (nothing, "
                   "it is told), keep-both DIR (its content is written there), or exec CMD (merges "
                   "$IPNSCAST_OURS and $IPNSCAST_THEIRS into $IPNSCAST_MERGED, which is published)")
      ->type_name("newest|keep-both DIR|exec CMD")
      ->expected(1, 2);
  command
      ->add_option("--trust", options->trust,
                   "Hear the hints of this key at once, besides those of trust.authors; more than "
                   "once for more keys")
      ->type_name("NPUB")
      ->allow_extra_args(false);
  command
      ->add_option("--as", options->as,
                   "A place of its own under this label: beside another watch, what this one was "
                   "given counts for it alone, and it goes on there the next time")
      ->type_name("LABEL");
  command->add_flag("--records-only", options->records_only, "Do not fetch the content");
  command->add_flag("--derived", options->derived, "Of a Nostr key, the secp256k1 name");
  command->callback([&context, options] {
    // "newest" takes no word.
    auto& words = options->on_conflict;
    if (words.size() == 2 && words[0] == "newest") {
      options->targets.push_back(words[1]);
      words.pop_back();
    }
    watch(context, *options);
  });
}

}  // namespace ipnscast::tools
