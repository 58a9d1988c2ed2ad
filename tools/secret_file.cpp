#include "tools/secret_file.h"

#include "nostr/base/secret_file.h"

namespace ipnscast::tools {

std::optional<nostr::SecretKey> load_secret_key(Context& context, const std::string& path) {
  auto line = read_secret_line(path);
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
