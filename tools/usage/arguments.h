#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// Options whose values are looked at before the command begins, in words of ours: a wrong one is
// shown with what is wanted instead. What they fill in outlives the parsing.

struct WholeNumbers {
  uint64_t least = 0;
  uint64_t most = UINT64_MAX;
};
inline constexpr WholeNumbers kSequences{0, INT64_MAX};

// Errc::invalid with what is wanted.
Result<uint64_t> parse_whole_number(std::string_view text, WholeNumbers range);

// Ends the parsing with this word about an option: exit code 2.
[[noreturn]] void refuse_value(const std::string& option, const std::string& message);

// `target` is a number or an optional one.
template <typename T>
CLI::Option* add_number(CLI::App& command, const std::string& option, T& target, WholeNumbers range,
                        const std::string& help) {
  return command
      .add_option_function<std::string>(
          option,
          [&target, option, range](const std::string& text) {
            const auto number = parse_whole_number(text, range);
            if (!number) refuse_value(option, number.error().message);
            if constexpr (std::is_arithmetic_v<T>)
              target = static_cast<T>(*number);
            else
              target = static_cast<typename T::value_type>(*number);
          },
          help)
      ->type_name("N");
}

// One of these words.
CLI::Option* add_choice(CLI::App& command, const std::string& option, std::string& target,
                        const std::vector<std::string>& words, const std::string& help);

// A time as parse_duration() takes it, kept as it was typed.
CLI::Option* add_time(CLI::App& command, const std::string& option, std::string& target,
                      const std::string& help);

// Ends the parsing when an option or argument was given an empty value.
void check_no_empty_values(const CLI::App& app);

}  // namespace ipnscast::tools
