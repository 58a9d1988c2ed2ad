#pragma once

#include <optional>

#include "ipnscast/sync/config.h"
#include "ipnscast/sync/resolve/resolve_report.h"

namespace ipnscast::sync {

// How long names are looked for: tier 3 is waited for only when nobody else has a record.
Milliseconds listen_time(const Config& config);

// The record that counts: an expired one only for those who keep the last good one.
std::optional<IpnsRecord> record_of(const ResolveReport& found, ExpiredPolicy policy);
// Why there is none: timeout, expired, signature, not_found, unreachable.
Error nothing_found(const IpnsName& name, const ResolveReport& found, ExpiredPolicy policy);

}  // namespace ipnscast::sync
