#include <memory>
#include <nlohmann/json.hpp>

#include "nostr/base/hex.h"
#include "nostr/base/secret_file.h"
#include "nostr/nip19.h"
#include "sync/key_store.h"
#include "tools/command.h"
#include "tools/state_directory.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kMaxKeyFile = 64 * 1024;

struct Options {
  std::string label = "self";
  std::string secret_file;  // instead of a stored key
  std::string type = "nostr";
  std::string import_file;
  bool secret = false;  // print it
};

// One fact about a key: "npub", "npub1...". Names have their three spellings.
using Facts = nlohmann::ordered_json;

void add_name(Facts& out, const char* derivation, const Result<sync::IpnsKey>& key) {
  if (!key) return;
  const sync::IpnsName name = key->name();
  out[derivation] = {{"k51", name.to_string()}, {"b58", name.base58()}, {"b32", name.base32()}};
}

Facts facts_of(const Options& options, const sync::StoredKey& key) {
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

void print_facts(const Context& context, const Facts& facts) {
  if (context.json) return print_line(facts.dump());
  for (const auto& [name, value] : facts.items()) {
    std::string line = name;
    line.resize(std::max<size_t>(line.size(), 10), ' ');
    if (value.is_string()) {
      line += value.get<std::string>();
    } else {
      line += value["k51"].get<std::string>() + " " + value["b58"].get<std::string>();
    }
    print_line(line);
  }
}

Result<sync::KeyStore> store_of(const Context& context) {
  return state_directory(context).map(
      [](const std::filesystem::path& folder) { return sync::KeyStore(folder / "keys"); });
}

// The key that --secret-file or the label names.
Result<sync::StoredKey> load(const Context& context, const Options& options) {
  if (options.secret_file.empty()) {
    return store_of(context).and_then(
        [&](const sync::KeyStore& store) { return store.load(options.label); });
  }
  const auto type = sync::parse_key_type(options.type);
  if (!type) return fail(type.error());
  auto line = read_secret_line(options.secret_file);
  if (!line) return fail(std::move(line.error()));
  auto key = sync::StoredKey::from_text(*type, *line);
  wipe_text(*line);
  if (!key) return fail(key.error().within(options.secret_file));
  return key;
}

void keep(Context& context, const Options& options, Result<sync::StoredKey> key) {
  const Status kept = key.and_then([&](const sync::StoredKey& found) {
    return store_of(context).and_then(
        [&](const sync::KeyStore& store) { return store.add(options.label, found); });
  });
  if (!kept) return report(context, kept.error());
  print_facts(context, facts_of(options, *key));
}

void generate(Context& context, const Options& options) {
  keep(context, options, sync::parse_key_type(options.type).map(sync::StoredKey::generate));
}

void import_file(Context& context, const Options& options) {
  const auto type = sync::parse_key_type(options.type);
  if (!type) return report(context, type.error());
  auto file = read_input(options.import_file, kMaxKeyFile);
  if (!file) return report(context, file.error());
  auto key = sync::import_key(*file, *type);
  wipe_text(*file);
  keep(context, options, std::move(key));
}

void show(Context& context, const Options& options) {
  const auto key = load(context, options);
  if (!key) {
    report(context, key.error());
    // A secret file that cannot be used is a matter of usage; a label that nobody has is an answer.
    if (!options.secret_file.empty()) context.exit = Exit::usage;
    return;
  }
  print_facts(context, facts_of(options, *key));
}

// The IPNS names alone.
void derive(Context& context, const Options& options) {
  const auto key = load(context, options);
  if (!key) return show(context, options);
  Facts facts = facts_of(options, *key);
  if (!context.json) {
    for (const char* other : {"label", "type", "npub", "pubkey"}) facts.erase(other);
  }
  print_facts(context, facts);
}

void list(Context& context) {
  const auto store = store_of(context);
  if (!store) return report(context, store.error());
  const auto entries = store->list();
  if (!entries) return report(context, entries.error());
  Facts keys = Facts::array();
  for (const auto& entry : *entries) {
    Options options;
    options.label = entry.label;
    const auto key = store->load(entry.label);
    if (!key) return report(context, key.error());
    keys.push_back(facts_of(options, *key));
  }
  if (context.json) return print_line(Facts{{"keys", keys}}.dump());
  for (const auto& facts : keys) {
    const char* const name = facts.contains("ed25519") ? "ed25519" : "secp256k1";
    print_line(facts["label"].get<std::string>() + "  " + facts["type"].get<std::string>() + "  " +
               facts.value("npub", std::string("-")) + "  " +
               facts[name]["k51"].get<std::string>());
  }
}

CLI::App* add_one(CLI::App& key, Context& context, const char* name, const char* help,
                  void (*run)(Context&, const Options&), const std::shared_ptr<Options>& options) {
  CLI::App* const command = key.add_subcommand(name, help);
  command->callback([&context, run, options] { run(context, *options); });
  return command;
}

void add_label(CLI::App& command, Options& options) {
  command.add_option("label", options.label, "Which of our keys")->capture_default_str();
}

void add_type(CLI::App& command, Options& options, const char* help) {
  command.add_option("--type", options.type, help)
      ->check(CLI::IsMember({"nostr", "ed25519", "secp256k1"}))
      ->capture_default_str();
}

}  // namespace

void add_key(CLI::App& app, Context& context) {
  CLI::App* const key = app.add_subcommand("key", "Make, show and import our keys");
  key->require_subcommand(1);

  auto options = std::make_shared<Options>();
  CLI::App* command = add_one(*key, context, "generate", "A new key", generate, options);
  add_label(*command, *options);
  add_type(*command, *options, "What to make");

  options = std::make_shared<Options>();
  command = add_one(*key, context, "show", "A key's public side and its IPNS names", show, options);
  add_label(*command, *options);
  command->add_option("--secret-file", options->secret_file, "This key instead of a stored one")
      ->type_name("FILE");
  add_type(*command, *options, "What the secret file holds");
  command->add_flag("--secret", options->secret, "Print the secret as well");

  options = std::make_shared<Options>();
  command = add_one(*key, context, "derive", "The IPNS names of a key", derive, options);
  add_label(*command, *options);
  command->add_option("--secret-file", options->secret_file, "This key instead of a stored one")
      ->type_name("FILE");
  add_type(*command, *options, "What the secret file holds");

  key->add_subcommand("list", "All stored keys")->callback([&context] { list(context); });

  options = std::make_shared<Options>();
  command =
      add_one(*key, context, "import", "Take in a key of another program", import_file, options);
  command
      ->add_option("file", options->import_file,
                   "nsec, hex, libp2p protobuf or PEM; - for standard input")
      ->type_name("FILE")
      ->required();
  add_label(*command, *options);
  add_type(*command, *options, "What 64 hex digits mean");
}

}  // namespace ipnscast::tools
