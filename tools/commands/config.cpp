#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/bridge/config/reference.h"
#include "ipnscast/bridge/config/suggestion.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/session/session.h"

namespace ipnscast::tools {
namespace {

using nlohmann::ordered_json;
using sync::settings::Value;

struct ConfigOptions {
  bool defaults = false;
  bool check = false;
  std::string explain;
};

// Lines of ours, each of which may hold what strangers wrote.
void print_each(std::string_view lines) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    print_line(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

ordered_json json_of(const Value& value) {
  struct Convert {
    ordered_json operator()(const Value::List& list) const {
      auto out = ordered_json::array();
      for (const Value& item : list) out.push_back(json_of(item));
      return out;
    }
    ordered_json operator()(const Value::Table& table) const {
      auto out = ordered_json::object();
      for (const auto& [key, member] : table) out[key] = json_of(member);
      return out;
    }
    ordered_json operator()(bool on) const { return on; }
    ordered_json operator()(int64_t number) const { return number; }
    ordered_json operator()(const std::string& text) const { return text; }
  };
  return std::visit(Convert(), value.data);
}

// Without settings, what it is now is left out.
ordered_json facts(const bridge::Setting& setting, const bridge::Settings* settings) {
  ordered_json out = {{"help", setting.is.help},
                      {"takes", setting.is.takes},
                      {"default", json_of(setting.shown(bridge::Settings()))},
                      {"variable", bridge::variable_of(setting.is.key)}};
  if (settings == nullptr) return out;
  const auto [value, where] = bridge::shown(setting, *settings);
  out["value"] = json_of(value);
  out["set_by"] = where.empty() ? ordered_json() : ordered_json(where);
  return out;
}

// The settings that a person means: by the key, by the variable, or by a section's name.
std::vector<const bridge::Setting*> meant(const std::string& text) {
  std::vector<const bridge::Setting*> out;
  for (const bridge::Setting& setting : bridge::settings_table()) {
    const std::string_view section = bridge::section_of(setting.is.key);
    if (text == setting.is.key || text == bridge::variable_of(setting.is.key) || text == section ||
        text == "[" + std::string(section) + "]")
      out.push_back(&setting);
  }
  return out;
}

void explain(Context& context, const std::string& text, const Result<bridge::Settings>& settings) {
  const auto keys = meant(text);
  if (keys.empty())
    return report_usage(context, "unknown key \"" + text + "\"" + bridge::suggest_key(text));
  const bridge::Settings* const now = settings ? &*settings : nullptr;
  auto object = ordered_json::object();
  for (const bridge::Setting* key : keys) {
    object[key->is.key] = facts(*key, now);
    if (context.json) continue;
    print_each(bridge::explain(*key, now));
  }
  if (context.json) return print_line(dump(object));
  if (!settings) print_line("What it is now is unknown: " + settings.error().message);
}

void print_settings(const Context& context, const bridge::Settings& settings) {
  if (context.json) {
    auto object = ordered_json::object();
    for (const bridge::Setting& setting : bridge::settings_table())
      object[setting.is.key] = facts(setting, &settings);
    return print_line(dump(object));
  }
  print_each(bridge::file_text(settings));
}

// Where settings come from, and that they can be used.
void print_verdict(const Context& context, const bridge::Settings& settings,
                   const std::filesystem::path& file) {
  std::error_code ignored;
  const bool there = std::filesystem::exists(file, ignored);
  if (context.json) {
    auto given = ordered_json::object();
    for (const auto& [key, one] : settings.given) given[key] = one.where;
    return print_line(
        dump({{"valid", true}, {"file", file.string()}, {"exists", there}, {"set", given}}));
  }
  print_line("The configuration can be used: " + std::to_string(settings.given.size()) + " of " +
             std::to_string(bridge::settings_table().size()) + " settings are set.");
  print_line("file      " + file.string() + (there ? "" : "  (does not exist)"));
  for (const auto& [key, one] : settings.given)
    print_line("set       " + key + "  by " + one.where);
}

void run(Context& context, const ConfigOptions& options) {
  if (options.defaults) return print_settings(context, bridge::Settings());
  const auto file = config_file(context);
  const auto settings =
      file ? read_settings(context) : Result<bridge::Settings>(fail(file.error()));
  if (!options.explain.empty()) return explain(context, options.explain, settings);
  if (!settings) {
    report(context, settings.error());
    context.exit = Exit::usage;
  } else if (options.check) {
    print_verdict(context, *settings, *file);
  } else {
    print_settings(context, *settings);
  }
}

}  // namespace

void add_config(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand(
      "config", "Every setting: what it is, what it means, and where it was set");
  const auto options = std::make_shared<ConfigOptions>();
  CLI::Option* const defaults =
      command->add_flag("--defaults", options->defaults,
                        "A configuration file with every key at its default, to begin with");
  CLI::Option* const check = command->add_flag("--check", options->check,
                                               "Only say whether file and environment can be used");
  command->add_option("--explain", options->explain, "One key, or all of a section")
      ->type_name("KEY")
      ->excludes(defaults)
      ->excludes(check);
  check->excludes(defaults);
  command->callback([&context, options] { run(context, *options); });
}

}  // namespace ipnscast::tools
