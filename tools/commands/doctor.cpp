#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <thread>

#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/progress_line.h"
#include "ipnscast/tools/cli/stop_signal.h"
#include "ipnscast/tools/look/local_checks.h"
#include "ipnscast/tools/look/remote_checks.h"
#include "ipnscast/tools/look/rows.h"
#include "ipnscast/tools/session/state_directory.h"

namespace ipnscast::tools {
namespace {

const char* word_for(Health health) {
  switch (health) {
    case Health::ok:
      return "ok";
    case Health::warning:
      return "warning";
    case Health::problem:
      return "problem";
  }
  return "problem";
}

Colour colour_for(Health health) {
  switch (health) {
    case Health::ok:
      return Colour::green;
    case Health::warning:
      return Colour::yellow;
    case Health::problem:
      return Colour::red;
  }
  return Colour::none;
}

void append(Findings& out, Findings more) {
  for (Finding& one : more) out.push_back(std::move(one));
}

// Without a configuration that can be read nobody can be asked; files can be looked at.
Findings without_session(const Context& context, const Error& error) {
  Findings out{{Health::problem, "config", "", error.message,
                "put it right; \"ipnscast config --explain KEY\" says what a key takes"}};
  if (const auto keys = keys_directory(context))
    append(out, check_keys(sync::KeyStore(*keys), *keys));
  if (const auto state = state_directory(context)) {
    append(out, check_state(*state));
    append(out, check_disk({*state}));
  }
  return out;
}

Findings examine(const Context& context, Asking& asking) {
  const Session& session = asking.session;
  Findings out;
  if (const auto file = config_file(context)) append(out, check_config(session, *file));
  if (const auto keys = keys_directory(context))
    append(out, check_keys(sync::KeyStore(*keys), *keys));
  const sync::Config config = session.local_config();
  append(out, check_disk({config.state_dir, config.cache_dir.empty() ? config.state_dir / "cache"
                                                                     : config.cache_dir}));
  // A state file that cannot be read is told by its own row.
  const auto state = sync::read_state(session.state_dir());
  const std::vector<sync::NameStatus> names =
      state ? state->names : std::vector<sync::NameStatus>();
  std::array<Findings, 4> parts;
  side_by_side(parts.size(), [&](size_t i) {
    if (i == 0) parts[i] = check_state(session.state_dir());
    if (i == 1) parts[i] = check_relays(asking);
    if (i == 2) parts[i] = check_gateways(asking, names);
    if (i == 3) parts[i] = check_names(asking, names);
  });
  for (Findings& part : parts) append(out, std::move(part));
  out.insert(out.begin(), check_clock(asking));
  return out;
}

size_t count_of(const Findings& findings, Health health) {
  return static_cast<size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [health](const Finding& one) { return one.health == health; }));
}

void print_findings(const Context& context, const Findings& findings) {
  if (context.json) {
    auto list = nlohmann::ordered_json::array();
    for (const Finding& one : findings) {
      nlohmann::ordered_json row = {
          {"health", word_for(one.health)}, {"check", one.check}, {"subject", one.subject}};
      row["text"] = one.text;
      row["advice"] = one.advice;
      list.push_back(std::move(row));
    }
    return print_line(dump({{"problems", count_of(findings, Health::problem)},
                            {"warnings", count_of(findings, Health::warning)},
                            {"checks", std::move(list)}}));
  }
  std::vector<Row> rows;
  for (const Finding& one : findings) {
    std::string text = one.subject.empty() ? one.text : one.subject + ": " + one.text;
    if (!one.advice.empty()) text += ". To do: " + one.advice;
    rows.push_back({{word_for(one.health), colour_for(one.health)}, {one.check}, {text}});
  }
  print_rows(Screen::of(STDOUT_FILENO), rows);
}

Exit exit_of(const Findings& findings, const Asking* asking) {
  if (asking != nullptr && asking->asked > 0 && asking->unreachable == asking->asked)
    return Exit::unreachable;
  return count_of(findings, Health::problem) > 0 ? Exit::no : Exit::done;
}

void doctor(Context& context) {
  StopSignal stop;
  const TimeLimit limit(context);
  if (const Status there = check_state_is_there(context); !there)
    return report(context, there.error());
  const auto session = Session::load(context);
  if (!session) {
    const Findings findings = without_session(context, session.error());
    print_findings(context, findings);
    context.exit = exit_of(findings, nullptr);
    return;
  }
  std::stop_source stopping;
  const OnStopSignal on_stop(stop, [&stopping] { stopping.request_stop(); });
  Asking asking{*session, limit, stopping.get_token()};
  ProgressLine line(context.json);
  line.show("asking relays and gateways");
  const Findings findings = examine(context, asking);
  line.clear();
  if (stopping.stop_requested()) {
    context.exit = Exit::interrupted;
    return;
  }
  print_findings(context, findings);
  context.exit = limit.end() && *limit.end() <= std::chrono::steady_clock::now()
                     ? Exit::deadline
                     : exit_of(findings, &asking);
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  app.add_subcommand(
         "doctor",
         "Look for what is wrong and say what to do: clock, keys, configuration, state, disk, "
         "relays, gateways, names. Nothing of yours is changed; relays get a few events of "
         "throw-away keys, which are deleted again, as by relay probe. Exit code 1: there is a "
         "problem, 3: nobody can be reached")
      ->callback([&context] { doctor(context); });
}

}  // namespace ipnscast::tools
