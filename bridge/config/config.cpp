#include "ipnscast/bridge/config/config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>

#include "ipnscast/bridge/config/settings_table.h"
#include "ipnscast/bridge/config/suggestion.h"
#include "ipnscast/sync/config_check.h"

namespace ipnscast::bridge {
namespace {

using sync::settings::Value;

constexpr size_t kMaxFile = 16 * 1024 * 1024;

// Dates and floats are no value of any key and read as a table, which no key takes either.
Value value_of(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return {flag->get()};
  if (const auto* number = node.as_integer()) return {number->get()};
  if (const auto* text = node.as_string()) return {text->get()};
  if (const auto* list = node.as_array()) {
    Value::List out;
    for (const auto& item : *list) out.push_back(value_of(item));
    return {std::move(out)};
  }
  Value::Table out;
  if (const auto* table = node.as_table()) {
    for (const auto& [key, item] : *table) out.push_back({std::string(key.str()), value_of(item)});
  }
  return {std::move(out)};
}

bool known_section(std::string_view section) {
  const auto& rows = settings_table();
  return std::any_of(rows.begin(), rows.end(),
                     [&](const Setting& row) { return section_of(row.is.key) == section; });
}

// Puts settings in place, one source after the other.
class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  Status take_file(const toml::table& file) {
    for (const auto& [section_key, section_node] : file) {
      const std::string section(section_key.str());
      const auto* table = section_node.as_table();
      if (!known_section(section)) return unknown_section(section, section_node);
      if (table == nullptr) {
        return fail(Errc::invalid,
                    line_of(section_node) + section + " is a section: write [" + section + "]");
      }
      for (const auto& [name, node] : *table) {
        const std::string key = section + "." + std::string(name.str());
        const auto* setting = find_setting(key);
        if (setting == nullptr)
          return fail(Errc::invalid, line_of(node) + "unknown key " + key + suggest_key(key));
        if (auto done = apply(*setting, value_of(node), line_of(node) + key); !done) return done;
      }
    }
    return {};
  }

  Status take_environment(const Environment& environment) {
    if (auto named = check_names(environment); !named) return named;
    ++rank_;
    for (const Setting& setting : settings_table()) {
      const std::string name = variable_of(setting.is.key);
      const auto found = environment.find(name);
      if (found == environment.end()) continue;
      if (auto done = apply_text(setting, found->second, name); !done) return done;
    }
    return {};
  }

  Status take_flags(const Flags& flags) {
    ++rank_;
    for (const auto& [key, typed] : flags) {
      const auto* setting = find_setting(key);
      if (setting == nullptr) return fail(Errc::internal, typed.flag + ": sets no " + key);
      if (auto done = apply_text(*setting, typed.text, typed.flag); !done) return done;
    }
    return {};
  }

  // What no single key can say.
  Result<Settings> finish() {
    const auto fault = sync::find_fault(settings_.engine);
    if (fault) return fail(Errc::invalid, place_of(*fault) + ": " + fault->why);
    return std::move(settings_);
  }

  std::string line(size_t number) const {
    return (file_.empty() ? "" : file_ + ": ") + "line " + std::to_string(number) + ": ";
  }

 private:
  std::string line_of(const toml::node& node) const { return line(node.source().begin.line); }

  Status unknown_section(const std::string& section, const toml::node& node) const {
    if (node.as_table() == nullptr) {
      return fail(Errc::invalid, line_of(node) + "key " + section + " stands in no section" +
                                     suggest_key(section));
    }
    std::vector<std::string> known;
    for (const Setting& row : settings_table()) known.emplace_back(section_of(row.is.key));
    const std::string found = misspelt(section, known);
    return fail(Errc::invalid,
                line_of(node) + "unknown section [" + section + "]" +
                    (found.empty() ? suggest_key(section) : ": did you mean [" + found + "]?"));
  }

  Status apply(const Setting& setting, Value value, const std::string& where,
               const std::string& typed = {}) {
    if (auto stored = setting.store(settings_, value); !stored)
      return refused(stored.error(), where, typed);
    settings_.given[setting.is.key] = {where, std::move(value)};
    ranks_[setting.is.key] = rank_;
    return {};
  }

  Status apply_text(const Setting& setting, const std::string& text, const std::string& where) {
    auto value = sync::settings::value_from_text(setting.is.form, text);
    if (!value) return refused(value.error(), where, text);
    return apply(setting, std::move(*value), where, text);
  }

  // With what was typed, where the error does not show it itself.
  static tl::unexpected<Error> refused(const Error& error, const std::string& where,
                                       const std::string& typed) {
    Error out{Errc::invalid, error.message};
    const std::string quoted = "\"" + typed + "\"";
    const bool shown = error.message.find(quoted) != std::string::npos ||
                       error.message.ends_with(", not " + typed);
    if (!typed.empty() && !shown) out = out.within(quoted);
    return fail(out.within(where));
  }

  // Of the two settings that a fault may be about, the one that was set, or set last.
  std::string place_of(const sync::ConfigFault& fault) const {
    std::string best = key_of(fault.setting);
    const std::string other = key_of(fault.other);
    const auto rank = [this](const std::string& key) {
      const auto found = ranks_.find(key);
      return found == ranks_.end() ? -1 : found->second;
    };
    if (rank(other) > rank(best)) best = other;
    const auto found = settings_.given.find(best);
    return found == settings_.given.end() ? best : found->second.where;
  }

  const std::string file_;
  Settings settings_;
  int rank_ = 0;
  std::map<std::string, int> ranks_;  // of the sources that set a key, the highest
};

// The whole file, also one whose size nobody knows before it is read (/dev/null, a pipe).
Result<std::string> read_file(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored))
    return fail(Errc::io, "\"" + file.string() + "\" is a directory: want a configuration file");
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(Errc::io, "\"" + file.string() + "\" cannot be read");
  std::string text;
  for (std::vector<char> part(size_t{64} * 1024); in;) {
    in.read(part.data(), static_cast<std::streamsize>(part.size()));
    text.append(part.data(), static_cast<size_t>(in.gcount()));
    if (text.size() > kMaxFile)
      return fail(Errc::too_large, "\"" + file.string() + "\" is larger than 16 MiB");
  }
  if (in.bad()) return fail(Errc::io, "\"" + file.string() + "\" cannot be read");
  return text;
}

}  // namespace

Result<Settings> parse_settings(std::string_view toml, const Environment& environment,
                                const Flags& flags, const std::string& file) {
  Reader reader(file);
  try {
    if (auto done = reader.take_file(toml::parse(toml)); !done) return fail(done.error());
  } catch (const toml::parse_error& error) {
    return fail(Errc::parse,
                reader.line(error.source().begin.line) + std::string(error.description()));
  }
  if (auto done = reader.take_environment(environment); !done) return fail(done.error());
  if (auto done = reader.take_flags(flags); !done) return fail(done.error());
  return reader.finish();
}

Result<Settings> load_settings(const std::filesystem::path& file, bool required,
                               const Environment& environment, const Flags& flags) {
  std::error_code error;
  std::string text;
  if (std::filesystem::exists(file, error)) {
    auto read = read_file(file);
    if (!read) return fail(read.error());
    text = std::move(*read);
  } else if (required) {
    return fail(Errc::io, "\"" + file.string() +
                              "\": no such file; \"ipnscast config --defaults\" prints one to "
                              "begin with");
  }
  return parse_settings(text, environment, flags, file.string());
}

Result<std::filesystem::path> default_config_file(const Environment& environment) {
  const auto value = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  if (const auto base = value("XDG_CONFIG_HOME"); !base.empty())
    return std::filesystem::path(base) / "ipnscast" / "config.toml";
  if (const auto home = value("HOME"); !home.empty())
    return std::filesystem::path(home) / ".config" / "ipnscast" / "config.toml";
  return fail(Errc::invalid, "no home directory: give --config");
}

}  // namespace ipnscast::bridge
