#include <algorithm>
#include <memory>

#include "ipnscast/sync/state/history.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/session/state_directory.h"
#include "ipnscast/tools/session/target.h"
#include "ipnscast/tools/usage/arguments.h"
#include "ipnscast/tools/watch/change_command.h"
#include "ipnscast/tools/watch/change_text.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kReplayTargetDeadline{10'000};
constexpr size_t kMostReplayed = 100'000;

struct ReplayOptions {
  std::string target;
  std::string since;
  std::string exec;
  bool derived = false;
};

// A time, or how long ago it was.
Result<UnixMillis> parse_since(const std::string& text, UnixMillis now) {
  if (const auto ago = parse_duration(text)) return UnixMillis{now.value - ago->count()};
  const auto time = sync::Eol::parse(text);
  if (!time)
    return fail(Errc::invalid, "\"" + text +
                                   "\" is no time: want how long ago, as 2d or 1h30m, or when, as "
                                   "2026-01-31T12:00:00Z");
  constexpr int64_t kFar = INT64_MAX / 1'000 - 1;
  return UnixMillis{std::clamp(time->seconds, -kFar, kFar) * 1'000 + time->nanoseconds / 1'000'000};
}

sync::Change change_of(const sync::IpnsName& name, const sync::HeardVersion& heard) {
  sync::Change out{.kind = heard.loser ? sync::ChangeKind::conflict : sync::ChangeKind::change,
                   .name = name,
                   .sequence = heard.version.sequence,
                   .value = heard.version.value,
                   .cid = sync::root_of(heard.version.value),
                   .previous = {},
                   .other_value = heard.loser,
                   .source = heard.source,
                   .author = heard.author,
                   .seen = heard.seen,
                   .replay = true};
  return out;
}

// Oldest first, without what was refused and what changed nothing.
std::vector<sync::Change> changes_since(const sync::IpnsName& name,
                                        const std::vector<sync::HeardVersion>& heard,
                                        UnixMillis since) {
  std::vector<sync::Change> out;
  for (auto one = heard.rbegin(); one != heard.rend(); ++one) {
    if (one->seen < since || one->fate == sync::HeardVersion::Fate::refused) continue;
    if (!out.empty() && out.back().value == one->version.value) continue;
    sync::Change change = change_of(name, *one);
    if (!out.empty()) change.previous = out.back().cid;
    out.push_back(std::move(change));
  }
  return out;
}

// The first one for which the command fails ends it.
Status hand_over(Context& context, const std::vector<sync::Change>& changes, ChangeCommand* command,
                 const TimeLimit& limit) {
  for (const sync::Change& change : changes) {
    if (limit.end() && *limit.end() <= std::chrono::steady_clock::now())
      return fail(Errc::timeout, "sequence " + std::to_string(change.sequence.value) +
                                     " and those after it were not replayed in time");
    if (command != nullptr) {
      const std::string line = change_json(change, {});
      const Status done = command->run(change_variables(change, ""), line + "\n");
      if (!done)
        return fail(done.error().within("sequence " + std::to_string(change.sequence.value)));
    }
    if (context.json) {
      print_line(change_json(change, {}));
    } else {
      print_lines(change_lines(change, {}));
    }
  }
  return {};
}

void replay(Context& context, const ReplayOptions& options) {
  StopSignal stop;
  const TimeLimit limit(context);
  const auto since = parse_since(options.since, system_now().wall);
  if (!since) return report_usage(context, "--since: " + since.error().message);
  const auto session = Session::open(context);
  if (!session) return;
  if (const Status there = check_state_is_there(context); !there)
    return report(context, there.error());
  const auto name =
      resolve_name(*session, options.target, options.derived, limit.left(kReplayTargetDeadline));
  if (!name) return report(context, name.error());
  const auto heard = sync::read_history(session->state_dir(), *name, kMostReplayed);
  if (!heard) return report(context, heard.error());
  const auto changes = changes_since(*name, *heard, *since);
  if (changes.empty())
    return report(
        context,
        {Errc::not_found,
         heard->empty() ? "nothing was heard of " + name->to_string() +
                              " here: it is heard while watch, bridge or up follows it with this "
                              "state directory"
                        : "no version of " + name->to_string() + " was heard since \"" +
                              options.since + "\": ipnscast history shows when they were"});
  std::optional<ChangeCommand> command;
  std::optional<OnStopSignal> on_stop;
  if (!options.exec.empty()) {
    const auto config = session->sync_config();
    if (!config) return report(context, config.error());
    command.emplace("--exec", options.exec, limit.left(config->handler_timeout));
    on_stop.emplace(stop, [&command] { command->stop(); });
  }
  if (const Status done = hand_over(context, changes, command ? &*command : nullptr, limit); !done)
    report(context, done.error());
}

}  // namespace

void add_replay(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand(
      "replay", "Print the versions of a name that were heard, oldest first, as watch did");
  const auto options = std::make_shared<ReplayOptions>();
  command->add_option("target", options->target, "IPNS name, npub, naddr, self or a key's label")
      ->type_name("TARGET")
      ->required();
  command
      ->add_option("--since", options->since,
                   "From then on: how long ago (2d, 1h30m), or when (2026-01-31T12:00:00Z)")
      ->type_name("TIME")
      ->required();
  command
      ->add_option("--exec", options->exec,
                   "Run this by /bin/sh for each of them, as watch --exec does; the first failure "
                   "ends it")
      ->type_name("CMD");
  command->add_flag("--derived", options->derived, "Of a Nostr key, the secp256k1 name");
  command->callback([&context, options] { replay(context, *options); });
}

}  // namespace ipnscast::tools
