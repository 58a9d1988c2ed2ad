#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/nostr/event/event.h"
#include "ipnscast/sync/gateway/score.h"
#include "ipnscast/sync/state/name_row.h"

namespace ipnscast::sync {

// The tables of the "sync" layer in the state file. Each function runs inside a job of the store's
// Writer, or on a reading connection; several in one job commit together, as a sequence number and
// the outbox row that announces it must.

inline constexpr char kStateFile[] = "state.sqlite";  // in the state directory

// Give this to Database::open() together with the other layers'.
store::Schema sync_schema();

// names: what is known of each name, watched or not, so that no name can be rolled back.
Status save_names(store::Database& db, const std::vector<NameRow>& rows);
Result<std::optional<NameRow>> load_name(store::Database& db, const IpnsName& name);
Result<std::vector<NameRow>> load_watched(store::Database& db);

// own_names: names whose key we hold, with the record that we signed last.
struct OwnName {
  IpnsName name;
  Sequence sequence;
  std::string value;
  uint64_t version = 0;  // grows by one with each publish (S0-13)
  Bytes record;          // the signed record, for sending it again
};
Status save_own_name(store::Database& db, const OwnName& own);
Result<std::optional<OwnName>> load_own_name(store::Database& db, const IpnsName& name);
Result<std::vector<OwnName>> load_own_names(store::Database& db);

// created_at: the highest created_at that was used or seen per own address (R4).
Status save_created_at(store::Database& db, const nostr::Address& address, UnixSeconds mark);
Status erase_created_at(store::Database& db, const nostr::Address& address);
struct CreatedAtMark {
  nostr::Address address;
  UnixSeconds mark;
};
Result<std::vector<CreatedAtMark>> load_created_at(store::Database& db);

// sent: ids of the events that this device signed (S0-35). Of each address the latest four stay:
// relays hold no more of it, and what they hold may come back years later.
Status save_sent(store::Database& db, const nostr::EventId& id, const nostr::Address& address,
                 UnixSeconds created_at);
struct SentEvent {
  nostr::EventId id;
  nostr::Address address;
  UnixSeconds created_at;
};
Result<std::vector<SentEvent>> load_sent(store::Database& db);
// Of an address: those that lie behind `limit`, from a clock that was wrong, and the time of the
// last that does not.
struct SentAround {
  std::vector<nostr::EventId> after;
  std::optional<UnixSeconds> last;
};
Result<SentAround> load_sent_around(store::Database& db, const nostr::Address& address,
                                    UnixSeconds limit);
// Their time is `limit` from now on, so that they make room for later events; and the mark of the
// address is gone.
Status forget_future(store::Database& db, const nostr::Address& address, UnixSeconds limit);

// gateways: what was learned of each, by URL. The 256 of which something was heard last stay, for
// 90 days.
Status save_gateways(store::Database& db, const std::vector<gateway::GatewayMemory>& gateways);
Result<std::vector<gateway::GatewayMemory>> load_gateways(store::Database& db);

// settings: small values by key, such as "device_id".
inline constexpr std::string_view kMetricsSetting = "metrics";  // Metrics::to_json()
Status save_setting(store::Database& db, std::string_view key, std::string_view value);
Result<std::optional<std::string>> load_setting(store::Database& db, std::string_view key);

}  // namespace ipnscast::sync
