#include "ipnscast/tools/cli/secret_file.h"

#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/sync/keys/secret_line.h"
#include "ipnscast/tools/cli/password.h"

namespace ipnscast::tools {

Result<std::string> read_secret_line(const Context& context, const std::string& path) {
  auto line = read_secret_file(path);
  if (!line) return line;
  auto opened = sync::open_secret_line(*line, password_source(context), path);
  wipe_text(*line);
  return opened;
}

std::optional<nostr::SecretKey> load_secret_key(Context& context, const std::string& path) {
  auto line = read_secret_line(context, path);
  if (line) {
    auto key = nostr::SecretKey::parse(*line);
    wipe_text(*line);
    if (key) return std::move(*key);
    report(context, key.error().within(path));
  } else {
    report(context, line.error());
  }
  context.exit = Exit::usage;
  return std::nullopt;
}

}  // namespace ipnscast::tools
