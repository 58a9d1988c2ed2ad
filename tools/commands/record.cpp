#include <algorithm>
#include <memory>

#include "ipnscast/nostr/base/file/pending_file.h"
#include "ipnscast/nostr/base/file/secret_file.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"
#include "ipnscast/sync/ipfs/ipld/utf8.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/tools/cli/secret_file.h"
#include "ipnscast/tools/reports/facts.h"
#include "ipnscast/tools/reports/record_facts.h"
#include "ipnscast/tools/usage/arguments.h"

namespace ipnscast::tools {
namespace {

using nlohmann::ordered_json;
using namespace ipnscast::sync;

constexpr size_t kMaxRecordFile = 1 << 20;

constexpr Milliseconds kUsualTtl{300'000};

struct CreateOptions {
  std::string secret_file;
  std::string type = "ed25519";
  bool derive = false;
  std::string value;
  uint64_t sequence = 0;
  std::string lifetime = "48h";
  std::string eol;
  std::string ttl;  // empty: 5m, or the lifetime when that is shorter
  bool v1 = false;
  std::vector<std::string> data;
  std::string output;
};

ordered_json key_type_name(KeyType type) {
  constexpr const char* kNames[] = {"rsa", "ed25519", "secp256k1", "ecdsa"};
  return kNames[static_cast<size_t>(type)];
}

Result<IpnsKey> key_from_line(const CreateOptions& options, const std::string& line) {
  if (options.type == "ed25519" && !options.derive) {
    auto seed = from_hex(line);
    if (!seed || seed->size() != 32) {
      return fail(Errc::invalid,
                  "it holds no 64 hex digits of an Ed25519 seed; a Nostr key wants --derive");
    }
    auto key = IpnsKey::from_bytes(KeyType::ed25519, *seed);
    wipe(*seed);
    return key;
  }
  const auto nostr_key = nostr::SecretKey::parse(line);
  if (!nostr_key)
    return fail(Errc::invalid, "it holds no Nostr key: want 64 hex digits or nsec1...");
  if (options.type == "ed25519") return IpnsKey::derive_ed25519(nostr_key->secret_view());
  return IpnsKey::from_nostr_secret(nostr_key->secret_view());
}

Result<IpnsKey> load_key(const Context& context, const CreateOptions& options) {
  if (options.derive && options.type != "ed25519") {
    return fail(Errc::invalid, "--derive makes Ed25519 keys, not \"" + options.type +
                                   "\": leave it out, that name is the Nostr key's own");
  }
  auto line = read_secret_line(context, options.secret_file);
  if (!line) return fail(Errc::invalid, line.error().message);
  auto key = key_from_line(options, *line);
  wipe_text(*line);
  if (!key) return fail(key.error().within("--secret-file \"" + options.secret_file + "\""));
  return key;
}

// Of a record that is made to be used; with --eol anything goes, for trying things out.
Status check_times(Milliseconds lifetime, Milliseconds ttl) {
  if (lifetime <= Milliseconds(0))
    return fail(Errc::invalid, "--lifetime \"0s\": want a record that is valid for some time");
  if (ttl > lifetime)
    return fail(Errc::invalid,
                "--ttl: a record may not be cached for longer than it is valid (--lifetime)");
  return {};
}

Result<Eol> end_of_life(const CreateOptions& options) {
  if (!options.eol.empty()) {
    auto eol = Eol::parse(options.eol);
    if (!eol)
      return fail(Errc::invalid, "--eol \"" + options.eol +
                                     "\" is no time in UTC: want one such as 2030-01-02T03:04:05Z");
    return eol;
  }
  const auto lifetime = parse_duration(options.lifetime);
  if (!lifetime) return fail(lifetime.error().within("--lifetime"));
  return Eol::after(system_now().wall, *lifetime);
}

Result<RecordOptions> record_options(const CreateOptions& options) {
  RecordOptions out;
  out.value = options.value;
  out.sequence = {options.sequence};
  out.v1 = options.v1;
  const auto eol = end_of_life(options);
  if (!eol) return fail(eol.error());
  out.eol = *eol;
  const auto lifetime = parse_duration(options.lifetime);
  Milliseconds ttl = lifetime ? std::min(kUsualTtl, *lifetime) : kUsualTtl;
  if (!options.ttl.empty()) {
    const auto given = parse_duration(options.ttl);
    if (!given) return fail(given.error().within("--ttl"));
    ttl = *given;
  }
  if (options.eol.empty()) {
    if (const Status good = check_times(lifetime.value_or(Milliseconds(0)), ttl); !good)
      return fail(good.error());
  }
  out.ttl = ttl;
  for (const std::string& pair : options.data) {
    const size_t equals = pair.find('=');
    if (equals == pair.npos || equals == 0 || !is_utf8(pair))
      return fail(Errc::invalid, "--data \"" + pair + "\": want NAME=VALUE in UTF-8");
    const bool added =
        out.extra.emplace(pair.substr(0, equals), encode_dag_cbor({pair.substr(equals + 1)}))
            .second;
    if (!added) return fail(Errc::invalid, "--data \"" + pair + "\": this name is given twice");
  }
  return out;
}

void create(Context& context, const CreateOptions& options) {
  if (!options.value.starts_with('/'))
    return report_usage(
        context, "--value \"" + options.value + "\" is not a path: want /ipfs/CID or /ipns/NAME");
  const auto key = load_key(context, options);
  if (!key) return report(context, key.error());
  const auto fields = record_options(options);
  if (!fields) return report(context, fields.error());
  const auto record = create_record(*key, *fields);
  if (!record) return report(context, record.error());
  const Status written = write_file(options.output, record->bytes());
  if (!written) return report(context, written.error());
  const std::string name = key->name().to_string();
  if (!context.json) return print_line(name);
  print_facts(context, {{"name", name},
                        {"value", record->fields().value},
                        {"sequence", std::to_string(options.sequence)},
                        {"validity", record->fields().eol.to_string()},
                        {"ttl_ns", std::to_string(fields->ttl.count())},
                        {"key_type", options.type},
                        {"bytes", record->bytes().size()}});
}

ordered_json answer(std::string_view reason, const ordered_json& name,
                    const std::optional<IpnsRecord::Fields>& fields, const ordered_json& key_type) {
  ordered_json out = {{"valid", reason.empty()}, {"reason", reason},    {"name", name},
                      {"value", nullptr},        {"sequence", nullptr}, {"validity", nullptr},
                      {"ttl_ns", nullptr},       {"key_type", key_type}};
  if (!fields) return out;
  out["value"] = fields->value;
  out["sequence"] = std::to_string(fields->sequence.value);
  out["validity"] = fields->eol.to_string();
  if (fields->ttl_ns) out["ttl_ns"] = std::to_string(*fields->ttl_ns);
  add_extra_facts(out, *fields);
  return out;
}

// What a refused record claims is shown too: it helps whoever has to find out what happened.
ordered_json inspect(const std::string& name_text, ByteView bytes) {
  const auto name = IpnsName::parse(name_text);
  if (!name) return answer("name", nullptr, peek_record(bytes), nullptr);
  const auto record = verify_record(*name, bytes, system_now().wall);
  if (record)
    return answer("", name->to_string(), record->fields(), key_type_name(record->key_type()));
  const RecordError& error = record.error();
  const auto key = name->inline_key();
  ordered_json key_type = key ? key_type_name(key->type) : ordered_json(nullptr);
  if (error.expired_record) key_type = key_type_name(error.expired_record->key_type());
  return answer(to_string(error.fault), name->to_string(), peek_record(bytes), key_type);
}

void run_inspect(Context& context, const std::string& name, const std::string& file) {
  const auto text = read_input(file, kMaxRecordFile);
  const bool is_huge = !text && text.error().code == Errc::too_large;
  if (!text && !is_huge) return report(context, text.error());
  // Beyond the bound it was not read, and is too large whatever it holds.
  const Bytes huge(is_huge ? IpnsRecord::kMaxBytes + 1 : 0);
  const ordered_json out = inspect(name, is_huge ? ByteView(huge) : as_bytes(*text));
  print_facts(context, out);
  context.exit = out["valid"].get<bool>() ? Exit::done : Exit::no;
}

void add_create(CLI::App& record, Context& context) {
  CLI::App* const command = record.add_subcommand("create", "Sign a record; prints its name");
  const auto options = std::make_shared<CreateOptions>();
  command
      ->add_option("--secret-file", options->secret_file,
                   "One line: 64 hex digits or nsec1; mode 0600")
      ->type_name("FILE")
      ->required();
  add_choice(*command, "--type", options->type, {"ed25519", "secp256k1"},
             "ed25519 (default) or secp256k1");
  command->add_flag("--derive", options->derive,
                    "The secret is a Nostr key: derive the Ed25519 key");
  command->add_option("--value", options->value, "/ipfs/... or /ipns/...")
      ->type_name("PATH")
      ->required();
  add_number(*command, "--sequence", options->sequence, kSequences, "Below 2^63")->required();
  CLI::Option* const lifetime =
      add_time(*command, "--lifetime", options->lifetime, "Valid for this long (48h)");
  command->add_option("--eol", options->eol, "Valid until this time, as 2030-01-02T03:04:05Z")
      ->type_name("TIME")
      ->excludes(lifetime);
  add_time(*command, "--ttl", options->ttl, "Caches may hold it for this long (5m)");
  command->add_flag("--v1", options->v1, "Also the legacy V1 fields and signature");
  command
      ->add_option("--data", options->data,
                   "Further signed data: name=text, the name best with a _")
      ->type_name("K=V");
  command->add_option("-o,--output", options->output, "Where the record goes")
      ->type_name("FILE")
      ->required();
  command->callback([&context, options] { create(context, *options); });
}

void add_inspect(CLI::App& record, Context& context) {
  CLI::App* const command =
      record.add_subcommand("inspect", "Verify a record; exit code 0 when it is valid, else 1");
  const auto name = std::make_shared<std::string>();
  const auto file = std::make_shared<std::string>();
  command->add_option("--name", *name, "The name whose record it has to be")
      ->type_name("NAME")
      ->required();
  command->add_option("file", *file, "The record; - for standard input")->required();
  command->callback([&context, name, file] { run_inspect(context, *name, *file); });
}

}  // namespace

void add_record(CLI::App& app, Context& context) {
  CLI::App* const record = app.add_subcommand("record", "Create and inspect IPNS records");
  record->require_subcommand(1);
  add_create(*record, context);
  add_inspect(*record, context);
}

}  // namespace ipnscast::tools
