#include <limits>
#include <set>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/json_document.h"

namespace ipnscast::nostr {
namespace {

using simdjson::dom::element;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class FilterReader {
 public:
  explicit FilterReader(const FilterLimits& limits) : items_left_(limits.max_items) {}

  Result<Filter> read(element value) {
    simdjson::dom::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS)
      return fail(Errc::parse, "filter: want an object");
    std::set<std::string_view> seen;
    for (const auto [key, member] : object) {
      if (!seen.insert(key).second) return fail(Errc::parse, "filter: a member stands there twice");
      if (auto ok = read_member(key, member); !ok) return fail(std::move(ok.error()));
    }
    return std::move(out_);
  }

 private:
  Status read_member(std::string_view key, element value) {
    if (key == "ids") return read_hex_list(key, value, out_.ids);
    if (key == "authors") return read_hex_list(key, value, out_.authors);
    if (key == "kinds") return read_kinds(value);
    if (key == "since") return read_time(key, value, out_.since);
    if (key == "until") return read_time(key, value, out_.until);
    if (key == "limit") return read_limit(value);
    if (key.size() == 2 && key[0] == '#' && is_letter(key[1])) return read_tag_list(key, value);
    return fail(Errc::unsupported, "filter: unknown member");
  }

  // Calls read_one for each item of a list that is not empty and within the bounds.
  template <typename ReadOne>
  Status read_list(std::string_view key, element value, ReadOne read_one) {
    simdjson::dom::array items;
    if (value.get_array().get(items) != simdjson::SUCCESS) return wrong(key, "want a list");
    size_t count = 0;
    for (const element item : items) {
      ++count;
      if (items_left_ == 0) return fail(Errc::too_large, "filter: too many items");
      --items_left_;
      if (!read_one(item)) return wrong(key, "an item of another form");
    }
    if (count == 0) return wrong(key, "the list is empty");
    return {};
  }

  template <typename Fixed>
  Status read_hex_list(std::string_view key, element value, std::vector<Fixed>& out) {
    return read_list(key, value, [&](element item) {
      const auto text = text_of(item);
      return text && read_lower_hex(*text, out.emplace_back().bytes);
    });
  }

  Status read_kinds(element value) {
    return read_list("kinds", value, [&](element item) {
      const auto kind = integer_of(item);
      if (!kind || *kind < 0 || *kind > 65535) return false;
      out_.kinds.push_back(static_cast<int>(*kind));
      return true;
    });
  }

  Status read_tag_list(std::string_view key, element value) {
    const char name = key[1];
    // These two hold ids and keys.
    const bool want_hex = name == 'e' || name == 'p';
    auto& out = out_.tags[name];
    return read_list(key, value, [&](element item) {
      const auto text = text_of(item);
      EventId unused;
      if (!text || (want_hex && !read_lower_hex(*text, unused.bytes))) return false;
      out.emplace_back(*text);
      return true;
    });
  }

  Status read_time(std::string_view key, element value, std::optional<UnixSeconds>& out) {
    const auto seconds = integer_of(value);
    if (!seconds) return wrong(key, "want an integer");
    out = UnixSeconds{*seconds};
    return {};
  }

  Status read_limit(element value) {
    const auto limit = integer_of(value);
    if (!limit || *limit < 0) return wrong("limit", "want an integer of 0 or more");
    constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
    out_.limit = static_cast<uint32_t>(std::min(*limit, kMost));
    return {};
  }

  static Status wrong(std::string_view key, std::string_view what) {
    return fail(Errc::parse, "filter: " + std::string(key) + ": " + std::string(what));
  }

  size_t items_left_;
  Filter out_;
};

}  // namespace

Result<Filter> read_filter(element value, const FilterLimits& limits) {
  return FilterReader(limits).read(value);
}

Result<Filter> parse_filter(std::string_view json, const FilterLimits& limits) {
  constexpr size_t kDepth = 4;
  if (json.size() > limits.max_bytes) return fail(Errc::too_large, "filter: too large");
  auto root = parse_json(json, kDepth);
  if (!root) return fail(std::move(root.error().error));
  return read_filter(*root, limits);
}

}  // namespace ipnscast::nostr
