#include "ipnscast/nostr/nip/nip44.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tools/cli/command.h"
#include "ipnscast/tools/cli/secret_file.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kMaxPlaintext = 64 * 1024 * 1024;
constexpr size_t kMaxPayload = kMaxPlaintext / 3 * 4 + kMaxPlaintext / 4;

struct Nip44Options {
  std::string secret_file;
  std::string peer;
};

std::optional<nostr::ConversationKey> conversation(Context& context, const Nip44Options& options) {
  const auto key = load_secret_key(context, options.secret_file);
  if (!key) return std::nullopt;
  auto shared = nostr::parse_public_key(options.peer).and_then([&](const nostr::PublicKey& peer) {
    return nostr::ConversationKey::between(*key, peer);
  });
  if (shared) return std::move(*shared);
  report_usage(context, "--peer \"" + options.peer +
                            "\" is not a public key: want 64 hex digits or npub1..., whole");
  return std::nullopt;
}

// One member of one object; text that is no UTF-8 is shown with replacement characters.
void print_json(const char* name, const std::string& text) {
  const nlohmann::json object = {{name, text}};
  print_line(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void encrypt(Context& context, const Nip44Options& options) {
  const auto key = conversation(context, options);
  if (!key) return;
  const auto payload = read_input("-", kMaxPlaintext).and_then([&](const std::string& plaintext) {
    return nostr::nip44_encrypt(*key, plaintext, kMaxPlaintext);
  });
  if (!payload) return report(context, payload.error());
  context.json ? print_json("payload", *payload) : print_line(*payload);
}

void decrypt(Context& context, const Nip44Options& options) {
  const auto key = conversation(context, options);
  if (!key) return;
  const auto plaintext = read_input("-", kMaxPayload).and_then([&](std::string payload) {
    payload.erase(payload.find_last_not_of(" \t\r\n") + 1);
    return nostr::nip44_decrypt(*key, payload, kMaxPlaintext);
  });
  if (!plaintext) return report(context, plaintext.error());
  if (context.json) return print_json("plaintext", *plaintext);
  std::fwrite(plaintext->data(), 1, plaintext->size(),
              stdout);  // byte for byte, no line feed added
}

void add_one(CLI::App& nip44, Context& context, const char* name, const char* help,
             void (*run)(Context&, const Nip44Options&)) {
  CLI::App* const command = nip44.add_subcommand(name, help);
  const auto options = std::make_shared<Nip44Options>();
  command
      ->add_option("--secret-file", options->secret_file,
                   "One line: 64 hex digits or nsec1; mode 0600")
      ->type_name("FILE")
      ->required();
  command->add_option("--peer", options->peer, "The other public key: 64 hex digits or npub1")
      ->type_name("HEX")
      ->required();
  command->callback([&context, options, run] { run(context, *options); });
}

}  // namespace

void add_nip44(CLI::App& app, Context& context) {
  CLI::App* const nip44 =
      app.add_subcommand("nip44", "Encrypt and decrypt between two keys (NIP-44 version 2)");
  nip44->require_subcommand(1);
  add_one(*nip44, context, "encrypt", "Text on standard input to a payload", encrypt);
  add_one(*nip44, context, "decrypt", "A payload on standard input to the text", decrypt);
}

}  // namespace ipnscast::tools
