#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/event/check.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/line_reader.h"
#include "ipnscast/tools/cli/setting_option.h"
#include "ipnscast/tools/session/session.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kMaxSentEvent = 1024 * 1024;
constexpr size_t kUnderWay = 200;  // events sent and not yet settled
constexpr Milliseconds kEventPublishDeadline{10'000};

struct EventPublishOptions {
  std::vector<std::string> relays;
};

// Sends events and prints what became of each, a row per relay.
class Publishing {
 public:
  Publishing(Context& context, nostr::Quorum quorum)
      : context_(context), quorum_(std::move(quorum)) {}

  Status start(const Session& session, std::vector<nostr::RelayUrl> relays);
  void send(nostr::Event event);
  // Waits until `most` events at most are under way.
  void settle(size_t most);
  void note_bad_line() { bad_line_ = true; }
  Exit exit() const;

 private:
  void print(const nostr::PublishReport& report);

  Context& context_;
  const nostr::Quorum quorum_;
  Inbox<nostr::PublishReport> reports_{kUnderWay};
  std::unique_ptr<nostr::net::Loop> loop_;
  std::unique_ptr<nostr::Pool> pool_;
  size_t under_way_ = 0;
  bool reached_ = false;  // some relay answered
  bool missed_ = false;   // the quorum, for some event
  bool bad_line_ = false;
};

Status Publishing::start(const Session& session, std::vector<nostr::RelayUrl> relays) {
  auto signer = session.auth_signer();
  auto loop = nostr::net::Loop::start();
  if (!loop) return fail(loop.error());
  loop_ = std::move(*loop);
  nostr::PoolOptions options;
  options.relays = std::move(relays);
  if (signer) options.signers = {std::move(signer)};
  options.access = session.settings().engine.access;
  pool_ = nostr::Pool::start(*loop_, std::move(options));
  return {};
}

void Publishing::send(nostr::Event event) {
  settle(kUnderWay - 1);
  nostr::PublishOptions options;
  options.quorum = quorum_;
  options.deadline = context_.timeout.value_or(kEventPublishDeadline);
  ++under_way_;
  pool_->publish(std::move(event), std::move(options), [this](nostr::PublishReport report) {
    reports_.push_reserved(std::move(report));
  });
}

void Publishing::settle(size_t most) {
  while (under_way_ > most) {
    const auto report = reports_.pop();
    --under_way_;
    print(*report);
  }
}

void Publishing::print(const nostr::PublishReport& report) {
  missed_ |= !quorum_.reached(report);
  const std::string id = to_hex(report.id.view());
  for (const auto& [relay, outcome] : report.relays) {
    reached_ |= outcome.state != nostr::PublishState::unreachable;
    const std::string state(nostr::to_string(outcome.state));
    if (context_.json) {
      print_line(dump({{"id", id},
                       {"relay", relay.text()},
                       {"ok", outcome.stored()},
                       {"state", state},
                       {"reason", outcome.reason},
                       {"ms", outcome.took.count()}}));
    } else {
      std::string line = id + "  " + relay.text() + "  " + state;
      if (!outcome.stored() && !outcome.reason.empty()) line += ": " + outcome.reason;
      print_line(line + "  " + std::to_string(outcome.took.count()) + " ms");
    }
  }
}

Exit Publishing::exit() const {
  if (missed_) return reached_ ? Exit::quorum : Exit::unreachable;
  return bad_line_ ? Exit::no : Exit::done;
}

// The line's event; reports what is wrong with it.
std::optional<nostr::Event> read_event(Context& context, const LineReader::Line& line) {
  const std::string where = "line " + std::to_string(line.number);
  if (line.too_long) {
    report(context, {Errc::too_large, where + ": more than 1 MiB"});
    return std::nullopt;
  }
  auto event = nostr::check_event(line.text);
  if (event) return std::move(*event);
  report(context, event.error().error.within(where));
  return std::nullopt;
}

void publish(Context& context, const EventPublishOptions& options) {
  const auto session = Session::open(context);
  if (!session) return;
  auto relays = session->relays(options.relays);
  if (!relays) return report(context, relays.error());
  const nostr::Quorum& quorum = session->settings().engine.quorum;
  if (auto fits = quorum.fits(*relays); !fits) return report(context, fits.error());
  Publishing publishing(context, quorum);
  if (const Status ok = publishing.start(*session, std::move(*relays)); !ok)
    return report(context, ok.error());
  LineReader lines(STDIN_FILENO, kMaxSentEvent);
  while (true) {
    const auto line = lines.next();
    if (!line) return report(context, line.error());
    if (!*line) break;
    if (!(*line)->too_long && is_blank((*line)->text)) continue;
    if (auto event = read_event(context, **line)) {
      publishing.send(std::move(*event));
    } else {
      publishing.note_bad_line();
    }
  }
  publishing.settle(0);
  context.exit = publishing.exit();
}

}  // namespace

void add_event_publish(CLI::App& event, Context& context) {
  CLI::App* const command = event.add_subcommand(
      "publish", "Send signed events, one a line of standard input; a row per event and relay");
  const auto options = std::make_shared<EventPublishOptions>();
  command->add_option("--relay", options->relays, "Instead of the configured relays; repeatable")
      ->type_name("URL")
      ->allow_extra_args(false);
  add_setting(*command, context, "--quorum", "relays.quorum");
  command->callback([&context, options] { publish(context, *options); });
}

}  // namespace ipnscast::tools
