#include "ipnscast/tools/cli/password.h"

#include <cstdlib>

#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/tools/cli/terminal.h"

namespace ipnscast::tools {
namespace {

// What --password-file or the environment gives; nothing when neither is set.
std::optional<Result<SecretText>> prepared(const std::string& file) {
  if (!file.empty()) {
    auto line = read_secret_file(file);
    if (!line) return fail(line.error().within("--password-file"));
    return SecretText::take(*line);
  }
  const char* const variable = std::getenv("IPNSCAST_PASSWORD");
  if (variable == nullptr || *variable == '\0') return std::nullopt;
  std::string text(variable);
  return SecretText::take(text);
}

Result<SecretText> from_terminal(const std::string& question, const std::string& what) {
  auto typed = ask_secret(question);
  if (typed || typed.error().code != Errc::not_found) return typed;
  return fail(Errc::refused, what +
                                 " is encrypted and there is no terminal to ask for its password: "
                                 "use --password-file FILE or IPNSCAST_PASSWORD");
}

}  // namespace

PasswordSource password_source(const Context& context) {
  return [file = context.password_file](const std::string& what) -> Result<SecretText> {
    if (auto given = prepared(file)) return std::move(*given);
    return from_terminal("Password of " + what + ": ", what);
  };
}

Result<SecretText> new_password(const Context& context, const std::string& what) {
  auto given = prepared(context.password_file);
  const bool typed = !given;
  if (typed) given = from_terminal("New password of " + what + ": ", what);
  if (!*given) return std::move(*given);
  if ((*given)->view().empty()) return fail(Errc::invalid, "password: empty");
  if (!typed) return std::move(*given);
  const auto again = from_terminal("Once more: ", what);
  if (!again) return fail(again.error());
  if (again->view() != (*given)->view())
    return fail(Errc::mismatch, "the two passwords are not the same");
  return std::move(*given);
}

}  // namespace ipnscast::tools
