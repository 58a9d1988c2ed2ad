#include <charconv>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/bridge/config/quantity.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tools/cli/descriptor_limit.h"
#include "ipnscast/tools/cli/listen_address.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/session/relay_settings.h"
#include "ipnscast/tools/session/session.h"
#include "ipnscast/tools/usage/arguments.h"

namespace ipnscast::tools {
namespace {

constexpr uint64_t kMostClients = 1'000'000;

// As typed: what is unset comes from the configuration.
struct ServeOptions {
  std::optional<std::string> listen;
  std::optional<std::string> max_bytes;
  std::vector<std::string> writers;
  bool owner_private = false;
  std::vector<std::string> urls;
  std::string directory;
  std::optional<double> rate;
  std::optional<double> request_rate;
  std::optional<size_t> max_clients;
  std::optional<size_t> max_clients_per_address;
  std::optional<std::string> max_waiting;
};

Status override_size(const std::optional<std::string>& typed, std::string_view option,
                     uint64_t& size) {
  if (!typed) return {};
  const auto parsed = bridge::parse_size(*typed);
  if (!parsed)
    return fail(Errc::invalid,
                std::string(option) + " \"" + *typed + "\": " + parsed.error().message);
  size = *parsed;
  return {};
}

// What was typed is blamed by its option, not by the setting that it stands for.
Status check_typed(const ServeOptions& options) {
  if (options.listen) {
    if (const auto at = parse_listen_address(*options.listen); !at)
      return fail(at.error().within("--listen"));
  }
  for (const std::string& text : options.writers) {
    if (!nostr::parse_public_key(text))
      return fail(
          Errc::invalid,
          "--writers \"" + text + "\" is not a public key: want 64 hex digits or npub1..., whole");
  }
  for (const std::string& text : options.urls) {
    if (const auto url = nostr::RelayUrl::parse(text); !url)
      return fail(url.error().within("--url (relay.urls)"));
  }
  return {};
}

Status override_settings(const ServeOptions& options, bridge::EmbeddedRelaySettings& settings) {
  if (options.listen) settings.listen = *options.listen;
  if (!options.writers.empty()) settings.writers = options.writers;
  settings.owner_private = settings.owner_private || options.owner_private;
  if (!options.urls.empty()) settings.urls = options.urls;
  if (options.max_clients) settings.max_clients = *options.max_clients;
  if (Status done = override_size(options.max_bytes, "--max-bytes", settings.max_bytes); !done)
    return done;
  return override_size(options.max_waiting, "--max-waiting", settings.max_waiting);
}

Result<nostr::server::RelayServerOptions> server_options(const Session& session,
                                                         const ServeOptions& options) {
  if (Status good = check_typed(options); !good) return fail(good.error());
  bridge::EmbeddedRelaySettings settings = session.settings().relay;
  if (Status done = override_settings(options, settings); !done) return fail(done.error());
  nostr::server::RelayServerOptions out;
  if (Status filled = fill_relay_options(settings, out); !filled) return fail(filled.error());
  limit_rates(out.relay, options.rate.value_or(out.relay.events_per_second),
              options.request_rate.value_or(out.relay.requests_per_second));
  if (options.max_clients_per_address)
    out.max_connections_per_address = *options.max_clients_per_address;
  out.directory = options.directory;
  if (out.directory.empty()) out.directory = session.state_dir() / "relay";
  return out;
}

void serve(Context& context, const ServeOptions& options) {
  StopSignal stop;
  raise_descriptor_limit();
  const auto session = Session::open(context);
  if (!session) return;
  auto wanted = server_options(*session, options);
  if (!wanted) {
    report(context, wanted.error());
    context.exit = Exit::usage;
    return;
  }
  const std::string directory = wanted->directory.string();
  auto loop = nostr::net::Loop::start();
  if (!loop) return report(context, loop.error());
  const auto relay = nostr::server::RelayServer::start(**loop, std::move(*wanted));
  if (!relay) return report(context, relay.error());
  const nlohmann::ordered_json ready = {{"url", (*relay)->url()}, {"dir", directory}};
  print_line(context.json ? ready.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                          : "relay at " + (*relay)->url());
  if (!stop.wait(TimeLimit(context).left())) context.exit = Exit::deadline;
}

std::optional<double> parse_rate(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !std::isfinite(number) || number < 0) return std::nullopt;
  return number;
}

// A number that need not be whole.
void add_rate(CLI::App& serving, const std::string& option, std::optional<double>& target,
              const std::string& help) {
  const auto take = [option, &target](const std::string& text) {
    target = parse_rate(text);
    if (!target) refuse_value(option, "\"" + text + "\": want a number that is 0 or more");
  };
  serving.add_option_function<std::string>(option, take, help)->type_name("NUMBER");
}

void add_clients(CLI::App& serving, const std::string& option, std::optional<size_t>& target,
                 const std::string& help) {
  const auto take = [option, &target](const std::string& text) {
    const auto number = parse_whole_number(text, {0, kMostClients});
    if (!number)
      refuse_value(option, "\"" + text + "\": want a number that is 0 or more, without a fraction");
    target = *number;
  };
  serving.add_option_function<std::string>(option, take, help)->type_name("N");
}

void add_serve_options(CLI::App& serving, ServeOptions& options) {
  serving
      .add_option("--listen", options.listen,
                  "Address and port; port 0 takes a free one (relay.listen)")
      ->type_name("ADDRESS:PORT");
  serving
      .add_option("--dir", options.directory,
                  "Where events are kept (default: in the state directory)")
      ->type_name("DIR");
  serving
      .add_option("--max-bytes", options.max_bytes,
                  "Size of the store: a full one takes updates and deletions only "
                  "(relay.max_bytes)")
      ->type_name("SIZE");
  serving
      .add_option("--writers", options.writers,
                  "Keys that may publish, npub or hex; none: anybody (relay.writers)")
      ->type_name("KEY")
      ->delimiter(',');
  serving.add_flag("--owner-private", options.owner_private,
                   "Kind 30078 only from and for its author, by NIP-42 (relay.owner_private)");
  serving
      .add_option("--url", options.urls,
                  "What clients call the relay when that is no address of this machine (a proxy; "
                  "relay.urls)")
      ->type_name("URL");
  add_rate(serving, "--rate", options.rate,
           "Events a second that one client may publish; 0: no limit (relay.rate)");
  add_rate(serving, "--request-rate", options.request_rate,
           "REQ, COUNT and NEG-OPEN a second of one client; 0: no limit (relay.request_rate)");
  add_clients(serving, "--max-clients", options.max_clients,
              "Connections at a time (relay.max_clients)");
  add_clients(serving, "--max-clients-per-address", options.max_clients_per_address,
              "The same of one IP address; 0: no limit (relay.max_clients_per_address)");
  serving
      .add_option("--max-waiting", options.max_waiting,
                  "Answers that all clients have not taken yet: above it the slowest are closed "
                  "(relay.max_waiting)")
      ->type_name("SIZE");
}

}  // namespace

void add_relay(CLI::App& app, Context& context) {
  CLI::App* relay =
      app.add_subcommand("relay", "The embedded Nostr relay, and what other relays really do");
  relay->require_subcommand(1);
  const auto options = std::make_shared<ServeOptions>();
  CLI::App* serving = relay->add_subcommand("serve", "Runs the relay until Ctrl-C");
  add_serve_options(*serving, *options);
  serving->callback([&context, options] { serve(context, *options); });
  add_relay_probe(*relay, context);
}

}  // namespace ipnscast::tools
