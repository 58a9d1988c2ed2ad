#include "ipnscast/sync/source/push/push_words.h"

#include <algorithm>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/hint/flat_json.h"

namespace ipnscast::sync::push {
namespace {

using Json = nlohmann::json;

constexpr size_t kNamesInFrame = 100;
constexpr size_t kMaxText = 1024;  // of a name, a CID or a value
constexpr size_t kMaxFaultText = 200;

const std::string* first_text(const Json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const auto* text = text_member(object, key);
    if (text != nullptr && text->size() <= kMaxText) return text;
  }
  return nullptr;
}

Result<Json> read_object(std::string_view text) {
  if (text.size() > kMaxFrame) return fail(Errc::too_large, "push: too long");
  Json object = parse_flat(text);
  if (!object.is_object()) return fail(Errc::parse, "push: want a JSON object");
  return object;
}

Result<Update> update_of(const Json& object) {
  Update out;
  if (const auto* text = first_text(object, {"name", "ipnsName", "key"})) {
    const auto name = IpnsName::parse(*text);
    if (!name) return fail(name.error().within("push"));
    out.name = *name;
  }
  if (const auto* text = first_text(object, {"cid"})) {
    const auto cid = Cid::parse(*text);
    if (!cid) return fail(cid.error().within("push"));
    out.cid = cid->as_v1();
  } else if (const auto* value = first_text(object, {"value"})) {
    out.cid = root_of(*value);
  }
  const auto sequence = read_sequence(object);
  if (!sequence) return fail(sequence.error().within("push"));
  out.sequence = *sequence;
  if (const auto* text = text_member(object, "record")) {
    auto record = from_base64(*text, IpnsRecord::kMaxBytes);
    if (!record) return fail(record.error().within("push: record"));
    out.record = std::move(*record);
  }
  if (!out.cid && out.record.empty())
    return fail(Errc::parse, "push: an update with neither a CID nor a record");
  return out;
}

std::vector<std::string> frames(Dialect dialect, const std::string& verb,
                                const std::vector<IpnsName>& names) {
  std::vector<std::string> out;
  if (dialect == Dialect::one) {
    for (const IpnsName& name : names)
      out.push_back(Json{{"type", verb}, {"ipnsName", name.to_string()}}.dump());
    return out;
  }
  for (size_t at = 0; at < names.size(); at += kNamesInFrame) {
    Json list = Json::array();
    const size_t end = std::min(names.size(), at + kNamesInFrame);
    for (size_t i = at; i < end; ++i) list.push_back(names[i].to_string());
    out.push_back(Json{{"action", verb}, {"names", std::move(list)}}.dump());
  }
  return out;
}

}  // namespace

Result<Update> read_update(std::string_view json) {
  const auto object = read_object(json);
  if (!object) return fail(object.error());
  return update_of(*object);
}

Result<Word> read_word(std::string_view frame) {
  const auto object = read_object(frame);
  if (!object) return fail(object.error());
  const auto* type = text_member(*object, "type");
  if (type == nullptr ? object->contains("record") : *type == "update" || *type == "ipns-update") {
    auto update = update_of(*object);
    if (!update) return fail(update.error());
    return Word(std::move(*update));
  }
  if (type == nullptr) return Word(Other{});
  if (*type == "subscribed") return Word(Subscribed{});
  if (*type != "error") return Word(Other{});
  const auto* text = first_text(*object, {"message", "error", "reason"});
  return Word(Fault{text == nullptr ? std::string() : text->substr(0, kMaxFaultText)});
}

std::optional<SourceWord> news_of(const Update& update, const IpnsName& name, SourceId source,
                                  Now now) {
  if (!update.record.empty()) {
    const auto record = verify_record(name, update.record, now.wall);
    if (record) return RecordArrived{name, known_record(*record), std::move(source)};
  }
  if (!update.cid) return std::nullopt;
  News news{.name = name, .cid = *update.cid, .sequence = update.sequence};
  news.at_fault = !update.record.empty();
  news.source = std::move(source);
  return news;
}

std::vector<std::string> subscribe_frames(Dialect dialect, const std::vector<IpnsName>& names) {
  return frames(dialect, "subscribe", names);
}

std::vector<std::string> unsubscribe_frames(Dialect dialect, const std::vector<IpnsName>& names) {
  return frames(dialect, "unsubscribe", names);
}

}  // namespace ipnscast::sync::push
