#include "ipnscast/sync/state/known_record.h"

#include <tuple>

namespace ipnscast::sync {

KnownRecord known_record(const IpnsRecord& record) {
  const auto& fields = record.fields();
  return {fields.sequence, fields.value, fields.eol, record.data(), record.bytes()};
}

bool wins_over(const KnownRecord& a, const KnownRecord& b) {
  return std::tie(a.sequence, a.eol, a.data) > std::tie(b.sequence, b.eol, b.data);
}

bool expired(const KnownRecord& record, UnixMillis now) {
  const Eol at{now.value / 1000, static_cast<int32_t>(now.value % 1000) * 1'000'000};
  return record.eol <= at;
}

std::optional<Cid> root_of(std::string_view value) {
  constexpr std::string_view kPrefix = "/ipfs/";
  if (!value.starts_with(kPrefix)) return std::nullopt;
  value.remove_prefix(kPrefix.size());
  const auto cid = Cid::parse(value.substr(0, value.find('/')));
  if (!cid) return std::nullopt;
  return cid->as_v1();
}

std::string value_of(const Cid& cid) { return "/ipfs/" + cid.to_string(); }

}  // namespace ipnscast::sync
