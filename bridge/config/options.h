#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ipnscast/bridge/config/settings.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::bridge {

// One value as it stands in the file, or as it was made from the text of an environment variable.
struct Value {
  struct Member;  // a pair would have to be complete before Value is
  using List = std::vector<Value>;
  using Table = std::vector<Member>;
  std::variant<bool, int64_t, std::string, List, Table> data;
};

struct Value::Member {
  std::string key;
  Value value;
};

// What a key takes.
enum class Type {
  flag,
  number,
  text,
  choice,
  duration,
  range,
  size,
  numbers,
  texts,
  gateways,
  quorum
};
std::string_view to_string(Type type);

// One key of the configuration: the reference page, --help and --check-config are made from these.
struct Option {
  std::string_view section;
  std::string_view key;
  Type type = Type::text;
  std::string_view fallback;  // as one would write it in the environment; empty: unset
  std::string_view unit;      // of numbers; for choices the words, divided by '|'
  std::string_view help;
  // Stores a value of the right type. Errc::invalid with what is wanted instead.
  std::function<Status(Settings&, const Option&, const Value&)> apply;
  bool without_effect = false;  // nothing acts on it yet
};

// Every key there is, by section.
const std::vector<Option>& options();

// The value that a text means for this option: an environment variable, a fallback. Lists are
// divided by commas. Errc::parse.
Result<Value> value_from_text(const Option& option, std::string_view text);

// A quorum as it is typed: a number, "first", "all", or relays divided by commas. Errc::invalid.
Result<QuorumSetting> parse_quorum(std::string_view text);

}  // namespace ipnscast::bridge
