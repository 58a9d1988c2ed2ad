#include <memory>

#include "ipnscast/tools/cli/ipfs_path.h"
#include "ipnscast/tools/reports/outcome_rows.h"
#include "ipnscast/tools/session/resolution.h"
#include "ipnscast/tools/session/target.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kAnnounceDeadline{10'000};

struct AnnounceOptions {
  std::string target;
  std::string cid;
  std::optional<uint64_t> sequence;
  bool retract = false;
  bool trust_clock = false;
  bool derived = false;
};

void announce(Context& context, const AnnounceOptions& options) {
  const TimeLimit limit(context);
  const auto session = Session::open(context);
  if (!session) return;
  if (options.retract != options.cid.empty() || options.retract == options.sequence.has_value())
    return report_usage(context, "want a CID and --sequence, or --retract alone");
  const auto content = parse_ipfs_path(options.cid);
  if (!options.retract && (!content || !content->path.empty()))
    return report_usage(context, "\"" + options.cid + "\": want a CID");
  if (options.sequence.value_or(0) > sync::kMaxSequence)
    return report_usage(context, "--sequence: want a number below 2^63");
  const auto name =
      resolve_name(*session, options.target, options.derived, limit.left(kAnnounceDeadline));
  if (!name) return report(context, name.error());
  auto config = session->sync_config();
  if (!config) return report(context, config.error());
  if (config->relays.empty())
    return report_usage(context, "no relay is configured: see relays.urls");
  if (!config->signer)
    return report(context, {Errc::not_found, "there is no key to sign with: see ipnscast init"});
  if (context.timeout) config->publish_timeout = *context.timeout;
  const auto client = sync::Client::open(std::move(*config));
  if (!client) return report(context, client.error());
  const auto outcome =
      options.retract ? (*client)->retract(*name, {}, limit.end())
                      : (*client)->announce(*name, content->cid, sync::Sequence{*options.sequence},
                                            {}, {}, options.trust_clock, limit.end());
  if (!outcome) return report(context, outcome.error());
  options.retract ? print_retraction(context, *outcome) : print_outcome(context, *outcome);
}

}  // namespace

void add_announce(CLI::App& app, Context& context) {
  CLI::App* const command =
      app.add_subcommand("announce", "Only tell the relays that a name has a new value");
  const auto options = std::make_shared<AnnounceOptions>();
  command->add_option("target", options->target, "IPNS name, npub, naddr, self or a key's label")
      ->type_name("TARGET")
      ->required();
  command->add_option("cid", options->cid, "What the name points to now")->type_name("CID");
  command->add_option("--sequence", options->sequence, "Of the name's record")->type_name("N");
  command->add_flag("--retract", options->retract, "Ask the relays to delete our announcements");
  command->add_flag("--trust-clock", options->trust_clock,
                    "Although servers or our own hints say that this machine's clock is wrong");
  command->add_flag("--derived", options->derived, "Of a Nostr key, the secp256k1 name");
  command->callback([&context, options] { announce(context, *options); });
}

}  // namespace ipnscast::tools
