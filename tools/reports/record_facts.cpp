#include "ipnscast/tools/reports/record_facts.h"

#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/resolve/record_extra.h"
#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {

namespace {

// A text as it is; anything else as the hex of its CBOR.
std::string shown(ByteView cbor) {
  const auto value = sync::decode_dag_cbor(cbor);
  const auto* text = value ? value->as<std::string>() : nullptr;
  return text != nullptr ? *text : "cbor:" + to_hex(cbor);
}

bool is_known(const std::string& member) {
  return member == sync::kAnnouncerKey || member == sync::kPreviousKey;
}

}  // namespace

void add_extra_facts(nlohmann::ordered_json& out, const sync::IpnsRecord::Fields& fields) {
  if (const auto announcer = sync::announcer_of(fields)) {
    auto relays = nlohmann::ordered_json::array();
    for (const nostr::RelayUrl& url : announcer->relays) relays.push_back(url.text());
    out["announcer"] = {{"pubkey", nostr::encode_npub(announcer->pubkey)},
                        {"relays", std::move(relays)}};
  }
  if (const auto previous = sync::previous_of(fields)) out["previous"] = previous->to_string();
  for (const auto& [member, cbor] : fields.extra) {
    if (!is_known(member)) out["data"][member] = shown(cbor);
  }
}

void print_extra_facts(const sync::IpnsRecord::Fields& fields) {
  if (const auto announcer = sync::announcer_of(fields)) {
    std::string line = "announcer " + nostr::encode_npub(announcer->pubkey);
    for (const nostr::RelayUrl& url : announcer->relays) line += "  " + std::string(url.text());
    print_line(line);
  }
  if (const auto previous = sync::previous_of(fields))
    print_line("previous  " + previous->to_string());
  for (const auto& [member, cbor] : fields.extra) {
    if (!is_known(member)) print_line("data      " + member + " = " + shown(cbor));
  }
}

}  // namespace ipnscast::tools
