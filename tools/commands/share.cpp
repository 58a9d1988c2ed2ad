#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/session/announcer.h"
#include "ipnscast/tools/session/state_directory.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kShareDeadline{10'000};

struct ShareOptions {
  std::string target;
  bool derived = false;
};

// Whoever gets a pointer connects to public addresses only.
void warn_of_near_relays(const std::vector<nostr::RelayUrl>& relays) {
  const bool far = std::any_of(relays.begin(), relays.end(),
                               [](const auto& relay) { return is_public_host(relay.host()); });
  if (far) return;
  print_note(relays.empty()
                 ? "no relay is in it: readers need one that you publish to, in their relays.urls"
                 : "\"" + relays.front().text() +
                       "\" is in your own network: readers need it, or a relay that you both "
                       "reach, in their relays.urls");
}

void share(Context& context, const ShareOptions& options) {
  const auto session = Session::open(context);
  if (!session) return;
  if (const Status there = check_state_is_there(context); !there)
    return report(context, there.error());
  if (const auto relays = session->relays(); !relays)
    return report_usage(context, relays.error().message);
  const auto found = find_announcer(*session, options.target, options.derived,
                                    TimeLimit(context).left(kShareDeadline));
  if (!found) return report(context, found.error());
  nostr::AddressPointer pointer{found->address, {}};
  for (const nostr::RelayUrl& relay : found->relays) pointer.relays.push_back(relay.text());
  const auto text = nostr::encode(pointer);
  if (!text) return report(context, text.error());
  if (context.json) {
    print_line(dump({{"naddr", *text},
                     {"name", found->name.to_string()},
                     {"author", nostr::encode_npub(found->address.pubkey)},
                     {"kind", found->address.kind},
                     {"d", found->address.d},
                     {"relays", pointer.relays}}));
  } else {
    print_line(*text);
    print_note("whoever has it follows the name with: ipnscast watch " + *text);
  }
  warn_of_near_relays(found->relays);
}

}  // namespace

void add_share(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand(
      "share",
      "Print an naddr to give to readers: a name that is published or followed here, who announces "
      "it, and your relays");
  const auto options = std::make_shared<ShareOptions>();
  command->add_option("target", options->target, "IPNS name, npub, naddr, self or a key's label")
      ->type_name("TARGET")
      ->required();
  command->add_flag("--derived", options->derived, "Of a Nostr key, the secp256k1 name");
  command->callback([&context, options] { share(context, *options); });
}

}  // namespace ipnscast::tools
