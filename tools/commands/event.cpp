#include <unistd.h>

#include <memory>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/event/check.h"
#include "ipnscast/nostr/nip/nip65.h"
#include "ipnscast/tools/cli/line_reader.h"
#include "ipnscast/tools/cli/secret_file.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/session/session.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kMaxJudgedEvent = 1024 * 1024;
constexpr Milliseconds kSignDeadline{60'000};  // a person may have to agree at a remote signer
// Within that size everything goes: a local file is no relay.
constexpr nostr::EventLimits kLimits{.max_bytes = kMaxJudgedEvent,
                                     .max_tags = kMaxJudgedEvent,
                                     .max_tag_items = kMaxJudgedEvent,
                                     .max_depth = 1024};

void sign(Context& context, const std::string& secret_file) {
  const auto key = load_secret_key(context, secret_file);
  if (!key) return;
  const auto text = read_input("-", kMaxJudgedEvent);
  if (!text) return report(context, text.error());
  const auto event = nostr::parse_unsigned_event(*text, system_now().seconds(), kLimits);
  if (!event)
    return report(context,
                  {event.error().code,
                   "standard input is not an event to sign: " + event.error().message +
                       "; want {\"kind\":1,\"created_at\":1,\"tags\":[],\"content\":\"\"}"});
  if (const auto ok = nostr::check_publishable(*event); !ok)
    log_warning("event", ok.error().message);
  print_line(nostr::to_json(nostr::sign_event(*key, *event)));
}

// {"line":1,"id":"..." or null,"valid":true,"reason":""}
std::string answer(size_t line, const std::optional<nostr::EventId>& id, std::string_view reason) {
  std::string out = "{\"line\":" + std::to_string(line) + ",\"id\":";
  out += id ? '"' + to_hex(id->view()) + '"' : "null";
  out += reason.empty() ? ",\"valid\":true" : ",\"valid\":false";
  out += ",\"reason\":\"" + std::string(reason) + "\"}";
  return out;
}

// True when the line holds a valid event.
bool verify_line(const LineReader::Line& line) {
  if (line.too_long) {
    print_line(answer(line.number, std::nullopt, to_string(nostr::EventFault::shape)));
    return false;
  }
  const auto event = nostr::check_event(line.text, kLimits);
  if (event) {
    print_line(answer(line.number, event->id, ""));
    return true;
  }
  log_info("event", "line " + std::to_string(line.number) + ": " + event.error().error.message);
  print_line(answer(line.number, event.error().claimed_id, to_string(event.error().fault)));
  return false;
}

void verify(Context& context) {
  LineReader lines(STDIN_FILENO, kMaxJudgedEvent);
  bool all_valid = true;
  while (true) {
    const auto line = lines.next();
    if (!line) return report(context, line.error());
    if (!*line) break;
    if ((*line)->too_long || !is_blank((*line)->text)) all_valid &= verify_line(**line);
  }
  context.exit = all_valid ? Exit::done : Exit::no;
}

// Our relays as a list that others find us by (NIP-65).
void relay_list(Context& context, const std::vector<std::string>& given) {
  const auto session = Session::open(context);
  if (!session) return;
  const auto relays = session->relays(given);
  if (!relays) return report(context, relays.error());
  const auto signer = session->signer();
  if (!signer) return report(context, signer.error());
  if (!*signer) return report(context, session->no_key());
  const auto event = nostr::sign_blocking(
      **signer, nostr::make_relay_list({*relays, *relays}, system_now().seconds()),
      TimeLimit(context).left(kSignDeadline));
  if (!event) return report(context, event.error());
  print_line(nostr::to_json(*event));
}

void add_relay_list(CLI::App& event, Context& context) {
  CLI::App* const command = event.add_subcommand(
      "relay-list",
      "Print our relays as a signed event (NIP-65), by which others find what we announce; "
      "`event publish` sends it");
  const auto relays = std::make_shared<std::vector<std::string>>();
  command->add_option("--relay", *relays, "Instead of the configured relays; repeatable")
      ->type_name("URL")
      ->allow_extra_args(false);
  command->callback([&context, relays] { relay_list(context, *relays); });
}

}  // namespace

void add_event(CLI::App& app, Context& context) {
  CLI::App* const event =
      app.add_subcommand("event", "Sign and verify Nostr events, publish and ask for them");
  event->require_subcommand(1);

  CLI::App* const sign_command = event->add_subcommand(
      "sign", R"(Read {"kind","created_at","tags","content"}, print the signed event)");
  const auto secret_file = std::make_shared<std::string>();
  sign_command
      ->add_option("--secret-file", *secret_file,
                   "One line: 64 hex digits, nsec1 or ncryptsec1; mode 0600")
      ->type_name("FILE")
      ->required();
  sign_command->callback([&context, secret_file] { sign(context, *secret_file); });

  CLI::App* const verify_command = event->add_subcommand(
      "verify", "Check one event per input line; exit code 0 when all are valid");
  verify_command->callback([&context] { verify(context); });

  add_relay_list(*event, context);
  add_event_publish(*event, context);
  add_event_req(*event, context);
}

}  // namespace ipnscast::tools
