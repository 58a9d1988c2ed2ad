#include "ipnscast/sync/state/history.h"

#include <memory>

#include "ipnscast/sync/writer/lost_view.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/reports/history_rows.h"
#include "ipnscast/tools/reports/lost_rows.h"
#include "ipnscast/tools/session/state_directory.h"
#include "ipnscast/tools/session/target.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kHistoryDeadline{10'000};
constexpr size_t kMostHeard = 100'000;

struct HistoryOptions {
  std::string target;
  bool lost = false;
  bool derived = false;
};

void history(Context& context, const HistoryOptions& options) {
  const auto session = Session::open(context);
  if (!session) return;
  if (const Status there = check_state_is_there(context); !there)
    return report(context, there.error());
  const auto name = resolve_name(*session, options.target, options.derived,
                                 TimeLimit(context).left(kHistoryDeadline));
  if (!name) return report(context, name.error());
  const auto lost = sync::read_lost(session->state_dir(), *name);
  if (!lost) return report(context, lost.error());
  if (options.lost) return print_lost(context, *name, *lost);
  say_lost(context, *name, *lost);
  const auto versions = sync::read_versions(session->state_dir(), *name);
  if (!versions) return report(context, versions.error());
  const auto heard = sync::read_history(session->state_dir(), *name, kMostHeard);
  if (!heard) return report(context, heard.error());
  print_history(context, *name, *heard, *versions);
}

}  // namespace

void add_history(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand(
      "history",
      "The versions of a name that were heard or published here, newest first, and what was lost");
  const auto options = std::make_shared<HistoryOptions>();
  command->add_option("target", options->target, "IPNS name, npub, naddr, self or a key's label")
      ->type_name("TARGET")
      ->required();
  command->add_flag("--lost", options->lost,
                    "What other devices' publishes displaced: get reads it, publish --cid brings "
                    "it back, forget --lost strikes it off");
  command->add_flag("--derived", options->derived, "Of a Nostr key, the secp256k1 name");
  command->callback([&context, options] { history(context, *options); });
}

}  // namespace ipnscast::tools
