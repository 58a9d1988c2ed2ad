#include "ipnscast/bridge/config/value.h"

#include <algorithm>
#include <charconv>

#include "ipnscast/bridge/config/quantity.h"

namespace ipnscast::bridge {
namespace {

constexpr size_t kMaxItems = 1'000'000;
constexpr std::string_view kQuorum = "a number, \"first\", \"all\" or a list of relays";

template <typename T>
const T* as(const Value& value) {
  return std::get_if<T>(&value.data);
}

Status wanted(std::string_view what) { return fail(Errc::invalid, "want " + std::string(what)); }

bool is_choice(std::string_view choices, std::string_view word) {
  while (!choices.empty()) {
    const size_t end = std::min(choices.find('|'), choices.size());
    if (choices.substr(0, end) == word) return true;
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  return false;
}

std::string_view trim(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(" \t") - start + 1);
}

std::vector<std::string_view> divided_by_commas(std::string_view text) {
  std::vector<std::string_view> out;
  while (!trim(text).empty()) {
    const size_t end = std::min(text.find(','), text.size());
    out.push_back(trim(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::optional<int64_t> integer(std::string_view text) {
  int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// Relays are told from words by their "://".
Value quorum_value(std::string_view text) {
  if (const auto number = integer(text)) return Value{*number};
  if (text.find("://") == std::string_view::npos) return Value{std::string(text)};
  Value::List list;
  for (const std::string_view item : divided_by_commas(text)) list.push_back({std::string(item)});
  return Value{std::move(list)};
}

Result<std::string> text_member(const Value& value, std::string_view key) {
  const auto* text = as<std::string>(value);
  if (text == nullptr) return fail(Errc::invalid, std::string(key) + ": want a text in quotes");
  return *text;
}

Result<GatewaySetting> gateway(const Option& option, const Value& value) {
  GatewaySetting out;
  if (const auto* url = as<std::string>(value)) {
    out.url = *url;
    return out;
  }
  const auto* table = as<Value::Table>(value);
  if (table == nullptr) return fail(Errc::invalid, "want URLs or {url, auth, only}");
  for (const auto& [key, member] : *table) {
    if (key == "only") {
      if (auto status = store(out.only, option, member); !status)
        return fail(status.error().within("only"));
    } else if (key == "url" || key == "auth") {
      auto text = text_member(member, key);
      if (!text) return fail(text.error());
      (key == "url" ? out.url : out.auth) = std::move(*text);
    } else {
      return fail(Errc::invalid, "unknown member \"" + key + "\": want url, auth or only");
    }
  }
  if (out.url.empty()) return fail(Errc::invalid, "a gateway without url");
  return out;
}

}  // namespace

Status store(bool& target, const Option&, const Value& value) {
  const auto* on = as<bool>(value);
  if (on == nullptr) return wanted("true or false");
  target = *on;
  return {};
}

Status store(uint64_t& target, const Option& option, const Value& value) {
  if (const auto* number = as<int64_t>(value)) {
    if (*number < 0) return wanted("a number that is not negative");
    target = static_cast<uint64_t>(*number);
    return {};
  }
  const auto* text = as<std::string>(value);
  if (option.type != Type::size || text == nullptr) return wanted("a number");
  const auto size = parse_size(*text);
  if (!size) return fail(size.error());
  target = *size;
  return {};
}

Status store(std::optional<int>& target, const Option&, const Value& value) {
  const auto* number = as<int64_t>(value);
  if (number == nullptr || *number < 0 || *number > 65'535)
    return wanted("a number from 0 to 65535");
  target = static_cast<int>(*number);
  return {};
}

Status store(std::string& target, const Option& option, const Value& value) {
  const auto* text = as<std::string>(value);
  if (text == nullptr) return wanted("a text in quotes");
  if (option.type == Type::choice && !is_choice(option.unit, *text)) {
    return fail(Errc::invalid,
                "want one of " + std::string(option.unit) + ", got \"" + *text + "\"");
  }
  target = *text;
  return {};
}

Status store(std::chrono::milliseconds& target, const Option&, const Value& value) {
  const auto* text = as<std::string>(value);
  if (text == nullptr) return wanted("a time in quotes, such as \"30s\"");
  const auto duration = parse_duration(*text);
  if (!duration) return fail(duration.error());
  target = *duration;
  return {};
}

Status store(std::vector<int>& target, const Option& option, const Value& value) {
  const auto* list = as<Value::List>(value);
  if (list == nullptr || list->size() > kMaxItems) return wanted("a list of numbers");
  std::vector<int> out;
  for (const auto& item : *list) {
    std::optional<int> number;
    if (auto status = store(number, option, item); !status) return status;
    out.push_back(*number);
  }
  target = std::move(out);
  return {};
}

Status store(std::vector<std::string>& target, const Option&, const Value& value) {
  const auto* list = as<Value::List>(value);
  if (list == nullptr || list->size() > kMaxItems) return wanted("a list of texts");
  std::vector<std::string> out;
  for (const auto& item : *list) {
    const auto* text = as<std::string>(item);
    if (text == nullptr) return wanted("a list of texts");
    out.push_back(*text);
  }
  target = std::move(out);
  return {};
}

Status store(std::vector<GatewaySetting>& target, const Option& option, const Value& value) {
  const auto* list = as<Value::List>(value);
  if (list == nullptr || list->size() > kMaxItems)
    return wanted("a list of URLs or of {url, auth, only}");
  std::vector<GatewaySetting> out;
  for (const auto& item : *list) {
    auto entry = gateway(option, item);
    if (!entry) return fail(entry.error());
    out.push_back(std::move(*entry));
  }
  target = std::move(out);
  return {};
}

Status store(QuorumSetting& target, const Option& option, const Value& value) {
  QuorumSetting out;
  if (const auto* number = as<int64_t>(value)) {
    if (*number < 0) return wanted("a number that is not negative");
    out.count = static_cast<size_t>(*number);
  } else if (const auto* list = as<Value::List>(value); list != nullptr && !list->empty()) {
    if (!store(out.named, option, value)) return wanted(kQuorum);
    out.count = 0;
  } else {
    const auto* text = as<std::string>(value);
    if (text == nullptr || (*text != "first" && *text != "all")) return wanted(kQuorum);
    out.all = *text == "all";
  }
  target = std::move(out);
  return {};
}

Status store_range(std::chrono::milliseconds& least, std::chrono::milliseconds& most,
                   const Value& value) {
  const auto* text = as<std::string>(value);
  if (text == nullptr) return wanted("a time or two, such as \"5s to 10m\"");
  constexpr std::string_view kTo = " to ";
  const size_t at = text->find(kTo);
  const auto first = parse_duration(trim(std::string_view(*text).substr(0, at)));
  if (!first) return fail(first.error());
  const auto last = at == std::string::npos
                        ? first
                        : parse_duration(trim(std::string_view(*text).substr(at + kTo.size())));
  if (!last) return fail(last.error());
  if (*last < *first) return wanted("the shorter time first");
  least = *first;
  most = *last;
  return {};
}

std::string_view to_string(Type type) {
  switch (type) {
    case Type::flag:
      return "true or false";
    case Type::number:
      return "number";
    case Type::text:
      return "text";
    case Type::choice:
      return "choice";
    case Type::duration:
      return "time";
    case Type::range:
      return "time to time";
    case Type::size:
      return "size";
    case Type::numbers:
      return "numbers";
    case Type::texts:
      return "texts";
    case Type::gateways:
      return "gateways";
    case Type::quorum:
      return "number, first, all or relays";
  }
  return "text";
}

Result<Value> value_from_text(const Option& option, std::string_view text) {
  switch (option.type) {
    case Type::quorum:
      return quorum_value(text);
    case Type::flag:
      if (text == "true" || text == "1") return Value{true};
      if (text == "false" || text == "0") return Value{false};
      return fail(Errc::parse, "want true or false");
    case Type::number:
      if (const auto number = integer(text)) return Value{*number};
      return fail(Errc::parse, "want a number");
    case Type::numbers:
    case Type::texts:
    case Type::gateways: {
      Value::List list;
      for (const std::string_view item : divided_by_commas(text)) {
        if (option.type != Type::numbers) {
          list.push_back({std::string(item)});
        } else if (const auto number = integer(item)) {
          list.push_back({*number});
        } else {
          return fail(Errc::parse, "want numbers divided by commas");
        }
      }
      return Value{std::move(list)};
    }
    case Type::text:
    case Type::choice:
    case Type::duration:
    case Type::range:
    case Type::size:
      break;
  }
  return Value{std::string(text)};
}

Result<QuorumSetting> parse_quorum(std::string_view text) {
  QuorumSetting out;
  if (auto status = store(out, Option{}, quorum_value(text)); !status) return fail(status.error());
  return out;
}

}  // namespace ipnscast::bridge
