#include <memory>
#include <set>
#include <stop_token>

#include "ipnscast/nostr/net/stream/name_lookup.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/inspection/verdict.h"
#include "ipnscast/tools/cli/progress_line.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/reports/inspection_report.h"
#include "ipnscast/tools/reports/probe_tally.h"
#include "ipnscast/tools/session/resolution.h"
#include "ipnscast/tools/session/session.h"
#include "ipnscast/tools/usage/typed_value.h"

namespace ipnscast::tools {
namespace {

namespace inspection = sync::inspection;
using sync::gateway::Endpoint;

struct GatewayOptions {
  std::vector<std::string> urls;
  std::optional<std::string> cid;
  std::optional<std::string> name;
  bool write = false;
  bool read_only = false;
};

std::string host_of(const std::string& url) {
  const size_t start = url.find("://");
  const size_t host = start == std::string::npos ? 0 : start + 3;
  std::string out = url.substr(host, url.find('/', host) - host);
  if (const size_t at = out.rfind('@'); at != std::string::npos) out.erase(0, at + 1);
  if (out.starts_with('[')) return out.substr(1, out.find(']') - 1);
  return out.substr(0, out.find(':'));
}

// Those given, with the authorization that the configuration has for the same URL; else all that
// are configured. Errc::invalid.
Result<std::vector<Endpoint>> endpoints(const sync::Config& config,
                                        const std::vector<std::string>& urls) {
  std::vector<Endpoint> out;
  if (urls.empty()) {
    for (const sync::Gateway& gateway : config.gateways)
      out.push_back({gateway.url, gateway.authorization});
    return out;
  }
  for (const std::string& url : urls) {
    auto endpoint = sync::gateway::parse_endpoint(url);
    if (!endpoint) return fail(endpoint.error());
    for (const sync::Gateway& gateway : config.gateways) {
      if (gateway.url == endpoint->url && endpoint->authorization.empty())
        endpoint->authorization = gateway.authorization;
    }
    out.push_back(std::move(*endpoint));
  }
  return out;
}

// What is to be asked for. Errors are the arguments'.
Result<inspection::Options> what_to_ask(const GatewayOptions& options) {
  inspection::Options out;
  if (options.cid) {
    auto cid = typed_content(*options.cid);
    if (!cid) return fail(cid.error().within("--cid"));
    out.content = std::move(*cid);
  }
  if (options.name) {
    auto name = typed_name(*options.name);
    if (!name) return fail(name.error().within("--name"));
    out.name = std::move(*name);
  }
  return out;
}

void probe_gateway(Context& context, const GatewayOptions& options) {
  const TimeLimit limit(context);
  StopSignal stop;
  const auto session = Session::open(context);
  if (!session) return;
  const sync::Config& config = session->settings().engine;
  const auto given = endpoints(config, options.urls);
  if (!given) return report_usage(context, given.error().message);
  const std::vector<Endpoint>& targets = *given;
  if (targets.empty())
    return report_usage(context, "no gateway is given, and none is configured: name one, or " +
                                     session->how_to_set("gateways.nodes"));
  auto asking = what_to_ask(options);
  if (!asking) return report_usage(context, asking.error().message);
  sync::gateway::HttpClientOptions http_options;
  http_options.ca_file = config.access.ca_file;
  const auto http = sync::gateway::HttpClient::open(http_options);
  if (!http) return report(context, http.error());
  std::stop_source stopping;
  const OnStopSignal on_stop(stop, [&stopping] { stopping.request_stop(); });
  asking->stop = stopping.get_token();
  asking->end = limit.end();
  const auto over = [&limit] {
    return limit.end() && *limit.end() <= std::chrono::steady_clock::now();
  };

  ProgressLine line(context.json);
  // Written first everywhere: a gateway and the RPC of one node are two URLs.
  const inspection::Sample sample = inspection::make_sample(system_now().wall);
  std::vector<inspection::Writing> writings(targets.size());
  std::set<std::string> stored;
  for (size_t i = 0; i < targets.size() && !asking->stop.stop_requested(); ++i) {
    const bool wanted =
        options.write || nostr::net::NameLookup::is_loopback(host_of(targets[i].url));
    if (!wanted || options.read_only) continue;
    line.show("writing a sample to " + targets[i].url);
    writings[i] = inspection::write(**http, targets[i], sample, *asking);
    if (writings[i].stored) stored.insert(host_of(targets[i].url));
  }
  ProbeTally tally;
  for (size_t i = 0; i < targets.size() && !asking->stop.stop_requested(); ++i) {
    inspection::Options wanted = *asking;
    if (stored.contains(host_of(targets[i].url)) && !options.cid && !options.name)
      wanted.sample = &sample;
    line.show("asking " + targets[i].url);
    auto found = inspection::inspect(**http, targets[i], wanted);
    if (asking->stop.stop_requested()) break;
    if (over()) {
      line.clear();
      return report(context,
                    {Errc::timeout, targets[i].url + ": not all was asked within --timeout"});
    }
    if (!found.unreachable) found.findings.merge(writings[i].findings);
    found.requests += writings[i].requests;
    const auto verdict = inspection::judge(found);
    line.clear();
    print_inspection(context, found, verdict);
    tally.add(found.unreachable.has_value(), verdict.fit);
  }
  context.exit = asking->stop.stop_requested() ? Exit::interrupted : tally.exit();
}

}  // namespace

void add_gateway(CLI::App& app, Context& context) {
  CLI::App* const gateway = app.add_subcommand("gateway", "IPFS gateways, routers and nodes");
  gateway->require_subcommand(1);
  CLI::App* const command = gateway->add_subcommand(
      "probe",
      "What gateways, routers and nodes really do, in some fifteen requests each, one after the "
      "other, each within five seconds. Exit code 1: unfit as a source of what can be verified, "
      "3: unreachable");
  const auto options = std::make_shared<GatewayOptions>();
  command->add_option("url", options->urls, "Gateways (default: the configured ones)")
      ->type_name("URL");
  command->add_option("--cid", options->cid, "Content that they should have: a file, best of all")
      ->type_name("CID");
  command->add_option("--name", options->name, "A name of which they should have a record")
      ->type_name("NAME");
  CLI::Option* const write = command->add_flag(
      "--write", options->write,
      "Also write: 3 KiB, not pinned, and a record of a throw-away key that ends in ten minutes. "
      "On loopback that is done without being asked for");
  command->add_flag("--read-only", options->read_only, "Write nothing, not even on loopback")
      ->excludes(write);
  command->callback([&context, options] { probe_gateway(context, *options); });
}

}  // namespace ipnscast::tools
