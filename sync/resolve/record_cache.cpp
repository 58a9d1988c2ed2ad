#include "ipnscast/sync/resolve/record_cache.h"

#include <algorithm>

namespace ipnscast::sync {

const IpnsRecord* RecordCache::fresh(const IpnsName& name, Now now) {
  const auto it = entries_.find(name);
  const bool hit = it != entries_.end() && it->second.record &&
                   now.steady < it->second.fresh_until && !it->second.record->expired(now.wall);
  ++(hit ? hits_ : misses_);
  return hit ? &*it->second.record : nullptr;
}

const IpnsRecord* RecordCache::known(const IpnsName& name) const {
  const auto it = entries_.find(name);
  return it != entries_.end() && it->second.record ? &*it->second.record : nullptr;
}

bool RecordCache::put(const IpnsName& name, const IpnsRecord& record, Now now) {
  Entry& mine = entry(name);
  if (mine.record && better(*mine.record, record)) return false;
  if (!mine.record || better(record, *mine.record)) mine.etags.clear();
  mine.record = record;
  mine.fresh_until = fresh_until(record, now);
  mine.missing_until.clear();
  return true;
}

void RecordCache::renew(const IpnsName& name, Now now) {
  const auto it = entries_.find(name);
  if (it != entries_.end() && it->second.record) {
    it->second.fresh_until = fresh_until(*it->second.record, now);
  }
}

void RecordCache::note_etag(const IpnsName& name, size_t source, std::string etag) {
  Entry& mine = entry(name);
  if (etag.empty()) {
    mine.etags.erase(source);
  } else {
    mine.etags[source] = std::move(etag);
  }
}

std::string RecordCache::etag(const IpnsName& name, size_t source) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) return {};
  const auto found = it->second.etags.find(source);
  return found == it->second.etags.end() ? std::string() : found->second;
}

void RecordCache::note_missing(const IpnsName& name, size_t source, Now now) {
  Entry& mine = entry(name);
  mine.missing_until[source] = now.steady + options_.negative;
  mine.etags.erase(source);
}

bool RecordCache::missing(const IpnsName& name, size_t source, Now now) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) return false;
  const auto found = it->second.missing_until.find(source);
  return found != it->second.missing_until.end() && now.steady < found->second;
}

RecordCache::Entry& RecordCache::entry(const IpnsName& name) {
  const auto [it, fresh] = entries_.try_emplace(name);
  if (fresh) {
    order_.push_back(name);
    while (entries_.size() > options_.names || order_.size() > 2 * options_.names) {
      if (order_.front() != name) entries_.erase(order_.front());
      order_.pop_front();
    }
  }
  return it->second;
}

Instant RecordCache::fresh_until(const IpnsRecord& record, Now now) const {
  const auto ttl_ms = std::min<uint64_t>(record.cacheable_ns() / 1'000'000,
                                         static_cast<uint64_t>(options_.longest.count()));
  return now.steady + Milliseconds(ttl_ms);
}

}  // namespace ipnscast::sync
