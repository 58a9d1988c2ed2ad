// What a client knows of its names, places and lost publishes.
#include "ipnscast/sync/c_api/client.h"

using namespace ipnscast;
using namespace ipnscast::c_api;

namespace {

struct GivenStatus final : Given<ipnscast_status> {
  GivenRows<ipnscast_name_status> name_rows;
  GivenRows<ipnscast_place_status> place_rows;
};

struct GivenLosses final : Given<ipnscast_losses> {
  GivenRows<ipnscast_lost_publish> rows;
};

void add(GivenStatus& given, const sync::NameStatus& known) {
  ipnscast_name_status& row = given.name_rows.add();
  row.name = given.keep(known.name.to_string());
  row.sequence = known.sequence.value;
  row.value = given.keep(known.value);
  row.cid = given.keep(known.cid ? known.cid->to_string() : std::string());
  row.valid_until = given.keep(known.eol.to_string());
  row.stale = known.stale ? 1 : 0;
  row.handed_over = known.handed_over ? 1 : 0;
  row.own = known.own ? 1 : 0;
}

void add(GivenStatus& given, const sync::SourceState& state) {
  ipnscast_place_status& row = given.place_rows.add();
  row.kind = given.keep(state.kind);
  row.url = given.keep(state.url);
  row.up = state.up ? 1 : 0;
}

}  // namespace

int ipnscast_get_status(ipnscast_client* client, ipnscast_status** out, ipnscast_error** error) {
  if (out != nullptr) *out = nullptr;
  return answer(client, error, [&](OpenClient& open) -> Status {
    if (auto there = needed(out, "out"); !there) return there;
    auto given = std::make_unique<GivenStatus>();
    for (const auto& known : open.client->status()) add(*given, known);
    for (const auto& state : open.client->metrics().sources) add(*given, state);
    given->name_count = given->name_rows.size();
    given->names = given->name_rows.data();
    given->place_count = given->place_rows.size();
    given->places = given->place_rows.data();
    *out = given.release();
    return {};
  });
}

void ipnscast_status_free(ipnscast_status* status) { delete static_cast<GivenStatus*>(status); }

int ipnscast_lost(ipnscast_client* client, const char* name, size_t name_length,
                  ipnscast_losses** out, ipnscast_error** error) {
  if (out != nullptr) *out = nullptr;
  return answer(client, error, [&](OpenClient& open) -> Status {
    if (auto there = needed(out, "out"); !there) return there;
    const auto which = name_in(name, name_length);
    if (!which) return fail(which.error());
    auto given = std::make_unique<GivenLosses>();
    for (const auto& lost : open.client->lost(*which)) {
      ipnscast_lost_publish& row = given->rows.add();
      row.sequence = lost.ours.sequence.value;
      row.value = given->keep(lost.ours.value);
      row.winner_sequence = lost.theirs.sequence.value;
      row.winner_value = given->keep(lost.theirs.value);
      row.uncertain = lost.certain ? 0 : 1;
      row.same_sequence = lost.conflict ? 1 : 0;
    }
    given->count = given->rows.size();
    given->lost = given->rows.data();
    *out = given.release();
    return {};
  });
}

void ipnscast_losses_free(ipnscast_losses* losses) { delete static_cast<GivenLosses*>(losses); }

int ipnscast_acknowledge_lost(ipnscast_client* client, const char* name, size_t name_length,
                              ipnscast_error** error) {
  return answer(client, error, [&](OpenClient& open) -> Status {
    const auto which = name_in(name, name_length);
    if (!which) return fail(which.error());
    return open.client->acknowledge_lost(*which);
  });
}
