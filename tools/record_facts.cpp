#include "tools/record_facts.h"

#include <nlohmann/json.hpp>

#include "nostr/nip19.h"
#include "sync/record_extra.h"
#include "tools/command.h"

namespace ipnscast::tools {

void add_extra_facts(nlohmann::ordered_json& out, const sync::IpnsRecord::Fields& fields) {
  if (const auto announcer = sync::announcer_of(fields)) {
    auto relays = nlohmann::ordered_json::array();
    for (const nostr::RelayUrl& url : announcer->relays) relays.push_back(url.text());
    out["announcer"] = {{"pubkey", nostr::encode_npub(announcer->pubkey)},
                        {"relays", std::move(relays)}};
  }
  if (const auto previous = sync::previous_of(fields)) out["previous"] = previous->to_string();
}

void print_extra_facts(const sync::IpnsRecord::Fields& fields) {
  if (const auto announcer = sync::announcer_of(fields)) {
    std::string line = "announcer " + nostr::encode_npub(announcer->pubkey);
    for (const nostr::RelayUrl& url : announcer->relays) line += "  " + std::string(url.text());
    print_line(line);
  }
  if (const auto previous = sync::previous_of(fields))
    print_line("previous  " + previous->to_string());
}

}  // namespace ipnscast::tools
