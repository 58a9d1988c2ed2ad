#include "ipnscast/tools/usage/help.h"

#include <iostream>
#include <sstream>

#include "ipnscast/tools/usage/examples.h"
#include "ipnscast/tools/usage/usage.h"

namespace ipnscast::tools {
namespace {

// "key show"; empty for the program itself.
std::string path_below_program(const CLI::App& command) {
  const CLI::App* const above = command.get_parent();
  if (above == nullptr) return {};
  const std::string path = path_below_program(*above);
  return (path.empty() ? "" : path + " ") + command.get_name();
}

const CLI::App& program_of(const CLI::App& command) {
  const CLI::App* const above = command.get_parent();
  return above == nullptr ? command : program_of(*above);
}

class HelpPages final : public CLI::Formatter {
 public:
  HelpPages() {
    label("SUBCOMMAND", "COMMAND");
    label("SUBCOMMANDS", "COMMANDS");
    label("Positionals", "Arguments");
  }

  // Parts stand one empty line apart, whichever of them the installed CLI11 sets apart by itself.
  std::string make_help(const CLI::App* command, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::istringstream page(CLI::Formatter::make_help(command, std::move(name), mode));
    std::string out;
    char before = '\n';  // how the last line began
    for (std::string line; std::getline(page, line);) {
      const char first = line.empty() ? '\n' : line.front();
      if (before == ' ' && first != ' ' && first != '\n') out += '\n';
      if (before != '\n' || first != '\n') out += line + '\n';
      before = first;
    }
    return out;
  }

  std::string make_footer(const CLI::App* command) const override {
    if (command->get_parent() == nullptr)
      return "\"ipnscast help COMMAND\" says more, with examples.\n";
    const CLI::App& program = program_of(*command);
    const CLI::Option* const help = program.get_help_ptr();
    std::string out = make_group("Everywhere", false, program.get_options([help](const auto* one) {
      return one->nonpositional() && one != help;
    }));
    out += "\nExamples:\n";
    for (const std::string_view line : examples_of(path_below_program(*command)))
      out += "  ipnscast " + std::string(line) + "\n";
    return out;
  }
};

void show_help(Context& context, const CLI::App& program, const std::vector<std::string>& words) {
  const CLI::App* const command = find_command(program, words);
  if (command == nullptr) return report_usage(context, unknown_command(program, words));
  const std::string path = path_below_program(*command);
  const std::string name = program.get_name() + (path.empty() ? "" : " " + path);
  std::cout << command->get_formatter()->make_help(command, name, CLI::AppFormatMode::Normal);
}

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_pages() { return std::make_shared<HelpPages>(); }

void name_groups(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    command->group("Commands");
    name_groups(*command);
  }
}

void add_help(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand("help", "What a command does and takes");
  const auto words = std::make_shared<std::vector<std::string>>();
  command->add_option("command", *words, "Which one, such as publish or key import")
      ->type_name("COMMAND");
  command->callback([&context, &app, words] { show_help(context, app, *words); });
}

}  // namespace ipnscast::tools
