#include "ipnscast/tools/usage/usage.h"

#include <algorithm>

#include "ipnscast/bridge/config/suggestion.h"

namespace ipnscast::tools {
namespace {

const CLI::App& called_command(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : called_command(*chosen.front());
}

std::string path_of(const CLI::App& command) {
  const CLI::App* const above = command.get_parent();
  return (above == nullptr ? "" : path_of(*above) + " ") + command.get_name();
}

// "ipnscast help key show".
std::string help_for(const CLI::App& command) {
  constexpr std::string_view kProgram = "ipnscast";
  std::string path = path_of(command);
  return "see " + path.insert(kProgram.size(), " help");
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    out.push_back(command->get_name());
  return out;
}

// Those that the command takes, with those that stand everywhere.
std::vector<const CLI::Option*> options_of(const CLI::App& command) {
  std::vector<const CLI::Option*> out;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) out.push_back(option);
  }
  return out;
}

// As a person calls it: "--output" or "TARGET".
std::string shown_name(const CLI::Option& option) {
  if (option.nonpositional()) return option.get_name();
  std::string out = option.get_name();
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

std::string with_value(const CLI::Option& option) {
  if (!option.nonpositional()) return shown_name(option);
  return shown_name(option) + " " + option.get_type_name();
}

std::string positionals_of(const CLI::App& command) {
  std::string out;
  for (const CLI::Option* option : command.get_options()) {
    if (option->nonpositional() || !option->get_positional()) continue;
    out += (out.empty() ? "" : " and ") + shown_name(*option);
  }
  return out.empty() ? "no argument" : out;
}

// `before` and `after` stand around the known word, when one is likely to be meant.
std::string perhaps_meant(const std::string& typed, const std::vector<std::string>& known,
                          const std::string& before, const std::string& after) {
  const std::string meant = bridge::misspelt(typed, known);
  return meant.empty() ? ": " : ": did you mean " + before + meant + after + "? ";
}

std::string unknown_option(const CLI::App& command, const std::string& word) {
  const std::string typed = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const CLI::Option* option : options_of(command)) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    for (const std::string& name : option->get_snames()) known.push_back("-" + name);
  }
  return "unknown option \"" + typed + "\"" + perhaps_meant(typed, known, "", "") +
         help_for(command);
}

std::string unplaced(const CLI::App& command, const std::string& word) {
  if (word.size() > 1 && word.starts_with('-')) return unknown_option(command, word);
  if (command.get_require_subcommand_min() > 0) return unknown_command(command, {word});
  return "\"" + word + "\" is one argument too many: \"" + path_of(command) + "\" takes " +
         positionals_of(command) + "; " + help_for(command);
}

std::string what_is_missing(const CLI::App& command) {
  if (command.get_require_subcommand_min() > 0) {
    if (command.get_parent() == nullptr)
      return "want a command, such as \"ipnscast watch NAME\": see ipnscast help";
    std::string names;
    for (const std::string& name : command_names(command))
      names += (names.empty() ? "" : ", ") + name;
    return "\"" + path_of(command) + "\" wants one of these behind it: " + names + "; " +
           help_for(command);
  }
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_required() || option->count() > 0) continue;
    return "\"" + path_of(command) + "\" wants " + with_value(*option) + ": " + help_for(command);
  }
  return "\"" + path_of(command) + "\" wants more: " + help_for(command);
}

// An option without its value, or with more of them than it takes.
std::string mismatched(const CLI::App& command, std::string_view name) {
  for (const CLI::Option* option : options_of(command)) {
    if (option->get_name() != name) continue;
    const size_t given = option->results().size();
    if (given > static_cast<size_t>(option->get_expected_max()))
      return "\"" + std::string(name) + "\" is given " + std::to_string(given) +
             " times: give it once";
    return "\"" + std::string(name) + "\" wants a value (" + option->get_type_name() +
           "): " + help_for(command);
  }
  return "an option without its value: " + help_for(command);
}

std::string exclusive(const CLI::App& command) {
  for (const CLI::Option* one : command.get_options()) {
    for (const CLI::Option* other : one->get_excludes()) {
      if (one->count() > 0 && other->count() > 0)
        return one->get_name() + " and " + other->get_name() +
               " exclude each other: give one of them";
    }
  }
  return "options that exclude each other: " + help_for(command);
}

// A switch that was given a value.
std::string not_a_switch(const CLI::App& command, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) continue;
    for (const CLI::Option* option : options_of(command)) {
      if (option->get_expected_max() == 0 && option->check_name(word.substr(0, equals)))
        return "\"" + word + "\": " + option->get_name() + " takes no value; " + help_for(command);
    }
  }
  return "a value that does not fit its option: " + help_for(command);
}

}  // namespace

bool names_no_command(const CLI::App& app) {
  const CLI::App& command = called_command(app);
  const auto left = app.remaining(true);
  return command.get_require_subcommand_min() > 0 &&
         std::any_of(left.begin(), left.end(),
                     [](const std::string& word) { return !word.starts_with('-'); });
}

const CLI::App* find_command(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* out = &app;
  for (const std::string& word : words) {
    const auto found =
        out->get_subcommands([&](const CLI::App* one) { return one->get_name() == word; });
    if (found.empty()) return nullptr;
    out = found.front();
  }
  return out;
}

std::string unknown_command(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* above = &app;
  for (const std::string& word : words) {
    const CLI::App* const inner = find_command(*above, {word});
    if (inner != nullptr) {
      above = inner;
      continue;
    }
    const auto names = command_names(*above);
    if (names.empty())
      return "\"" + path_of(*above) + "\" has no commands below it: " + help_for(*above);
    const std::string prefix = path_of(*above).substr(std::string_view("ipnscast").size());
    return "unknown command \"" + word + "\"" +
           perhaps_meant(word, names, "\"ipnscast" + prefix + " ", "\"") + help_for(*above);
  }
  return help_for(*above);
}

std::string usage_problem(const CLI::App& app, const CLI::ParseError& error,
                          const std::vector<std::string>& words) {
  const CLI::App& command = called_command(app);
  if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) return error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const std::string what = error.what();
    return mismatched(command, std::string_view(what).substr(0, what.find_first_of(": ")));
  }
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr)
    return not_a_switch(command, words);
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) return exclusive(command);
  if (const auto left = app.remaining(true); !left.empty()) {
    const auto option = std::find_if(left.begin(), left.end(), [](const std::string& word) {
      return word.size() > 1 && word.starts_with('-');
    });
    return unplaced(command, option != left.end() ? *option : left.front());
  }
  return what_is_missing(command);
}

}  // namespace ipnscast::tools
