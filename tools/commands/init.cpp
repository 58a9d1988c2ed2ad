#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/file/pending_file.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/password.h"
#include "ipnscast/tools/session/session.h"
#include "ipnscast/tools/session/state_directory.h"

namespace ipnscast::tools {
namespace {

// Where `ipnscast up` listens.
const std::vector<std::string> kLocalRelays = {"ws://127.0.0.1:7777"};
const std::vector<std::string> kLocalNodes = {"http://127.0.0.1:8081", "http://127.0.0.1:5002"};
// Written into the file only with --public; nothing in the program itself names a public server.
const std::vector<std::string> kPublicRelays = {"wss://relay.damus.io", "wss://nos.lol",
                                                "wss://relay.primal.net"};
const std::vector<std::string> kPublicGateways = {"https://trustless-gateway.link",
                                                  "https://delegated-ipfs.dev", "https://ipfs.io"};

struct InitOptions {
  bool public_servers = false;
  std::vector<std::string> relays;
  std::vector<std::string> nodes;
  std::string label = "self";
};

// A TOML array of strings. JSON's escapes are TOML's.
std::string list(const std::vector<std::string>& texts) {
  return dump(nlohmann::ordered_json(texts));
}

std::string config_text(const InitOptions& options) {
  const bool local = !options.public_servers;
  const auto relays = !options.relays.empty() ? options.relays
                      : local                 ? kLocalRelays
                                              : kPublicRelays;
  const auto nodes = options.nodes.empty() && local ? kLocalNodes : options.nodes;
  std::string out =
      "# What is not set here has its default: `ipnscast config` lists every key.\n[identity]\nkey "
      "= " +
      dump(nlohmann::ordered_json(options.label)) + "\n\n[relays]\nurls = " + list(relays) + "\n";
  if (relays == kLocalRelays) out += "# run by: ipnscast up\n";
  out +=
      "\n[gateways]\n# our own nodes: content and records are written there and read there first\n";
  out += "nodes = " + list(nodes) + "\n";
  if (options.public_servers) out += "public = " + list(kPublicGateways) + "\n";
  return out;
}

Status check(const InitOptions& options) {
  for (const std::string& relay : options.relays) {
    if (const auto url = nostr::RelayUrl::parse(relay); !url)
      return fail(Errc::invalid, "--relay: " + url.error().message);
  }
  for (const std::string& node : options.nodes) {
    if (!node.starts_with("http://") && !node.starts_with("https://"))
      return fail(Errc::invalid,
                  "--node \"" + node + "\": want a URL that begins with http:// or https://");
  }
  return {};
}

// A file that was not there before, whole or not at all.
Status write_new(const std::filesystem::path& path, const std::string& text) {
  std::error_code failed;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), failed);
  auto file = PendingFile::create(path, PendingFile::Over::nothing, 0600);
  if (!file) return fail(file.error());
  if (Status written = file->write(as_bytes(text)); !written) return written;
  return file->commit(true);
}

struct Identity {
  sync::StoredKey key;
  bool fresh = false;
};

// The key of this label; made when there is none.
Result<Identity> identity(const sync::KeyStore& keys, const std::string& label) {
  auto known = keys.load(label);
  if (known) return Identity{std::move(*known), false};
  if (known.error().code != Errc::not_found) return fail(known.error());
  auto key = sync::StoredKey::generate(sync::StoredKeyType::nostr);
  if (const Status added = keys.add(label, key); !added) return fail(added.error());
  return Identity{std::move(key), true};
}

void init(Context& context, const InitOptions& options) {
  if (const Status ok = check(options); !ok) return report(context, ok.error());
  const auto file = config_file(context);
  if (!file) return report(context, file.error());
  const auto state = state_directory(context);
  if (!state) return report(context, state.error());
  std::error_code ignored;
  if (std::filesystem::exists(*file, ignored))
    return report(
        context,
        {Errc::conflict,
         "\"" + file->string() +
             "\" exists already and is left as it is: edit it, or name another with --config"});
  const auto keys = new_keys_directory(context);
  if (!keys) return report(context, keys.error());
  const auto own = identity(sync::KeyStore(*keys, password_source(context)), options.label);
  if (!own) return report(context, own.error());
  if (const Status ok = write_new(*file, config_text(options)); !ok)
    return report(context, ok.error());
  nlohmann::ordered_json facts = {{"config", file->string()},
                                  {"state", state->string()},
                                  {"keys", keys->string()},
                                  {"key", options.label},
                                  {"new_key", own->fresh}};
  if (const auto key = own->key.nostr_key()) facts["npub"] = nostr::encode_npub(key->public_key());
  if (const auto key = own->key.ipns_key()) facts["name"] = key->name().to_string();
  if (context.json) return print_line(dump(facts));
  for (const auto& [name, value] : facts.items()) {
    if (!value.is_string()) continue;
    std::string line = name;
    line.resize(8, ' ');
    print_line(line + value.get<std::string>() +
               (name == "key" && !own->fresh ? " (it was there already and is used again)" : ""));
  }
}

}  // namespace

void add_init(CLI::App& app, Context& context) {
  CLI::App* const command =
      app.add_subcommand("init", "Write a configuration file and make an identity");
  const auto options = std::make_shared<InitOptions>();
  command->add_flag("--public", options->public_servers,
                    "Configure public relays and gateways instead of those of `ipnscast up`");
  command->add_option("--relay", options->relays, "Configure this relay; repeatable")
      ->type_name("URL")
      ->allow_extra_args(false);
  command->add_option("--node", options->nodes, "Configure this node of ours; repeatable")
      ->type_name("URL")
      ->allow_extra_args(false);
  command->add_option("--key", options->label, "The label of the key; made when there is none")
      ->capture_default_str();
  command->callback([&context, options] { init(context, *options); });
}

}  // namespace ipnscast::tools
