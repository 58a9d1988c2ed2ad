#pragma once

#include "ipnscast/sync/client.h"
#include "ipnscast/sync/found_record.h"
#include "ipnscast/tools/cli/time_limit.h"

namespace ipnscast::tools {

// Warns of sources that fell back, of a publisher that contradicts itself, and of an end of life
// that has passed.
void warn_of(const sync::IpnsName& name, const sync::ResolveReport& found,
             sync::ExpiredPolicy policy);

}  // namespace ipnscast::tools
