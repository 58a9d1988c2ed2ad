#include "ipnscast/sync/hint/hint.h"

#include <algorithm>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/hint/flat_json.h"

namespace ipnscast::sync {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kHintPrefix = "ipns-sync-";
constexpr std::string_view kType = "ipns-sync";

uint64_t unsigned_member(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_unsigned() ? it->get<uint64_t>() : 0;
}

Result<Cid> read_cid(std::string_view text, const HintLimits& limits) {
  if (text.size() > limits.max_text) return fail(Errc::too_large, "cid: too long");
  return Cid::parse(text);
}

bool cid_tags_at_fault(const nostr::Event& event, const Cid& cid, const HintLimits& limits) {
  size_t seen = 0;
  for (const auto& tag : event.tags) {
    if (tag.empty() || tag[0] != "cid") continue;
    if (++seen > 1 || tag.size() < 2) return true;
    const auto other = read_cid(tag[1], limits);
    if (!other || other->as_v1() != cid.as_v1()) return true;
  }
  return false;
}

bool name_differs(const Json& content, const IpnsName& name, const HintLimits& limits) {
  const auto it = content.find("ipnsName");
  if (it == content.end()) return false;
  const auto* text = it->get_ptr<const std::string*>();
  if (text == nullptr || text->size() > limits.max_text) return true;
  const auto other = IpnsName::parse(*text);
  return !other || *other != name;
}

void read_optional_members(const Json& content, const HintLimits& limits, Hint& hint) {
  const uint64_t timestamp = unsigned_member(content, "timestamp");
  hint.timestamp.value = static_cast<int64_t>(std::min<uint64_t>(timestamp, INT64_MAX));
  hint.version = unsigned_member(content, "version");
  const auto* device = text_member(content, "deviceId");
  if (device == nullptr) device = text_member(content, "publisherPeerId");
  if (device != nullptr && device->size() <= limits.max_text) hint.device_id = *device;
  if (const auto* parent = text_member(content, "parent")) {
    if (const auto cid = read_cid(*parent, limits)) hint.parent = *cid;
  }
  const auto record = content.find("record");
  if (record == content.end() || record->is_null()) return;
  const auto* text = record->get_ptr<const std::string*>();
  auto bytes = text == nullptr ? Result<Bytes>(fail(Errc::parse, "record: want base64"))
                               : from_base64(*text, IpnsRecord::kMaxBytes);
  hint.faults.bad_record = !bytes;
  if (bytes) hint.record = std::move(*bytes);
}

Result<Json> read_content(std::string_view text, const HintLimits& limits) {
  if (text.size() > limits.max_content) return fail(Errc::too_large, "content: too long");
  Json content = parse_flat(text);
  if (!content.is_object()) return fail(Errc::parse, "content: want a JSON object");
  return content;
}

Result<Hint> read_hint(const nostr::Event& event, const IpnsName& name, const Json& content,
                       const HintLimits& limits) {
  const auto* type = text_member(content, "type");
  if (type == nullptr || *type != kType) return fail(Errc::mismatch, "type: want ipns-sync");
  const auto* cid_text = text_member(content, "cid");
  if (cid_text == nullptr) return fail(Errc::parse, "cid: missing");
  const auto cid = read_cid(*cid_text, limits);
  if (!cid) return fail(cid.error().within("cid"));
  const auto sequence = read_sequence(content);
  if (!sequence) return fail(sequence.error());

  Hint hint{.name = name,
            .cid = *cid,
            .sequence = *sequence,
            .record = {},
            .timestamp = {},
            .version = 0,
            .device_id = {},
            .parent = {},
            .author = event.pubkey,
            .event_id = event.id,
            .created_at = event.created_at,
            .kind = event.kind,
            .faults = {}};
  hint.faults.name_differs = name_differs(content, name, limits);
  hint.faults.cid_tags = cid_tags_at_fault(event, *cid, limits);
  read_optional_members(content, limits, hint);
  return hint;
}

}  // namespace

Result<Hint> parse_hint(const nostr::Event& event, const HintLimits& limits) {
  const auto d = event.tag("d");
  if (!d || !d->starts_with(kHintPrefix)) return fail(Errc::mismatch, "d: want ipns-sync-<name>");
  if (d->size() > limits.max_text) return fail(Errc::too_large, "d: too long");
  const auto name = IpnsName::parse(d->substr(kHintPrefix.size()));
  if (!name) return fail(name.error().within("d"));
  const auto content = read_content(event.content, limits);
  if (!content) return fail(content.error());
  return read_hint(event, *name, *content, limits);
}

Result<Hint> parse_hint_text(const nostr::Event& event, std::string_view text,
                             const HintLimits& limits) {
  const auto content = read_content(text, limits);
  if (!content) return fail(content.error());
  const auto* spelled = text_member(*content, "ipnsName");
  if (spelled == nullptr) return fail(Errc::parse, "ipnsName: missing");
  if (spelled->size() > limits.max_text) return fail(Errc::too_large, "ipnsName: too long");
  const auto name = IpnsName::parse(*spelled);
  if (!name) return fail(name.error().within("ipnsName"));
  return read_hint(event, *name, *content, limits);
}

std::optional<Sequence> claimed_sequence(const nostr::Event& event, const HintLimits& limits) {
  const auto content = read_content(event.content, limits);
  if (!content) return std::nullopt;
  const auto* type = text_member(*content, "type");
  const auto* cid = text_member(*content, "cid");
  if (type == nullptr || *type != kType || cid == nullptr || !read_cid(*cid, limits))
    return std::nullopt;
  return read_sequence(*content).value_or(std::nullopt);
}

std::string hint_d(const IpnsName& name) { return std::string(kHintPrefix) + name.to_string(); }

Result<std::string> make_hint_text(const HintDraft& draft) {
  if (draft.sequence.value > kMaxSequence) return fail(Errc::invalid, "sequence: beyond 2^63 - 1");
  if (draft.record.size() > IpnsRecord::kMaxBytes)
    return fail(Errc::invalid, "record: beyond 10 KiB");
  nlohmann::ordered_json content = {{"type", kType},
                                    {"ipnsName", draft.name.to_string()},
                                    {"cid", draft.cid.to_string()},
                                    {"sequence", std::to_string(draft.sequence.value)},
                                    {"timestamp", draft.timestamp.value},
                                    {"v", 1}};
  if (draft.version != 0) content["version"] = draft.version;
  if (!draft.device_id.empty()) content["deviceId"] = draft.device_id;
  if (draft.parent) content["parent"] = draft.parent->to_string();
  if (!draft.record.empty()) content["record"] = to_base64(draft.record);
  return content.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<nostr::UnsignedEvent> make_hint_event(const HintDraft& draft, UnixSeconds created_at) {
  auto content = make_hint_text(draft);
  if (!content) return fail(content.error());
  std::string topic = draft.topic;
  constexpr std::string_view kPlace = "{name}";
  if (const size_t at = topic.find(kPlace); at != std::string::npos)
    topic.replace(at, kPlace.size(), draft.name.to_string());
  return nostr::UnsignedEvent{.created_at = created_at,
                              .kind = draft.kind,
                              .tags = {{"d", hint_d(draft.name)},
                                       {"t", topic},
                                       {"cid", draft.cid.to_string()},
                                       {"seq", std::to_string(draft.sequence.value)}},
                              .content = std::move(*content)};
}

std::vector<nostr::Filter> hint_filters(const std::vector<IpnsName>& names,
                                        const std::vector<nostr::PublicKey>& authors,
                                        const std::vector<int>& kinds, bool compat,
                                        const HintFilterLimits& limits) {
  const size_t spellings = compat ? 3 : 1;
  const size_t results_per_name =
      spellings * std::max<size_t>(1, kinds.size()) * std::max<size_t>(1, authors.size());
  const size_t max_names = std::max<size_t>(1, limits.max_results / results_per_name);
  std::vector<nostr::Filter> filters;
  size_t in_filter = 0;
  size_t bytes = 0;
  for (const auto& name : names) {
    std::vector<std::string> spelled = {hint_d(name)};
    if (compat) {
      spelled.push_back(std::string(kHintPrefix) + name.base58());
      spelled.push_back(std::string(kHintPrefix) + name.base32());
    }
    size_t more = 0;
    for (const auto& d : spelled) more += d.size();
    if (filters.empty() || in_filter == max_names || bytes + more > limits.max_item_bytes) {
      auto& filter = filters.emplace_back();
      filter.authors = authors;
      filter.kinds = kinds;
      if (authors.empty()) filter.limit = limits.open_limit;
      in_filter = 0;
      bytes = 0;
    }
    auto& values = filters.back().tags['d'];
    values.insert(values.end(), spelled.begin(), spelled.end());
    ++in_filter;
    bytes += more;
  }
  return filters;
}

}  // namespace ipnscast::sync
