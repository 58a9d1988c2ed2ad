#include "ipnscast/tools/demo/demo.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/tools/cli/command.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/cli/time_limit.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kDemoDeadline{60'000};

void print_stack(const bridge::Stack& stack) {
  print_line("relay " + stack.relay_url() + ", node " + stack.gateway_url() + ", its RPC " +
             stack.rpc_url());
  print_line("a bridge, two devices with one key, and a publisher who announces nothing");
}

// The three journeys, each shown as soon as it is over.
Result<std::vector<demo::Journey>> travel(const Context& context, demo::Demo& demo,
                                          Instant deadline) {
  std::vector<demo::Journey> out;
  const auto take = [&](Result<demo::Journey> journey) -> Status {
    if (!journey) return fail(journey.error());
    if (!context.json) demo::print_journey(*journey);
    out.push_back(std::move(*journey));
    return {};
  };
  if (auto taken = take(demo.own_change(false, deadline)); !taken) return fail(taken.error());
  if (auto taken = take(demo.own_change(true, deadline)); !taken) return fail(taken.error());
  if (auto taken = take(demo.found_by_bridge(deadline)); !taken) return fail(taken.error());
  return out;
}

void print_result(const Context& context, const bridge::Stack& stack,
                  const std::vector<demo::Journey>& journeys, bool same) {
  if (context.json) {
    nlohmann::ordered_json object = {{"relay", stack.relay_url()},
                                     {"gateway", stack.gateway_url()},
                                     {"rpc", stack.rpc_url()},
                                     {"journeys", nlohmann::json::array()},
                                     {"identical", same}};
    for (const auto& journey : journeys) object["journeys"].push_back(to_json(journey));
    return print_line(dump(object));
  }
  if (!same) return;
  print_line("");
  print_line("The trees on both sides are the same, byte by byte.");
}

void run(Context& context, bool keep) {
  StopSignal stop;
  const auto directory = TemporaryDirectory::make();
  if (!directory) return report(context, directory.error());
  const auto demo = demo::Demo::start(directory->path());
  if (!demo) return report(context, demo.error());
  if (!context.json) print_stack((*demo)->stack());
  const Instant deadline =
      TimeLimit(context).end().value_or(std::chrono::steady_clock::now() + kDemoDeadline);
  const auto journeys = travel(context, **demo, deadline);
  if (!journeys) return report(context, journeys.error());
  const Status same = (*demo)->compare();
  print_result(context, (*demo)->stack(), *journeys, same.has_value());
  if (!same) return report(context, same.error());
  if (!keep) return;
  if (!context.json) print_line("Everything keeps running until Ctrl-C.");
  stop.wait(std::nullopt);
}

}  // namespace

void add_demo(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand(
      "demo", "Shows a change travel from device to device over an embedded relay and node");
  const auto keep = std::make_shared<bool>(false);
  command->add_flag("--keep", *keep, "Leave it running afterwards");
  command->callback([&context, keep] { run(context, *keep); });
}

}  // namespace ipnscast::tools
