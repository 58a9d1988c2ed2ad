#include "ipnscast/sync/source/news.h"

namespace ipnscast::sync {

News news_from(const Hint& hint, SourceId source, std::optional<KnownRecord> verified,
               bool bad_record) {
  return {.name = hint.name,
          .cid = hint.cid,
          .sequence = hint.sequence,
          .author = hint.author,
          .event_id = hint.event_id,
          .created_at = hint.created_at,
          .device_id = hint.device_id,
          .at_fault = hint.faults.any() || bad_record,
          .source = std::move(source),
          .record = std::move(verified)};
}

}  // namespace ipnscast::sync
