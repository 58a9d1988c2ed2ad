#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/sync/keys/key_store.h"
#include "ipnscast/sync/keys/secret_line.h"
#include "ipnscast/tools/cli/password.h"
#include "ipnscast/tools/cli/secret_file.h"
#include "ipnscast/tools/session/state_directory.h"
#include "ipnscast/tools/usage/arguments.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kMaxKeyFile = 64 * 1024;

struct KeyOptions {
  std::string label = "self";
  std::string secret_file;  // instead of a stored key
  std::string type = "nostr";
  std::string import_file;
  bool secret = false;   // print it
  bool encrypt = false;  // a new key
  int log_n = nostr::kNip49LogN;
};

// One fact about a key: "npub", "npub1...". Names have their three spellings.
using Facts = nlohmann::ordered_json;

void add_name(Facts& out, const char* derivation, const Result<sync::IpnsKey>& key) {
  if (!key) return;
  const sync::IpnsName name = key->name();
  out[derivation] = {{"k51", name.to_string()}, {"b58", name.base58()}, {"b32", name.base32()}};
}

Facts facts_of(const KeyOptions& options, const sync::StoredKey& key) {
  Facts out;
  if (options.secret_file.empty()) out["label"] = options.label;
  out["type"] = to_string(key.type());
  if (const auto nostr_key = key.nostr_key()) {
    out["npub"] = nostr::encode_npub(nostr_key->public_key());
    out["pubkey"] = to_hex(nostr_key->public_key().view());
    add_name(out, "ed25519", key.ipns_key());
    add_name(out, "secp256k1", sync::IpnsKey::from_nostr_secret(key.secret_view()));
  } else {
    add_name(out, to_string(key.type()).data(), key.ipns_key());
  }
  if (options.secret) out["secret"] = key.to_line();
  return out;
}

void print_key_facts(const Context& context, const Facts& facts) {
  if (context.json) return print_line(facts.dump());
  for (const auto& [name, value] : facts.items()) {
    std::string line = name;
    line.resize(std::max<size_t>(line.size(), 10), ' ');
    if (value.is_boolean()) {
      line += value.get<bool>() ? "yes" : "no";
    } else if (value.is_string()) {
      line += value.get<std::string>();
    } else {
      line += value["k51"].get<std::string>() + " " + value["b58"].get<std::string>();
    }
    print_line(line);
  }
}

Result<sync::KeyStore> store_of(const Context& context) {
  return keys_directory(context).map([&](const std::filesystem::path& folder) {
    return sync::KeyStore(folder, password_source(context));
  });
}

// Of keys that are made or brought.
Result<sync::KeyStore> new_store_of(const Context& context) {
  return new_keys_directory(context).map([&](const std::filesystem::path& folder) {
    return sync::KeyStore(folder, password_source(context));
  });
}

// The key that --secret-file or the label names.
Result<sync::StoredKey> load(const Context& context, const KeyOptions& options) {
  if (options.secret_file.empty()) {
    return store_of(context).and_then(
        [&](const sync::KeyStore& store) { return store.load(options.label); });
  }
  const auto type = sync::parse_key_type(options.type);
  if (!type) return fail(type.error());
  auto line = read_secret_line(context, options.secret_file);
  if (!line) return fail(std::move(line.error()));
  auto key = sync::StoredKey::from_text(*type, *line);
  wipe_text(*line);
  if (!key) return fail(key.error().within(options.secret_file));
  return key;
}

std::string key_called(const std::string& label) { return "key \"" + label + "\""; }

// A new key: in the clear, or as text that is encrypted and stays so.
void keep(Context& context, const KeyOptions& options, const sync::StoredKey& key,
          const std::string& ncryptsec) {
  const Status kept = new_store_of(context).and_then([&](const sync::KeyStore& store) {
    return ncryptsec.empty() ? store.add(options.label, key)
                             : store.add_encrypted(options.label, key.type(), ncryptsec);
  });
  if (!kept) return report(context, kept.error());
  Facts facts = facts_of(options, key);
  if (!ncryptsec.empty()) facts["encrypted"] = true;
  print_key_facts(context, facts);
}

Result<std::string> encrypted(const Context& context, const KeyOptions& options,
                              const sync::StoredKey& key, const std::string& what,
                              nostr::KeySecurity security) {
  return new_password(context, what).and_then([&](const SecretText& password) {
    return nostr::nip49_encrypt(
        key.secret_view(), password.view(),
        {.log_n = static_cast<uint8_t>(options.log_n), .security = security});
  });
}

void generate(Context& context, const KeyOptions& options) {
  const auto key = sync::parse_key_type(options.type).map(sync::StoredKey::generate);
  if (!key) return report(context, key.error());
  std::string ncryptsec;
  if (options.encrypt) {
    // It never lay anywhere in the clear.
    auto text =
        encrypted(context, options, *key, key_called(options.label), nostr::KeySecurity::secure);
    if (!text) return report(context, text.error());
    ncryptsec = std::move(*text);
  }
  keep(context, options, *key, ncryptsec);
}

// White space at its ends gone, when the file is an encrypted key; else nothing.
std::string ncryptsec_in(std::string_view file) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = std::min(file.find_first_not_of(kSpace), file.size());
  file.remove_prefix(first);
  if (!nostr::is_ncryptsec(file)) return {};
  return std::string(file.substr(0, file.find_last_not_of(kSpace) + 1));
}

// A job that imports its key each time it runs has nothing to do but the first time.
bool is_kept(const sync::KeyStore& store, const std::string& label, const sync::StoredKey& key) {
  const auto encrypted_one = store.is_encrypted(label);
  if (!encrypted_one || *encrypted_one) return false;
  const auto kept = store.load(label);
  return kept && kept->type() == key.type() &&
         as_text(kept->secret_view()) == as_text(key.secret_view());
}

void import_file(Context& context, const KeyOptions& options) {
  const auto type = sync::parse_key_type(options.type);
  if (!type) return report(context, type.error());
  auto file = read_input(options.import_file, kMaxKeyFile);
  if (!file) return report(context, file.error());
  const std::string ncryptsec = ncryptsec_in(*file);
  if (!ncryptsec.empty()) {
    // Opened to see that it can be; kept as it came.
    auto opened = sync::open_secret_line(ncryptsec, password_source(context), options.import_file);
    if (!opened) return report(context, opened.error());
    *file = std::move(*opened);
  }
  const auto key = sync::import_key(*file, *type);
  wipe_text(*file);
  if (!key) return report(context, key.error().within("\"" + options.import_file + "\""));
  const auto store = new_store_of(context);
  if (store && is_kept(*store, options.label, *key))
    return print_key_facts(context, facts_of(options, *key));
  keep(context, options, *key, ncryptsec);
}

void show(Context& context, const KeyOptions& options) {
  const auto key = load(context, options);
  if (!key) {
    report(context, key.error());
    // A secret file that cannot be used is a matter of usage; a label that nobody has is an answer.
    if (!options.secret_file.empty()) context.exit = Exit::usage;
    return;
  }
  print_key_facts(context, facts_of(options, *key));
}

// The IPNS names alone.
void derive(Context& context, const KeyOptions& options) {
  const auto key = load(context, options);
  if (!key) return show(context, options);
  Facts facts = facts_of(options, *key);
  if (!context.json) {
    for (const char* other : {"label", "type", "npub", "pubkey"}) facts.erase(other);
  }
  print_key_facts(context, facts);
}

// A stored key in the place of itself; with --secret-file the encrypted text is printed.
void encrypt(Context& context, const KeyOptions& options) {
  if (options.secret_file.empty()) {
    const auto done = store_of(context).and_then([&](const sync::KeyStore& store) -> Status {
      const auto already = store.is_encrypted(options.label);
      if (!already) return fail(already.error());
      if (*already)
        return fail(Errc::conflict, key_called(options.label) + " is encrypted already");
      return new_password(context, key_called(options.label))
          .and_then([&](const SecretText& password) {
            return store.encrypt(options.label, password.view(),
                                 static_cast<uint8_t>(options.log_n));
          });
    });
    if (!done) return report(context, done.error());
    return print_key_facts(context, {{"label", options.label}, {"encrypted", true}});
  }
  const auto key = load(context, options);
  if (!key) return show(context, options);
  const auto text =
      encrypted(context, options, *key, options.secret_file, nostr::KeySecurity::insecure);
  if (!text) return report(context, text.error());
  if (context.json) return print_line(Facts{{"ncryptsec", *text}}.dump());
  print_line(*text);
}

void list(Context& context) {
  if (const Status there = check_state_is_there(context); !there)
    return report(context, there.error());
  const auto store = store_of(context);
  if (!store) return report(context, store.error());
  const auto entries = store->list();
  if (!entries) return report(context, entries.error());
  Facts keys = Facts::array();
  for (const auto& entry : *entries) {
    const auto closed = store->is_encrypted(entry.label);
    if (!closed) return report(context, closed.error());
    if (*closed) {  // nobody is asked for a password to see a list
      keys.push_back(
          {{"label", entry.label}, {"type", to_string(entry.type)}, {"encrypted", true}});
      continue;
    }
    KeyOptions options;
    options.label = entry.label;
    const auto key = store->load(entry.label);
    if (!key) return report(context, key.error());
    keys.push_back(facts_of(options, *key));
  }
  if (context.json) return print_line(Facts{{"keys", keys}}.dump());
  if (keys.empty()) print_line("no keys: \"ipnscast init\" makes one");
  for (const auto& facts : keys) {
    const char* const name = facts.contains("ed25519") ? "ed25519" : "secp256k1";
    print_line(facts["label"].get<std::string>() + "  " + facts["type"].get<std::string>() + "  " +
               (facts.contains(name) ? facts.value("npub", std::string("-")) + "  " +
                                           facts[name]["k51"].get<std::string>()
                                     : "encrypted"));
  }
}

CLI::App* add_one(CLI::App& key, Context& context, const char* name, const char* help,
                  void (*run)(Context&, const KeyOptions&),
                  const std::shared_ptr<KeyOptions>& options) {
  CLI::App* const command = key.add_subcommand(name, help);
  command->callback([&context, run, options] { run(context, *options); });
  return command;
}

void add_label(CLI::App& command, KeyOptions& options) {
  command.add_option("label", options.label, "Which of our keys")->capture_default_str();
}

void add_type(CLI::App& command, KeyOptions& options, const char* help) {
  add_choice(command, "--type", options.type, {"nostr", "ed25519", "secp256k1"}, help)
      ->default_str(options.type);
}

void add_log_n(CLI::App& command, KeyOptions& options) {
  add_number(command, "--log-n", options.log_n, {1, nostr::kNip49MaxLogN},
             "What guessing the password costs: 2^N KiB of memory, 16 is 64 MiB")
      ->default_str(std::to_string(options.log_n));
}

}  // namespace

void add_key(CLI::App& app, Context& context) {
  CLI::App* const key = app.add_subcommand("key", "Make, show and import our keys");
  key->require_subcommand(1);

  auto options = std::make_shared<KeyOptions>();
  CLI::App* command = add_one(*key, context, "generate", "A new key", generate, options);
  add_label(*command, *options);
  add_type(*command, *options, "What to make");
  command->add_flag("--encrypt", options->encrypt, "Keep it encrypted with a password (NIP-49)");
  add_log_n(*command, *options);

  options = std::make_shared<KeyOptions>();
  command = add_one(*key, context, "show", "A key's public side and its IPNS names", show, options);
  add_label(*command, *options);
  command->add_option("--secret-file", options->secret_file, "This key instead of a stored one")
      ->type_name("FILE");
  add_type(*command, *options, "What the secret file holds");
  command->add_flag("--secret", options->secret, "Print the secret as well");

  options = std::make_shared<KeyOptions>();
  command = add_one(*key, context, "derive", "The IPNS names of a key", derive, options);
  add_label(*command, *options);
  command->add_option("--secret-file", options->secret_file, "This key instead of a stored one")
      ->type_name("FILE");
  add_type(*command, *options, "What the secret file holds");

  key->add_subcommand("list", "All stored keys")->callback([&context] { list(context); });

  options = std::make_shared<KeyOptions>();
  command =
      add_one(*key, context, "import", "Take in a key of another program", import_file, options);
  command
      ->add_option("file", options->import_file,
                   "nsec, ncryptsec, hex, libp2p protobuf or PEM; - for standard input")
      ->type_name("FILE")
      ->required();
  add_label(*command, *options);
  add_type(*command, *options, "What 64 hex digits mean");

  options = std::make_shared<KeyOptions>();
  command = add_one(*key, context, "encrypt",
                    "Put a password on a stored key (NIP-49); old disks may still hold it in the "
                    "clear",
                    encrypt, options);
  add_label(*command, *options);
  command->add_option("--secret-file", options->secret_file, "Print this key encrypted instead")
      ->type_name("FILE");
  add_type(*command, *options, "What the secret file holds");
  add_log_n(*command, *options);
}

}  // namespace ipnscast::tools
