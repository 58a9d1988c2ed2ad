#include <unistd.h>

#include <nlohmann/json.hpp>

#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/look/status_facts.h"
#include "ipnscast/tools/session/state_directory.h"

namespace ipnscast::tools {
namespace {

void status(Context& context) {
  const auto session = Session::open(context);
  if (!session) return;
  if (const Status there = check_state_is_there(context); !there)
    return report(context, there.error());
  const auto facts = status_facts(*session);
  if (!facts) return report(context, facts.error());
  if (context.json) return print_line(dump(status_json(*facts)));
  print_status(*facts, Screen::of(STDOUT_FILENO));
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  app.add_subcommand(
         "status",
         "Names that are published, followed or bridged here, relays and gateways with their "
         "state, "
         "what waits, and which process works in the state directory. Nothing is asked or changed")
      ->callback([&context] { status(context); });
}

}  // namespace ipnscast::tools
