#include "ipnscast/tools/watch/webhook_opening.h"

#include <cstdlib>

#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/tools/watch/webhook_signature.h"

namespace ipnscast::tools {
namespace {

// The secret never stands on the command line, which everybody on this machine can read.
Result<SecretText> webhook_secret(const std::string& file) {
  if (!file.empty()) {
    auto line = read_secret_file(file);
    if (!line) return fail(line.error().within("--webhook-secret-file"));
    return SecretText::take(*line);
  }
  const char* const variable = std::getenv("IPNSCAST_WEBHOOK_SECRET");
  if (variable == nullptr || *variable == '\0')
    return fail(Errc::invalid,
                "--webhook wants a secret, with which the receiver checks that we sent what "
                "arrives: give --webhook-secret-file FILE or IPNSCAST_WEBHOOK_SECRET (\"echo "
                "whsec_$(openssl rand -base64 32)\" makes one)");
  std::string text(variable);
  return SecretText::take(text);
}

}  // namespace

Result<std::unique_ptr<Webhook>> open_webhook(const WatchOptions& options,
                                              const std::string& ca_file) {
  if (options.webhook.empty()) return std::unique_ptr<Webhook>();
  const auto text = webhook_secret(options.webhook_secret_file);
  if (!text) return fail(text.error());
  auto secret = read_webhook_secret(*text);
  if (!secret) return fail(secret.error());
  return Webhook::open({options.webhook, std::move(*secret), options.webhook_http, ca_file});
}

}  // namespace ipnscast::tools
