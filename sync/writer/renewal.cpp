#include "ipnscast/sync/writer/renewal.h"

#include <algorithm>

namespace ipnscast::sync {

UnixMillis renewal_time(const Eol& eol, std::chrono::nanoseconds lifetime) {
  constexpr int64_t kFar = INT64_MAX / 2000;
  const int64_t end =
      std::clamp<int64_t>(eol.seconds, 0, kFar) * 1000 + eol.nanoseconds / 1'000'000;
  return {end - std::chrono::duration_cast<Milliseconds>(lifetime).count() / 2};
}

RecordOptions renewed(const IpnsRecord& record, std::chrono::nanoseconds lifetime,
                      std::chrono::nanoseconds ttl, bool v1, UnixMillis now) {
  const IpnsRecord::Fields& fields = record.fields();
  return {fields.value, fields.sequence, Eol::after(now, lifetime), ttl, v1, fields.extra};
}

}  // namespace ipnscast::sync
