#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/reports/lost_rows.h"
#include "ipnscast/tools/reports/record_facts.h"
#include "ipnscast/tools/session/domain.h"
#include "ipnscast/tools/session/reading_client.h"
#include "ipnscast/tools/session/resolution.h"
#include "ipnscast/tools/session/target.h"

namespace ipnscast::tools {
namespace {

struct ResolveOptions {
  std::string target;
  bool accept = false;
  bool derived = false;
};

nlohmann::ordered_json source_facts(const sync::ResolveReport::Source& source) {
  nlohmann::ordered_json out = {
      {"url", source.url}, {"answer", source.answer}, {"ms", source.took.count()}};
  if (source.sequence) {
    out["sequence"] = std::to_string(source.sequence->value);
    out["value"] = source.value;
  }
  return out;
}

void print_json(const Context& context, const Place& place, const sync::ResolveReport& found,
                sync::ExpiredPolicy policy) {
  const auto record = record_of(found, policy);
  nlohmann::ordered_json out = {{"name", place.name->to_string()}, {"found", record.has_value()}};
  if (!place.dns.empty()) {
    out["dnslink"] = dnslink_json(place.dns);
    if (!place.path.empty()) out["path"] = place.path;
  }
  if (record) {
    const auto& fields = record->fields();
    out["value"] = fields.value;
    out["sequence"] = std::to_string(fields.sequence.value);
    out["validity"] = fields.eol.to_string();
    out["ttl_ns"] = nullptr;
    if (fields.ttl_ns) out["ttl_ns"] = std::to_string(*fields.ttl_ns);
    out["expired"] = record->expired(system_now().wall);
    out["rollback"] = found.rollback;
    if (found.other_value) out["other_value"] = *found.other_value;
    add_extra_facts(out, fields);
  }
  out["displaced"] = context.displaced;
  auto& sources = out["sources"] = nlohmann::ordered_json::array();
  for (const auto& source : found.sources) sources.push_back(source_facts(source));
  print_line(dump(out));
}

void print_human(const Place& place, const sync::ResolveReport& found, sync::ExpiredPolicy policy) {
  for (const std::string& row : dnslink_rows(place.dns)) print_line(row);
  print_line("name      " + place.name->to_string());
  if (!place.path.empty()) print_line("path      " + place.path);
  if (const auto record = record_of(found, policy)) {
    const auto& fields = record->fields();
    const bool expired = record->expired(system_now().wall);
    print_line("value     " + fields.value);
    print_line("sequence  " + std::to_string(fields.sequence.value));
    print_line("validity  " + fields.eol.to_string() + (expired ? "  (expired)" : ""));
    print_line("ttl       " +
               (fields.ttl_ns ? std::to_string(*fields.ttl_ns / 1'000'000'000) + " s" : "none"));
    print_extra_facts(fields);
  }
  for (const auto& source : found.sources) {
    std::string line = "source    " + source.url + "  " + source.answer;
    if (source.sequence) line += "  sequence " + std::to_string(source.sequence->value);
    print_line(line + "  " + std::to_string(source.took.count()) + " ms");
  }
}

// A domain that leads to content: that is all there is to know, and only DNS says so.
void print_content(const Context& context, const Place& place) {
  const std::string value =
      "/ipfs/" + place.root->to_string() + (place.path.empty() ? "" : "/" + place.path);
  if (context.json) {
    return print_line(dump({{"name", nullptr},
                            {"found", true},
                            {"dnslink", dnslink_json(place.dns)},
                            {"value", value},
                            {"signed", false},
                            {"sources", nlohmann::ordered_json::array()}}));
  }
  for (const std::string& row : dnslink_rows(place.dns)) print_line(row);
  print_line("value     " + value + "  (no record, no sequence: DNS alone says so)");
}

void resolve(Context& context, const ResolveOptions& options) {
  const auto session = Session::open(context);
  if (!session) return;
  auto config = session->sync_config();
  if (!config) return report(context, config.error());
  const TimeLimit limit(context);
  const Milliseconds listen = listen_time(*config);
  const auto place = resolve_place(*session, options.target, options.derived, limit.left(listen));
  if (!place) return report(context, place.error());
  if (!place->name) return print_content(context, *place);
  if (config->gateways.empty())
    return report_usage(
        context, "no gateway or node is configured: " + session->how_to_set("gateways.nodes"));
  const sync::ExpiredPolicy policy = config->expired;
  auto client = ReadingClient::open(std::move(*config));
  if (!client) return report(context, client.error());
  const auto found = (*client)->resolve(*place->name, limit.left(listen));
  say_lost(context, *place->name, client->lost(*place->name));
  if (!found) return report(context, found.error());
  context.json ? print_json(context, *place, *found, policy) : print_human(*place, *found, policy);
  if (!record_of(*found, policy)) report(context, nothing_found(*place->name, *found, policy));
  warn_of(*place->name, *found, policy);
  if (!options.accept) return;
  const auto record = record_of(*found, policy);
  if (!record) return;
  if (const Status taken = (*client)->take_in(*place->name, *record); !taken)
    report(context, taken.error());
}

}  // namespace

void add_resolve(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand(
      "resolve", "Ask every gateway and node for a name's record; verified, the best one wins");
  const auto options = std::make_shared<ResolveOptions>();
  command
      ->add_option("target", options->target,
                   "IPNS name, npub, naddr, domain (DNSLink), self or a key's label")
      ->type_name("TARGET")
      ->required();
  command->add_flag("--accept", options->accept,
                    "Note it as taken in: the next publish from here is made on it");
  command->add_flag("--derived", options->derived, "Of a Nostr key, the secp256k1 name");
  command->callback([&context, options] { resolve(context, *options); });
}

}  // namespace ipnscast::tools
