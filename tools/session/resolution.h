#pragma once

#include "ipnscast/sync/client.h"
#include "ipnscast/tools/cli/time_limit.h"

namespace ipnscast::tools {

// How long names are looked for: tier 3 is waited for only when nobody else has a record.
Milliseconds listen_time(const sync::Config& config);

// The record that counts: an expired one only for those who keep the last good one.
std::optional<sync::IpnsRecord> record_of(const sync::ResolveReport& found,
                                          sync::ExpiredPolicy policy);
// Why there is none: timeout, expired, not_found, unreachable.
Error nothing_found(const sync::IpnsName& name, const sync::ResolveReport& found,
                    sync::ExpiredPolicy policy);
// Warns of sources that fell back, of a publisher that contradicts itself, and of an end of life
// that has passed.
void warn_of(const sync::IpnsName& name, const sync::ResolveReport& found,
             sync::ExpiredPolicy policy);

}  // namespace ipnscast::tools
