// The calls about versions that a name had.
#include <algorithm>

#include "ipnscast/sync/client_impl.h"
#include "ipnscast/sync/state/history.h"

namespace ipnscast::sync {

Result<std::vector<HeardVersion>> ClientImpl::history(const IpnsName& name, size_t most) {
  std::vector<HeardVersion> out;
  const Status read = writer_->run([&](store::Database& db) -> Status {
    auto found = load_history(db, name, std::min(most, config_.history_versions));
    if (!found) return fail(found.error());
    out = std::move(*found);
    return {};
  });
  if (!read) return fail(read.error());
  return out;
}

Status ClientImpl::replay(const IpnsName& name, UnixMillis since) {
  if (!sync_->handlers().has_handler(name))
    return fail(Errc::invalid, name.to_string() +
                                   " is not watched with a handler, which would get what is "
                                   "replayed: call watch() first");
  std::optional<uint64_t> first;
  const Status read = writer_->run([&](store::Database& db) -> Status {
    auto found = first_version_since(db, name, since);
    if (!found) return fail(found.error());
    first = *found;
    return {};
  });
  if (!read) return read;
  if (!first)
    return fail(Errc::not_found,
                "no version of " + name.to_string() + " that was heard since then was handed over");
  sync_->tell(input::Replay{name, *first});
  return {};
}

}  // namespace ipnscast::sync
