#include "ipnscast/sync/state/state_view.h"

#include <algorithm>

#include "ipnscast/sync/state/known_record.h"
#include "ipnscast/sync/state/state_reading.h"
#include "ipnscast/sync/state/state_store.h"

namespace ipnscast::sync {

std::optional<NameStatus> name_status(const NameRow& row) {
  if (!row.record) return std::nullopt;
  const bool handed = row.handed && row.handed->sequence == row.record->sequence;
  return NameStatus{row.name,
                    row.record->sequence,
                    row.record->value,
                    root_of(row.record->value),
                    row.record->eol,
                    row.stale,
                    handed,
                    false,
                    true,
                    row.source,
                    row.author,
                    row.seen};
}

GatewayStatus gateway_status(const gateway::GatewayMemory& memory) {
  GatewayStatus out{memory.url,     gateway::points(memory),
                    memory.answers, memory.failures,
                    memory.lies,    std::nullopt,
                    memory.at};
  if (!memory.latencies.empty()) out.median = gateway::median_latency(memory);
  return out;
}

namespace {

// Whoever publishes a name need not follow it, and whoever follows it sees it a little later.
Status add_own_names(store::Database& database, std::vector<NameStatus>& out) {
  const auto all = load_own_names(database);
  if (!all) return fail(all.error());
  for (const OwnName& own : *all) {
    const auto found = std::find_if(
        out.begin(), out.end(), [&](const NameStatus& status) { return status.name == own.name; });
    const auto fields = peek_record(own.record);
    if (!fields) return fail(Errc::parse, "the state file: an own record cannot be read");
    NameStatus status{own.name,    own.sequence, own.value, root_of(own.value),
                      fields->eol, false,        false,     true};
    if (found == out.end()) {
      out.push_back(std::move(status));
    } else if (found->sequence < own.sequence) {
      status.followed = true;
      *found = std::move(status);
    } else {
      found->own = found->value == own.value;
    }
  }
  return {};
}

// One of the lists, into its place.
template <typename List>
Status take(Result<List> list, List& out) {
  if (!list) return fail(list.error());
  out = std::move(*list);
  return {};
}

Status read_owed(store::Database& database, OwedWork& out) {
  if (Status read = take(load_missing_pins(database), out.missing); !read) return read;
  if (Status read = take(load_unplaced_versions(database), out.unplaced); !read) return read;
  if (Status read = take(load_unwanted_pins(database), out.unwanted); !read) return read;
  return take(load_owed_records(database), out.records);
}

Status read_all(store::Database& database, StateView& out) {
  const auto rows = load_watched(database);
  if (!rows) return fail(rows.error());
  for (const NameRow& row : *rows) {
    if (auto status = name_status(row)) out.names.push_back(std::move(*status));
  }
  if (Status added = add_own_names(database, out.names); !added) return added;
  const auto gateways = load_gateways(database);
  if (!gateways) return fail(gateways.error());
  for (const auto& memory : *gateways) out.gateways.push_back(gateway_status(memory));
  auto outbox = nostr::outbox_view(database, kShownWaiting);
  if (!outbox) return fail(outbox.error());
  out.outbox = std::move(*outbox);
  if (Status owed = read_owed(database, out.owed); !owed) return owed;
  const auto metrics = load_setting(database, kMetricsSetting);
  if (!metrics) return fail(metrics.error());
  if (!*metrics) return {};
  auto read = Metrics::from_json(**metrics);
  if (!read) return fail(read.error());
  out.metrics = *read;
  return {};
}

}  // namespace

Result<StateView> read_state(const std::filesystem::path& state_dir) {
  StateView out;
  const Status read = read_state_file(state_dir, [&out](store::Database& database) {
    out = {};
    return read_all(database, out);
  });
  if (!read) return fail(read.error());
  return out;
}

}  // namespace ipnscast::sync
