#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/relay/publish_outcome.h"
#include "ipnscast/sync/gateway/gateway.h"

namespace ipnscast::sync::settings {

// One value as it stands in the file, or as it was made from a text of the environment or the
// command line.
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

// How a value is written.
enum class Form {
  flag,
  number,
  number_or_auto,
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
// As part of a sentence: "a time", "a list of relays".
std::string_view to_string(Form form);

// The value that a text means: an environment variable, an option of a command. Lists are divided
// by commas. Errc::invalid.
Result<Value> value_from_text(Form form, std::string_view text);
// As it is written in the file.
std::string to_toml(const Value& value);
// The same value with "***" for passwords in URLs, secrets of remote signers, and authorizations.
Value without_secrets(const Value& value);

// What a value says, where it is of the right form. Errc::invalid with what is wanted instead.
Result<bool> read_flag(const Value& value);
Result<int64_t> read_number(const Value& value);
Result<uint64_t> read_size(const Value& value);
Result<std::string> read_text(const Value& value);
Result<std::chrono::milliseconds> read_duration(const Value& value);
Result<std::vector<int>> read_numbers(const Value& value);
Result<std::vector<std::string>> read_texts(const Value& value);
Result<std::vector<Gateway>> read_gateways(const Value& value, int tier);
Result<nostr::Quorum> read_quorum(const Value& value);
// "5s" or "5s to 10m".
using Range = std::pair<std::chrono::milliseconds, std::chrono::milliseconds>;
Result<Range> read_range(const Value& value);

}  // namespace ipnscast::sync::settings
