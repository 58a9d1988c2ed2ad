#pragma once

#include <filesystem>
#include <optional>

#include "ipnscast/nostr/base/store/database.h"
#include "ipnscast/sync/resolve/resolve_report.h"

// What a state directory knows of a name, from following it and from publishing under it.
namespace ipnscast::sync {

// Signed for this name, whether its time is over or not; verified again.
std::optional<IpnsRecord> sound_record(const IpnsName& name, ByteView bytes);

// `best` is the better of both from now on; nothing is worse than any.
void take_better(std::optional<IpnsRecord>& best, std::optional<IpnsRecord> other);

// The best record in the state file. Inside a job of the store's Writer. Errc::io.
Result<std::optional<IpnsRecord>> load_known(store::Database& db, const IpnsName& name);
// The same of a directory that somebody else may be working in: nothing is locked or written.
// Nothing where there is no state. Errors of read_state_file().
Result<std::optional<IpnsRecord>> read_known(const std::filesystem::path& state_dir,
                                             const IpnsName& name);

// Makes it one of the answers, as the source kKnownHere, and says what the others then are: behind
// it, or at odds with it.
void add_known(ResolveReport& report, const IpnsRecord& known, UnixMillis now);
// Fills in what the answers show when they are held against each other.
void compare_answers(ResolveReport& report);

inline constexpr std::string_view kKnownHere = "known here";

}  // namespace ipnscast::sync
