#include "ipnscast/bridge/node/store/record_store.h"

#include <algorithm>

#include "ipnscast/sync/gateway/delegated_routing.h"

namespace ipnscast::bridge {
namespace {

const store::Schema kRecordSchema{
    "node-records",
    {{1, "CREATE TABLE records(name BLOB PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID"}}};

Errc code_of(sync::RecordFault fault) {
  switch (fault) {
    case sync::RecordFault::size:
      return Errc::too_large;
    case sync::RecordFault::decode:
    case sync::RecordFault::type:
    case sync::RecordFault::ttl:
      return Errc::parse;
    case sync::RecordFault::name:
    case sync::RecordFault::key:
    case sync::RecordFault::signature:
    case sync::RecordFault::mismatch:
      return Errc::signature;
    case sync::RecordFault::expired:
      return Errc::expired;
  }
  return Errc::internal;
}

// The record, its time over or not.
std::optional<sync::IpnsRecord> sound(const sync::IpnsName& name, ByteView bytes, UnixMillis now) {
  auto record = sync::verify_record(name, bytes, now);
  if (!record) return std::move(record.error().expired_record);
  return std::move(*record);
}

}  // namespace

Result<std::unique_ptr<RecordStore>> RecordStore::open(const std::filesystem::path& file,
                                                       uint64_t max_names,
                                                       std::set<sync::IpnsName> writers) {
  auto db = store::Database::open(file, {kRecordSchema});
  if (!db) return fail(db.error());
  uint64_t names = 0;
  {
    auto count = (*db)->prepare("SELECT count(*) FROM records");
    if (!count.step()) return fail(count.status().error());
    names = static_cast<uint64_t>(count.integer(0));
  }
  return std::unique_ptr<RecordStore>(
      new RecordStore(std::move(*db), names, max_names, std::move(writers)));
}

Result<Offered> RecordStore::offer(const sync::IpnsName& name, ByteView record, UnixMillis now,
                                   const Precondition& precondition) {
  if (!writers_.empty() && !writers_.contains(name))
    return fail(Errc::refused, "this node takes records of listed names only, and \"" +
                                   name.to_string() + "\" is not among them (node.writers)");
  const auto offered = sync::verify_record(name, record, now);
  if (!offered) {
    return fail(code_of(offered.error().fault),
                std::string(to_string(offered.error().fault)) + ": " + offered.error().message);
  }
  std::lock_guard lock(mutex_);
  auto known = read(name);
  if (!known) return fail(known.error());
  using Outcome = Offered::Outcome;
  if (*known && std::ranges::equal(**known, record)) return Offered{Outcome::known};
  const auto etag =
      *known ? std::optional(sync::gateway::record_etag(ByteView(**known))) : std::nullopt;
  if (!precondition.holds(etag)) return Offered{Outcome::unmet, std::move(*known)};
  if (*known) {
    const auto current = sound(name, **known, now);
    if (current) {
      const auto& ours = offered->fields();
      const auto& theirs = current->fields();
      if (ours.sequence == theirs.sequence && ours.value != theirs.value)
        return Offered{Outcome::rival, std::move(*known)};
      if (!sync::better(*offered, *current)) return Offered{Outcome::older, std::move(*known)};
    }
  }
  if (Status written = write(name, record, !*known); !written) return fail(written.error());
  return Offered{Outcome::stored};
}

Result<std::optional<sync::IpnsRecord>> RecordStore::get(const sync::IpnsName& name,
                                                         UnixMillis now) {
  Result<std::optional<Bytes>> bytes = std::nullopt;
  {
    std::lock_guard lock(mutex_);
    bytes = read(name);
  }
  if (!bytes) return fail(bytes.error());
  if (!*bytes) return std::nullopt;
  return sound(name, **bytes, now);
}

Result<std::optional<Bytes>> RecordStore::read(const sync::IpnsName& name) {
  auto select = db_->prepare("SELECT record FROM records WHERE name = ?");
  if (select.bind(ByteView(name.bytes())).step()) return select.blob(0);
  if (!select.status()) return fail(select.status().error());
  return std::nullopt;
}

Status RecordStore::write(const sync::IpnsName& name, ByteView record, bool is_new) {
  if (is_new && names_ >= max_names_) {
    return fail(Errc::busy, "the node holds as many names as it may");
  }
  const auto written = db_->prepare("INSERT OR REPLACE INTO records(name, record) VALUES(?, ?)")
                           .bind(ByteView(name.bytes()))
                           .bind(record)
                           .run();
  if (!written) return fail(written.error());
  if (is_new) ++names_;
  return {};
}

}  // namespace ipnscast::bridge
