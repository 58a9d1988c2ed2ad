#include "ipnscast/sync/ipfs/ipld/dag_json.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_set>

#include "ipnscast/sync/ipfs/ipld/multibase.h"

namespace ipnscast::sync {
namespace {

// Takes the parser's events and builds the value, with bounds on depth and number.
class Builder {
 public:
  explicit Builder(const CborLimits& limits) : limits_(limits) {}

  bool null() { return add({std::monostate{}}); }
  bool boolean(bool value) { return add({value}); }
  bool number_integer(int64_t value) {
    if (value >= 0) return add({static_cast<uint64_t>(value)});
    return add({CborNegative{static_cast<uint64_t>(-(value + 1))}});
  }
  bool number_unsigned(uint64_t value) { return add({value}); }
  bool number_float(double value, const std::string& text) {
    if (text.find_first_of(".eE") == text.npos) return refuse("an integer beyond 64 bits");
    return add({value});
  }
  bool string(std::string& value) { return add({std::move(value)}); }
  bool binary(std::vector<uint8_t>&) { return refuse("binary"); }
  bool start_object(size_t) { return open({CborMap{}}); }
  bool start_array(size_t) { return open({CborList{}}); }
  bool key(std::string& key) {
    Level& top = levels_.back();
    if (!top.keys.insert(key).second) return refuse("the key '" + key + "' twice");
    top.key = std::move(key);
    return true;
  }
  bool end_array() { return close(); }
  bool end_object() { return read_reserved(levels_.back().value) && close(); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    return refuse("no JSON at byte " + std::to_string(position));
  }

  Result<CborValue> take() {
    if (!status_) return fail(status_.error());
    if (!result_) return fail(Errc::parse, "dag-json: nothing");
    return std::move(*result_);
  }

 private:
  struct Level {
    CborValue value;
    std::string key;  // of the member that comes next
    std::unordered_set<std::string> keys;
  };

  bool refuse(const std::string& what, Errc code = Errc::parse) {
    if (status_) status_ = fail(code, "dag-json: " + what);
    return false;
  }

  bool open(CborValue value) {
    if (levels_.size() >= limits_.depth) return refuse("nested too deeply", Errc::too_large);
    levels_.push_back({std::move(value), {}, {}});
    return true;
  }

  bool close() {
    CborValue value = std::move(levels_.back().value);
    levels_.pop_back();
    return add(std::move(value));
  }

  bool add(CborValue value) {
    if (++items_ > limits_.items) return refuse("too many items", Errc::too_large);
    if (levels_.empty()) {
      result_ = std::move(value);
      return true;
    }
    Level& top = levels_.back();
    if (auto* map = std::get_if<CborMap>(&top.value.value))
      map->push_back({std::move(top.key), std::move(value)});
    else
      std::get<CborList>(top.value.value).push_back(std::move(value));
    return true;
  }

  // The two forms of a map that mean something else.
  bool read_reserved(CborValue& value) {
    const auto& map = std::get<CborMap>(value.value);
    const CborValue* inner = find_member(map, "/");
    if (inner == nullptr) return true;
    const auto* text = inner->as<std::string>();
    const auto* nested = inner->as<CborMap>();
    const CborValue* bytes = nested != nullptr ? find_member(*nested, "bytes") : nullptr;
    if (bytes != nullptr) text = bytes->as<std::string>();
    if (text == nullptr) return true;
    if (map.size() != 1 || (nested != nullptr && nested->size() != 1))
      return refuse("members beside the reserved key '/'");
    if (nested == nullptr) {
      auto cid = Cid::parse(*text);
      if (!cid) return refuse(cid.error().message);
      value = {std::move(*cid)};
      return true;
    }
    auto decoded = base_decode(Base::base64, *text);
    if (!decoded) return refuse(decoded.error().message);
    value = {std::move(*decoded)};
    return true;
  }

  const CborLimits limits_;
  std::vector<Level> levels_;
  std::optional<CborValue> result_;
  size_t items_ = 0;
  Status status_;
};

void collect_links(const CborValue& value, std::vector<Cid>& out) {
  if (const auto* cid = value.as<Cid>()) out.push_back(*cid);
  if (const auto* list = value.as<CborList>()) {
    for (const CborValue& item : *list) collect_links(item, out);
  }
  if (const auto* map = value.as<CborMap>()) {
    for (const CborMember& member : *map) collect_links(member.value, out);
  }
}

}  // namespace

Result<CborValue> decode_dag_json(ByteView bytes, const CborLimits& limits) {
  Builder builder(limits);
  (void)nlohmann::json::sax_parse(as_text(bytes), &builder);
  return builder.take();
}

Result<std::vector<Cid>> dag_json_links(ByteView bytes, const CborLimits& limits) {
  const auto value = decode_dag_json(bytes, limits);
  if (!value) return fail(value.error());
  std::vector<Cid> out;
  collect_links(*value, out);
  return out;
}

}  // namespace ipnscast::sync
