// Resolving names and fetching content.
#include "ipnscast/sync/c_api/client.h"
#include "ipnscast/sync/found_record.h"
#include "ipnscast/sync/state/known_record.h"

using namespace ipnscast;
using namespace ipnscast::c_api;

namespace {

struct GivenResolution final : Given<ipnscast_resolution> {
  GivenRows<ipnscast_answered> rows;
};

void give(const sync::IpnsName& name, const sync::IpnsRecord& record,
          const sync::ResolveReport& report, ipnscast_resolution** out) {
  auto given = std::make_unique<GivenResolution>();
  const auto& fields = record.fields();
  const auto root = sync::root_of(fields.value);
  given->name = given->keep(name.to_string());
  given->sequence = fields.sequence.value;
  given->value = given->keep(fields.value);
  given->cid = given->keep(root ? root->to_string() : std::string());
  given->valid_until = given->keep(fields.eol.to_string());
  given->expired = record.expired(system_now().wall) ? 1 : 0;
  given->rollback = report.rollback ? 1 : 0;
  for (const auto& source : report.sources) {
    ipnscast_answered& row = given->rows.add();
    row.url = given->keep(source.url);
    row.answer = given->keep(source.answer);
    row.sequence = source.sequence ? source.sequence->value : 0;
    row.value = given->keep(source.value);
    row.took_ms = source.took.count();
  }
  given->answered_count = given->rows.size();
  given->answered = given->rows.data();
  *out = given.release();
}

}  // namespace

int ipnscast_resolve(ipnscast_client* client, const char* name, size_t name_length,
                     const ipnscast_resolve_options* options, ipnscast_resolution** out,
                     ipnscast_error** error) {
  if (out != nullptr) *out = nullptr;
  return answer(client, error, [&](OpenClient& open) -> Status {
    if (auto there = needed(out, "out"); !there) return there;
    const auto which = name_in(name, name_length);
    if (!which) return fail(which.error());
    const auto chosen = options_in(options);
    if (!chosen) return fail(chosen.error());
    auto time = time_in(chosen->timeout_ms, "timeout_ms");
    if (!time) return fail(time.error());
    if (*time == Milliseconds(0)) time = open.listen;
    const auto report = open.client->resolve(
        *which, *time, chosen->cached != 0 ? sync::Freshness::cached : sync::Freshness::ask);
    if (!report) return fail(report.error());
    const auto record = record_of(*report, open.expired);
    if (!record) return fail(nothing_found(*which, *report, open.expired));
    give(*which, *record, *report, out);
    return {};
  });
}

void ipnscast_resolution_free(ipnscast_resolution* resolution) {
  delete static_cast<GivenResolution*>(resolution);
}

int ipnscast_get(ipnscast_client* client, const char* cid, size_t cid_length, const char* path,
                 size_t path_length, const char* target, size_t target_length,
                 const ipnscast_get_options* options, ipnscast_error** error) {
  return answer(client, error, [&](OpenClient& open) -> Status {
    const auto content = cid_in(cid, cid_length);
    if (!content) return fail(content.error());
    const auto inside = text_in(path, path_length, "path");
    if (!inside) return fail(inside.error());
    const auto place = path_in(target, target_length, "target");
    if (!place) return fail(place.error());
    const auto chosen = options_in(options);
    if (!chosen) return fail(chosen.error());
    const auto time = time_in(chosen->timeout_ms, "timeout_ms");
    if (!time) return fail(time.error());
    sync::GetOptions how;
    if (*time > Milliseconds(0)) how.deadline = *time;
    how.file_only = chosen->file_only != 0;
    how.symlinks = chosen->symlinks != 0;
    return open.client->get(*content, *inside, *place, how);
  });
}
