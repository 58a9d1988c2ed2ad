#include "ipnscast/sync/settings/value.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "ipnscast/nostr/base/text/blanks.h"
#include "ipnscast/sync/settings/quantity.h"

namespace ipnscast::sync::settings {
namespace {

constexpr size_t kMaxItems = 1'000'000;
constexpr int64_t kMaxKind = 65'535;
constexpr std::string_view kHidden = "***";

template <typename T>
const T* as(const Value& value) {
  return std::get_if<T>(&value.data);
}

tl::unexpected<Error> wanted(std::string_view what) {
  return fail(Errc::invalid, "want " + std::string(what));
}

std::vector<std::string_view> divided_by_commas(std::string_view text) {
  std::vector<std::string_view> out;
  while (!without_blanks(text).empty()) {
    const size_t end = std::min(text.find(','), text.size());
    out.push_back(without_blanks(text.substr(0, end)));
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

Value list_of(std::string_view text) {
  Value::List list;
  for (const std::string_view item : divided_by_commas(text)) list.push_back({std::string(item)});
  return {std::move(list)};
}

Result<std::string> text_member(const Value& value, std::string_view key) {
  const auto* text = as<std::string>(value);
  if (text == nullptr) return wanted("a text in quotes as " + std::string(key));
  return *text;
}

Result<gateway::Uses> read_uses(const Value& value) {
  const auto words = read_texts(value);
  if (!words) return fail(words.error().within("only"));
  if (words->empty()) return gateway::Uses{};
  gateway::Uses out{false, false, false};
  for (const std::string& word : *words) {
    if (word != "blocks" && word != "records" && word != "publish")
      return fail(Errc::invalid, "only: \"" + word + "\": want blocks, records or publish");
    (word == "blocks" ? out.blocks : word == "records" ? out.records : out.publish) = true;
  }
  return out;
}

Result<Gateway> read_gateway(const Value& value, int tier) {
  std::string url;
  std::string auth;
  gateway::Uses uses;
  if (const auto* text = as<std::string>(value)) {
    url = *text;
  } else if (const auto* table = as<Value::Table>(value)) {
    for (const auto& [key, member] : *table) {
      if (key == "only") {
        auto read = read_uses(member);
        if (!read) return fail(read.error());
        uses = *read;
      } else if (key == "url" || key == "auth") {
        auto word = text_member(member, key);
        if (!word) return fail(word.error());
        (key == "url" ? url : auth) = std::move(*word);
      } else {
        return fail(Errc::invalid, "unknown member \"" + key + "\": want url, auth or only");
      }
    }
    if (url.empty()) return fail(Errc::invalid, "a gateway without url");
  } else {
    return wanted("URLs or {url, auth, only}");
  }
  auto endpoint = gateway::parse_endpoint(url, auth);
  if (!endpoint) return fail(Errc::invalid, endpoint.error().message);
  return Gateway{std::move(endpoint->url), tier, std::move(endpoint->authorization), uses};
}

std::string toml_text(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      out += {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string hide_secrets(std::string text) {
  if (const size_t scheme = text.find("://"); scheme != text.npos) {
    const size_t host = scheme + 3;
    const size_t end = std::min(text.find_first_of("/?#", host), text.size());
    const size_t at = text.substr(0, end).rfind('@');
    if (at != text.npos && at > host) text.replace(host, at - host, kHidden);
  }
  constexpr std::string_view kSecret = "secret=";
  for (size_t at = text.find(kSecret); at != text.npos; at = text.find(kSecret, at)) {
    at += kSecret.size();
    text.replace(at, std::min(text.find('&', at), text.size()) - at, kHidden);
  }
  return text;
}

}  // namespace

std::string_view to_string(Form form) {
  switch (form) {
    case Form::flag:
      return "true or false";
    case Form::number:
      return "a number";
    case Form::number_or_auto:
      return "a number or \"auto\"";
    case Form::text:
    case Form::choice:
      return "a text";
    case Form::duration:
      return "a time";
    case Form::range:
      return "a time, or two as \"5s to 10m\"";
    case Form::size:
      return "a size";
    case Form::numbers:
      return "a list of numbers";
    case Form::texts:
      return "a list of texts";
    case Form::gateways:
      return "a list of URLs or of {url, auth, only}";
    case Form::quorum:
      return "a number, \"first\", \"all\" or a list of relays";
  }
  return "a text";
}

Result<Value> value_from_text(Form form, std::string_view text) {
  const auto number = integer(text);
  switch (form) {
    case Form::flag:
      if (text == "true" || text == "1") return Value{true};
      if (text == "false" || text == "0") return Value{false};
      return wanted(to_string(form));
    case Form::number:
      if (!number) return wanted(to_string(form));
      return Value{*number};
    case Form::number_or_auto:
      return number ? Value{*number} : Value{std::string(text)};
    case Form::quorum:  // relays are told from words by their "://"
      if (number) return Value{*number};
      if (text.find("://") == std::string_view::npos) break;
      return list_of(text);
    case Form::texts:
    case Form::gateways:
      return list_of(text);
    case Form::numbers: {
      Value::List list;
      for (const std::string_view item : divided_by_commas(text)) {
        const auto one = integer(item);
        if (!one) return wanted("numbers divided by commas");
        list.push_back({*one});
      }
      return Value{std::move(list)};
    }
    case Form::text:
    case Form::choice:
    case Form::duration:
    case Form::range:
    case Form::size:
      break;
  }
  return Value{std::string(text)};
}

std::string to_toml(const Value& value) {
  if (const auto* on = as<bool>(value)) return *on ? "true" : "false";
  if (const auto* number = as<int64_t>(value)) return std::to_string(*number);
  if (const auto* text = as<std::string>(value)) return toml_text(*text);
  std::string out;
  if (const auto* list = as<Value::List>(value)) {
    for (const Value& item : *list) out += (out.empty() ? "" : ", ") + to_toml(item);
    return "[" + out + "]";
  }
  for (const auto& [key, member] : *as<Value::Table>(value))
    out += (out.empty() ? "" : ", ") + key + " = " + to_toml(member);
  return "{" + out + "}";
}

Value without_secrets(const Value& value) {
  if (const auto* text = as<std::string>(value)) return {hide_secrets(*text)};
  if (const auto* list = as<Value::List>(value)) {
    Value::List out;
    for (const Value& item : *list) out.push_back(without_secrets(item));
    return {std::move(out)};
  }
  if (const auto* table = as<Value::Table>(value)) {
    Value::Table out;
    for (const auto& [key, member] : *table)
      out.push_back({key, key == "auth" ? Value{std::string(kHidden)} : without_secrets(member)});
    return {std::move(out)};
  }
  return value;
}

Result<bool> read_flag(const Value& value) {
  const auto* on = as<bool>(value);
  if (on == nullptr) return wanted(to_string(Form::flag));
  return *on;
}

Result<int64_t> read_number(const Value& value) {
  const auto* number = as<int64_t>(value);
  if (number == nullptr) return wanted("a number");
  return *number;
}

Result<uint64_t> read_size(const Value& value) {
  if (const auto* text = as<std::string>(value)) return parse_size(*text);
  const auto* number = as<int64_t>(value);
  if (number == nullptr || *number < 0) return wanted("a size such as \"1GiB\"");
  return static_cast<uint64_t>(*number);
}

Result<std::string> read_text(const Value& value) {
  const auto* text = as<std::string>(value);
  if (text == nullptr) return wanted("a text in quotes");
  return *text;
}

Result<std::chrono::milliseconds> read_duration(const Value& value) {
  const auto* text = as<std::string>(value);
  if (text == nullptr) return wanted("a time in quotes, such as \"30s\"");
  return parse_duration(*text);
}

Result<std::vector<int>> read_numbers(const Value& value) {
  const auto* list = as<Value::List>(value);
  if (list == nullptr || list->size() > kMaxItems) return wanted(to_string(Form::numbers));
  std::vector<int> out;
  for (const Value& item : *list) {
    const auto* number = as<int64_t>(item);
    if (number == nullptr || *number < 0 || *number > kMaxKind)
      return wanted("numbers from 0 to 65535");
    out.push_back(static_cast<int>(*number));
  }
  return out;
}

Result<std::vector<std::string>> read_texts(const Value& value) {
  const auto* list = as<Value::List>(value);
  if (list == nullptr || list->size() > kMaxItems) return wanted(to_string(Form::texts));
  std::vector<std::string> out;
  for (const Value& item : *list) {
    const auto* text = as<std::string>(item);
    if (text == nullptr) return wanted(to_string(Form::texts));
    out.push_back(*text);
  }
  return out;
}

Result<std::vector<Gateway>> read_gateways(const Value& value, int tier) {
  const auto* list = as<Value::List>(value);
  if (list == nullptr || list->size() > kMaxItems) return wanted(to_string(Form::gateways));
  std::vector<Gateway> out;
  for (const Value& item : *list) {
    auto one = read_gateway(item, tier);
    if (!one) return fail(one.error());
    out.push_back(std::move(*one));
  }
  return out;
}

Result<nostr::Quorum> read_quorum(const Value& value) {
  nostr::Quorum out;
  const auto* text = as<std::string>(value);
  if (const auto* number = as<int64_t>(value)) {
    if (*number < 0) return wanted("a number that is not negative");
    out.count = static_cast<size_t>(*number);
  } else if (text != nullptr && (*text == "first" || *text == "all")) {
    out.all = *text == "all";
  } else {
    const auto relays = read_texts(value);
    if (!relays || relays->empty()) return wanted(to_string(Form::quorum));
    out.count = 0;
    for (const std::string& relay : *relays) {
      auto url = nostr::RelayUrl::parse(relay);
      if (!url) return fail(url.error());
      out.named.push_back(std::move(*url));
    }
  }
  return out;
}

Result<Range> read_range(const Value& value) {
  const auto* text = as<std::string>(value);
  if (text == nullptr) return wanted(to_string(Form::range));
  constexpr std::string_view kTo = " to ";
  const size_t at = text->find(kTo);
  const auto first = parse_duration(without_blanks(std::string_view(*text).substr(0, at)));
  if (!first) return fail(first.error());
  const auto last =
      at == std::string::npos
          ? first
          : parse_duration(without_blanks(std::string_view(*text).substr(at + kTo.size())));
  if (!last) return fail(last.error());
  if (*last < *first) return wanted("the shorter time first");
  return Range{*first, *last};
}

}  // namespace ipnscast::sync::settings
