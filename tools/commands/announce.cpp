#include <memory>

#include "ipnscast/tools/reports/outcome_rows.h"
#include "ipnscast/tools/session/resolution.h"
#include "ipnscast/tools/session/shared_client.h"
#include "ipnscast/tools/session/target.h"
#include "ipnscast/tools/usage/arguments.h"
#include "ipnscast/tools/usage/typed_value.h"

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
  if (options.retract != options.cid.empty() || options.retract == options.sequence.has_value())
    return report_usage(context, "what is to be announced of \"" + options.target +
                                     "\"? Give a CID and --sequence N, or --retract alone");
  const auto content =
      options.retract ? Result<sync::Cid>(sync::Cid()) : typed_content(options.cid);
  if (!content) return report_usage(context, content.error().message);
  const auto session = Session::open(context);
  if (!session) return;
  const auto name =
      resolve_name(*session, options.target, options.derived, limit.left(kAnnounceDeadline));
  if (!name) return report(context, name.error());
  auto config = session->sync_config();
  if (!config) return report(context, config.error());
  if (config->relays.empty())
    return report_usage(context, "no relay is configured: " + session->how_to_set("relays.urls"));
  if (!config->signer) return report(context, session->no_key());
  if (context.timeout) config->publish_timeout = *context.timeout;
  const auto client = open_or_attach(*config, limit.left(kAnnounceDeadline));
  if (!client) return report(context, client.error());
  const auto outcome = options.retract
                           ? (*client)->retract(*name, {}, limit.end())
                           : (*client)->announce(*name, *content, sync::Sequence{*options.sequence},
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
  add_number(*command, "--sequence", options->sequence, kSequences, "Of the name's record");
  command->add_flag("--retract", options->retract, "Ask the relays to delete our announcements");
  command->add_flag("--trust-clock", options->trust_clock,
                    "Although servers or our own hints say that this machine's clock is wrong");
  command->add_flag("--derived", options->derived, "Of a Nostr key, the secp256k1 name");
  command->callback([&context, options] { announce(context, *options); });
}

}  // namespace ipnscast::tools
