#include "ipnscast/nostr/event/filter.h"

#include "ipnscast/nostr/event/implied_d.h"
#include "ipnscast/nostr/event/json_text.h"

namespace ipnscast::nostr {
namespace {

template <typename T>
bool listed(const std::vector<T>& list, const T& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

bool has_tag(const Event& event, char name, const std::vector<std::string>& values) {
  const auto wanted = [&](std::string_view value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  };
  return std::any_of(event.tags.begin(), event.tags.end(),
                     [&](const Tag& tag) {
                       return tag.size() >= 2 && tag[0].size() == 1 && tag[0][0] == name &&
                              wanted(tag[1]);
                     }) ||
         (name == 'd' && implies_empty_d(event) && wanted(""));
}

// Writes the members of one object, commas between them.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }

  std::string& next(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    append_json_string(out_, name);
    out_ += ':';
    return out_;
  }

  template <typename List, typename Append>
  void list(std::string_view name, const List& values, Append append_one) {
    next(name) += '[';
    bool first = true;
    for (const auto& value : values) {
      if (!first) out_ += ',';
      first = false;
      append_one(value);
    }
    out_ += ']';
  }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace

bool matches(const Filter& filter, const Event& event) {
  if (!listed(filter.kinds, event.kind) || !listed(filter.authors, event.pubkey) ||
      !listed(filter.ids, event.id)) {
    return false;
  }
  if (filter.since && event.created_at < *filter.since) return false;
  if (filter.until && event.created_at > *filter.until) return false;
  return std::all_of(filter.tags.begin(), filter.tags.end(), [&](const auto& wanted) {
    return has_tag(event, wanted.first, wanted.second);
  });
}

bool matches_any(const std::vector<Filter>& filters, const Event& event) {
  return std::any_of(filters.begin(), filters.end(),
                     [&](const Filter& filter) { return matches(filter, event); });
}

std::string to_json(const Filter& filter) {
  std::string out;
  Members members(out);
  const auto append_hex = [&](const auto& value) { append_hex_string(out, value.view()); };
  const auto append_text = [&](const std::string& value) { append_json_string(out, value); };
  if (!filter.ids.empty()) members.list("ids", filter.ids, append_hex);
  if (!filter.authors.empty()) members.list("authors", filter.authors, append_hex);
  if (!filter.kinds.empty())
    members.list("kinds", filter.kinds, [&](int kind) { append_number(out, kind); });
  for (const auto& [name, values] : filter.tags)
    members.list(std::string("#") + name, values, append_text);
  if (filter.since) append_number(members.next("since"), filter.since->value);
  if (filter.until) append_number(members.next("until"), filter.until->value);
  if (filter.limit) append_number(members.next("limit"), *filter.limit);
  out += '}';
  return out;
}

}  // namespace ipnscast::nostr
