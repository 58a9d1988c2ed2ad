#include <memory>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/session/relay_query.h"
#include "ipnscast/tools/session/session.h"
#include "ipnscast/tools/usage/typed_value.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kEventReqDeadline{10'000};

struct EventReqOptions {
  std::vector<std::string> filters;
  std::vector<std::string> relays;
  bool follow = false;
};

Result<RelayQueryOptions> query_options(const Context& context, const Session& session,
                                        const EventReqOptions& options) {
  RelayQueryOptions out;
  for (const std::string& text : options.filters) {
    auto filter = typed_filter(text);
    if (!filter) return fail(filter.error());
    out.filters.push_back(std::move(*filter));
  }
  auto relays = session.relays(options.relays);
  if (!relays) return fail(relays.error());
  out.relays = std::move(*relays);
  out.signer = session.auth_signer();
  out.access = session.settings().engine.access;
  out.follow = options.follow;
  out.deadline = TimeLimit(context).left();
  if (!out.deadline && !options.follow) out.deadline = kEventReqDeadline;
  return out;
}

void req(Context& context, const EventReqOptions& options) {
  StopSignal stop;
  const auto session = Session::open(context);
  if (!session) return;
  auto wanted = query_options(context, *session, options);
  if (!wanted) return report(context, wanted.error());
  RelayQuery query(std::move(*wanted));
  const OnStopSignal on_stop(stop, [&query] { query.cancel(); });
  const auto end = query.run([](const nostr::Event& event) { print_line(nostr::to_json(event)); });
  if (!end) return report(context, end.error());
  const auto report_all = [&context](const std::vector<RelayQueryEnd::Failure>& relays) {
    for (const auto& one : relays) report(context, one.error.within(one.relay.text()));
  };
  report_all(end->failed);
  if (end->answered > 0 || (options.follow && end->failed.empty())) context.exit = Exit::done;
  report_all(end->incomplete);  // a part is not what was asked for, whoever else has answered
  if (!end->timed_out) return;
  report_all(end->late);
  if (options.follow && end->late.empty()) report(context, {Errc::timeout, "the time is over"});
}

}  // namespace

void add_event_req(CLI::App& event, Context& context) {
  CLI::App* const command =
      event.add_subcommand("req", "Ask relays for events; one verified event a line");
  const auto options = std::make_shared<EventReqOptions>();
  command->add_option("filter", options->filters, R"(NIP-01 filters, such as {"kinds":[1]})")
      ->type_name("FILTER")
      ->required();
  command->add_option("--relay", options->relays, "Instead of the configured relays; repeatable")
      ->type_name("URL")
      ->allow_extra_args(false);
  command->add_flag("--follow", options->follow,
                    "Go on with new events until Ctrl-C or --timeout, past relays that fail");
  command->callback([&context, options] { req(context, *options); });
}

}  // namespace ipnscast::tools
