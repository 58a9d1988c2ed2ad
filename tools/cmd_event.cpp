#include <unistd.h>

#include <memory>

#include "nostr/base/hex.h"
#include "nostr/base/log.h"
#include "nostr/event_check.h"
#include "tools/command.h"
#include "tools/line_reader.h"
#include "tools/secret_file.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kMaxEvent = 1024 * 1024;
// Within that size everything goes: a local file is no relay.
constexpr nostr::EventLimits kLimits{
    .max_bytes = kMaxEvent, .max_tags = kMaxEvent, .max_tag_items = kMaxEvent, .max_depth = 1024};

void sign(Context& context, const std::string& secret_file) {
  const auto key = load_secret_key(context, secret_file);
  if (!key) return;
  const auto text = read_input("-", kMaxEvent);
  if (!text) return report(context, text.error());
  const auto event = nostr::parse_unsigned_event(*text, system_now().seconds(), kLimits);
  if (!event) return report(context, event.error());
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

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
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
  LineReader lines(STDIN_FILENO, kMaxEvent);
  bool all_valid = true;
  while (true) {
    const auto line = lines.next();
    if (!line) return report(context, line.error());
    if (!*line) break;
    if ((*line)->too_long || !is_blank((*line)->text)) all_valid &= verify_line(**line);
  }
  context.exit = all_valid ? Exit::done : Exit::no;
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
      ->add_option("--secret-file", *secret_file, "One line: 64 hex digits or nsec1; mode 0600")
      ->type_name("FILE")
      ->required();
  sign_command->callback([&context, secret_file] { sign(context, *secret_file); });

  CLI::App* const verify_command = event->add_subcommand(
      "verify", "Check one event per input line; exit code 0 when all are valid");
  verify_command->callback([&context] { verify(context); });

  add_event_publish(*event, context);
  add_event_req(*event, context);
}

}  // namespace ipnscast::tools
