#include <memory>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"
#include "ipnscast/tools/reports/facts.h"
#include "ipnscast/tools/session/target_text.h"
#include "ipnscast/tools/usage/typed_value.h"

namespace ipnscast::tools {
namespace {

using sync::IpnsName;
using sync::KeyType;

// Any spelling of a name, its multihash in hex, or an npub, which stands for its secp256k1 name.
Result<IpnsName> parse_any(const std::string& text) {
  const std::string head = read_target_text(text).head;
  if (const auto decoded = nostr::decode_nip19(head)) {
    const auto* key = std::get_if<nostr::PublicKey>(&*decoded);
    if (key != nullptr) return IpnsName::from_nostr_key(key->view());
    return fail(Errc::invalid, "\"" + text + "\" is no npub, and no name: want one of these");
  }
  if (auto name = IpnsName::parse(head)) return name;
  const auto bytes = from_hex(head);
  auto from_hash = bytes ? IpnsName::from_multihash(*bytes) : fail(bytes.error());
  if (from_hash) return from_hash;
  if (auto mistake = known_mistake(text)) return fail(std::move(*mistake));
  return typed_name(text);
}

// A name that is a hash does not tell its key's type.
nlohmann::ordered_json type_of(const IpnsName& name) {
  const auto key = name.inline_key();
  if (!key) return nullptr;
  switch (key->type) {
    case KeyType::rsa:
      return "rsa";
    case KeyType::ed25519:
      return "ed25519";
    case KeyType::secp256k1:
      return "secp256k1";
    case KeyType::ecdsa:
      return "ecdsa";
  }
  return nullptr;
}

// Of the names that follow from a Nostr key.
nlohmann::ordered_json npub_of(const IpnsName& name) {
  const auto key = name.inline_key();
  if (!key || key->type != KeyType::secp256k1 || key->data.size() != 33) return nullptr;
  const ByteView x = ByteView(key->data).subspan(1);
  if (IpnsName::from_nostr_key(x) != name) return nullptr;
  return nostr::encode_npub(nostr::PublicKey::from(x));
}

void show_name(Context& context, const std::string& text) {
  const auto name = parse_any(text);
  if (!name) return report(context, {Errc::parse, name.error().message});
  print_facts(context, {{"k51", name->to_string()},
                        {"b58", name->base58()},
                        {"b32", name->base32()},
                        {"hex", to_hex(name->bytes())},
                        {"type", type_of(*name)},
                        {"npub", npub_of(*name)}});
}

}  // namespace

void add_name(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand("name", "Every form of an IPNS name");
  const auto text = std::make_shared<std::string>();
  command
      ->add_option("name", *text,
                   "A name in any encoding, with or without /ipns/; its multihash in hex; an npub")
      ->required();
  command->callback([&context, text] { show_name(context, *text); });
}

}  // namespace ipnscast::tools
