#include "ipnscast/tools/cli/setting_option.h"

#include "ipnscast/bridge/config/settings_table.h"

namespace ipnscast::tools {
namespace {

using sync::settings::Form;

std::string type_name(const bridge::Setting& setting) {
  switch (setting.is.form) {
    case Form::duration:
      return "TIME";
    case Form::size:
      return "SIZE";
    case Form::number:
    case Form::number_or_auto:
      return "N";
    case Form::quorum:
      return "N|first|all|URL,...";
    default:
      return setting.is.takes.starts_with("ADDRESS") ? "ADDRESS:PORT" : "TEXT";
  }
}

}  // namespace

CLI::Option* add_setting(CLI::App& command, Context& context, const std::string& flag,
                         std::string_view key) {
  const bridge::Setting* const setting = bridge::find_setting(key);
  std::string help = std::string(setting->is.help) + " (" + setting->is.key + ")";
  if (help.front() >= 'a' && help.front() <= 'z')
    help.front() = static_cast<char>(help.front() - 'a' + 'A');
  const auto take = [&context, flag, setting](std::string text) {
    context.settings[setting->is.key] = {flag, std::move(text)};
  };
  if (setting->is.form == Form::flag)
    return command.add_flag_callback(
        flag, [take] { take("true"); }, help);
  if (setting->is.form == Form::texts) {
    const auto join = [take](const std::vector<std::string>& texts) {
      std::string all;
      for (const std::string& text : texts) all += (all.empty() ? "" : ",") + text;
      take(all);
    };
    return command.add_option_function<std::vector<std::string>>(flag, join, help)
        ->type_name(type_name(*setting))
        ->allow_extra_args(false);
  }
  return command.add_option_function<std::string>(flag, take, help)->type_name(type_name(*setting));
}

}  // namespace ipnscast::tools
