#pragma once

#include <nlohmann/json_fwd.hpp>

#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::tools {

// What a record's further data says, as far as we understand it: "announcer" {"pubkey", "relays"}
// and "previous", each only when it is there.
void add_extra_facts(nlohmann::ordered_json& out, const sync::IpnsRecord::Fields& fields);
void print_extra_facts(const sync::IpnsRecord::Fields& fields);

}  // namespace ipnscast::tools
