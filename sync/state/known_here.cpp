#include "ipnscast/sync/state/known_here.h"

#include <algorithm>

#include "ipnscast/sync/state/state_reading.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {
void take_better(std::optional<IpnsRecord>& best, std::optional<IpnsRecord> other) {
  if (other && (!best || better(*other, *best))) best = std::move(other);
}

std::optional<IpnsRecord> sound_record(const IpnsName& name, ByteView bytes) {
  auto record = verify_record(name, bytes, system_now().wall);
  if (record) return std::move(*record);
  return std::move(record.error().expired_record);
}

Result<std::optional<IpnsRecord>> load_known(store::Database& db, const IpnsName& name) {
  std::optional<IpnsRecord> out;
  const auto own = load_own_name(db, name);
  if (!own) return fail(own.error());
  if (*own) take_better(out, sound_record(name, (*own)->record));
  const auto row = load_name(db, name);
  if (!row) return fail(row.error());
  if (*row && (*row)->record) take_better(out, sound_record(name, (*row)->record->bytes));
  return out;
}

Result<std::optional<IpnsRecord>> read_known(const std::filesystem::path& state_dir,
                                             const IpnsName& name) {
  std::optional<IpnsRecord> out;
  const Status read = read_state_file(state_dir, [&](store::Database& database) -> Status {
    auto known = load_known(database, name);
    if (!known) return fail(known.error());
    out = std::move(*known);
    return {};
  });
  if (!read) return fail(read.error());
  return out;
}

void add_known(ResolveReport& report, const IpnsRecord& known, UnixMillis now) {
  const bool over = known.expired(now);
  std::optional<IpnsRecord>& best = over ? report.expired : report.best;
  take_better(best, known);
  ResolveReport::Source line{std::string(kKnownHere), over ? "expired record" : "record"};
  line.sequence = known.fields().sequence;
  line.value = known.fields().value;
  const auto behind = [&](const ResolveReport::Source& source) {
    return source.sequence && *source.sequence < *line.sequence;
  };
  const bool reached = std::any_of(
      report.sources.begin(), report.sources.end(),
      [&](const auto& source) { return source.sequence && *source.sequence >= *line.sequence; });
  report.rollback = !reached && std::any_of(report.sources.begin(), report.sources.end(), behind);
  report.sources.push_back(std::move(line));
}

void compare_answers(ResolveReport& report) {
  if (!report.best) return;
  const auto& best = report.best->fields();
  for (const ResolveReport::Source& source : report.sources) {
    if (source.sequence == best.sequence && source.value != best.value)
      report.other_value = source.value;
  }
}

}  // namespace ipnscast::sync
