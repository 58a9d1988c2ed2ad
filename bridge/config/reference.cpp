#include "ipnscast/bridge/config/reference.h"

#include <algorithm>
#include <string_view>

namespace ipnscast::bridge {
namespace {

constexpr size_t kColumns = 100;

// Ends with a full stop.
std::string sentence(std::string_view text) {
  std::string out(text);
  if (out.front() >= 'a' && out.front() <= 'z') out.front() = static_cast<char>(out.front() - 32);
  return out.ends_with('.') ? out : out + ".";
}

// As comments, broken at words; no character of a file's name ends one.
std::string comment(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, '?');
  std::string out;
  std::string line = "#";
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    if (line.size() + 1 + end > kColumns) {
      out += line + "\n";
      line = "#";
    }
    line += " " + std::string(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out + line + "\n";
}

std::string default_of(const Setting& setting) {
  return sync::settings::to_toml(setting.shown(Settings()));
}

}  // namespace

Shown shown(const Setting& setting, const Settings& settings) {
  const auto given = settings.given.find(setting.is.key);
  if (given == settings.given.end()) return {setting.shown(settings), {}};
  return {sync::settings::without_secrets(given->second.value), given->second.where};
}

std::string file_text(const Settings& settings) {
  std::string out;
  std::string_view section;
  for (const Setting& setting : settings_table()) {
    if (const auto own = section_of(setting.is.key); own != section) {
      out += (out.empty() ? "[" : "\n[") + std::string(own) + "]\n";
      section = own;
    }
    const auto [value, where] = shown(setting, settings);
    std::string about = sentence(setting.is.help) + " Takes " + setting.is.takes + ".";
    if (!where.empty()) about += " Default: " + default_of(setting) + ". Set by " + where + ".";
    out += comment(about);
    out += std::string(name_of(setting.is.key)) + " = " + sync::settings::to_toml(value) + "\n";
  }
  return out;
}

std::string explain(const Setting& setting, const Settings* settings) {
  std::string out = setting.is.key + "\n  " + sentence(setting.is.help) + "\n";
  const auto row = [&out](std::string_view name, const std::string& text) {
    std::string label(name);
    label.resize(10, ' ');
    out += "  " + label + text + "\n";
  };
  row("takes", setting.is.takes);
  row("default", default_of(setting));
  row("variable", variable_of(setting.is.key));
  if (settings == nullptr) return out;
  const auto [value, where] = shown(setting, *settings);
  row("now", sync::settings::to_toml(value));
  row("set by", where.empty() ? "nobody: that is the default" : where);
  return out;
}

}  // namespace ipnscast::bridge
