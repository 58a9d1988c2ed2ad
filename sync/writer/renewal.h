#pragma once

#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {

// When a record of ours gets a later end of life: as soon as less than half of the lifetime that
// we give to records is left (DESIGN, "The hint on the wire"). Pure.
UnixMillis renewal_time(const Eol& eol, std::chrono::nanoseconds lifetime);

// The same value under the same sequence with a new end of life, as Kubo's republisher does: who
// watches is not told of a change. Members of the data that we do not know stay.
RecordOptions renewed(const IpnsRecord& record, std::chrono::nanoseconds lifetime,
                      std::chrono::nanoseconds ttl, bool v1, UnixMillis now);

}  // namespace ipnscast::sync
