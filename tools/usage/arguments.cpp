#include "ipnscast/tools/usage/arguments.h"

#include <algorithm>
#include <charconv>

#include "ipnscast/tools/cli/command.h"

namespace ipnscast::tools {
namespace {

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return out;
}

bool is_blank_value(const std::string& value) {
  return value.find_first_not_of(" \t\r\n") == std::string::npos;
}

}  // namespace

Result<uint64_t> parse_whole_number(std::string_view text, WholeNumbers range) {
  uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failed == std::errc() && end == text.data() + text.size();
  if (whole && number >= range.least && number <= range.most) return number;
  const std::string from = std::to_string(range.least);
  return fail(Errc::invalid, "\"" + std::string(text) + "\": want a whole number from " + from +
                                 " to " + std::to_string(range.most));
}

void refuse_value(const std::string& option, const std::string& message) {
  throw CLI::ValidationError(option, message);
}

CLI::Option* add_choice(CLI::App& command, const std::string& option, std::string& target,
                        const std::vector<std::string>& words, const std::string& help) {
  return command
      .add_option_function<std::string>(
          option,
          [&target, option, words](const std::string& text) {
            if (std::find(words.begin(), words.end(), text) == words.end())
              refuse_value(option, "\"" + text + "\": want " + listed(words));
            target = text;
          },
          help)
      ->type_name("WORD");
}

CLI::Option* add_time(CLI::App& command, const std::string& option, std::string& target,
                      const std::string& help) {
  return command
      .add_option_function<std::string>(
          option,
          [&target, option](const std::string& text) {
            const auto time = parse_duration(text);
            if (!time) refuse_value(option, time.error().message);
            target = text;
          },
          help)
      ->type_name("TIME");
}

void check_no_empty_values(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const auto& values = option->results();
    if (option->get_expected_max() > 0 && std::any_of(values.begin(), values.end(), is_blank_value))
      refuse_value(option->get_name(),
                   "\"" + values.front() + "\" is empty: give it a value, or leave it out");
  }
  for (const CLI::App* command : app.get_subcommands()) check_no_empty_values(*command);
}

}  // namespace ipnscast::tools
