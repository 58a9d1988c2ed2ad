#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/session/shared_client.h"
#include "ipnscast/tools/session/target.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kForgetDeadline{10'000};

struct ForgetOptions {
  std::string target;
  bool lost = false;
  bool derived = false;
};

void forget(Context& context, const ForgetOptions& options) {
  const TimeLimit limit(context);
  const auto session = Session::open(context);
  if (!session) return;
  const auto name =
      resolve_name(*session, options.target, options.derived, limit.left(kForgetDeadline));
  if (!name) return report(context, name.error());
  sync::Config config = session->local_config();
  // Nothing is to be asked: this is about what this device knows.
  config.relays.clear();
  config.gateways.clear();
  const auto cache = TemporaryDirectory::make();
  if (!cache) return report(context, cache.error());
  config.cache_dir = cache->path();
  config.encrypt_at_rest = false;
  const auto client = open_or_attach(config, limit.left(kForgetDeadline));
  if (!client) return report(context, client.error());
  const Status done = options.lost ? (*client)->acknowledge_lost(*name) : (*client)->forget(*name);
  if (!done) return report(context, done.error());
  if (context.json) return print_line(dump({{"forgotten", name->to_string()}}));
  print_line((options.lost ? "struck off: " : "forgotten: ") + name->to_string());
}

}  // namespace

void add_forget(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand(
      "forget", "Drop the known sequence of a name, after data loss at its publisher");
  const auto options = std::make_shared<ForgetOptions>();
  command->add_option("target", options->target, "IPNS name, npub, naddr, self or a key's label")
      ->type_name("TARGET")
      ->required();
  command->add_flag("--lost", options->lost,
                    "Instead: strike off what history --lost lists; its content may go then");
  command->add_flag("--derived", options->derived, "Of a Nostr key, the secp256k1 name");
  command->callback([&context, options] { forget(context, *options); });
}

}  // namespace ipnscast::tools
