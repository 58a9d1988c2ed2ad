#include "ipnscast/tests/support/writers/racing_writers.h"

#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"

namespace ipnscast::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kEnding{30'000};  // to close, behind the deadline
constexpr size_t kShownOutput = 4'000;

using Rounds = std::map<int, json>;

Rounds read_rounds(const std::string& output) {
  Rounds out;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const json event = json::parse(line, nullptr, false);
    if (event.is_object() && event.contains("on")) out.emplace(event["round"], event);
  }
  return out;
}

void judge(const json& a, const json& b, Race& race) {
  ++race.rounds;
  const bool a_won = a.contains("published");
  const bool b_won = b.contains("published");
  for (const json* const one : {&a, &b}) {
    if (!one->contains("published") && one->at("refused") != "conflict")
      race.troubles.push_back(one->dump());
  }
  if (a_won != b_won) ++race.one_winner;
  if (!a_won && !b_won) ++race.none;
  const bool on_one = a["on"] == b["on"] && a["on_value"] == b["on_value"];
  if (a_won && b_won && on_one) race.two.push_back(a.dump() + " and " + b.dump());
}

}  // namespace

Race race(const Racing& how) {
  const fs::path meeting = how.folder / "meeting";
  std::ofstream(meeting, std::ios::binary) << std::string(8, '\0');
  const std::string secret = to_hex(random_bytes(32));
  std::vector<std::unique_ptr<Process>> processes;
  for (const std::string name : {"a", "b"}) {
    const fs::path state = how.folder / name / "state";
    fs::create_directories(state);
    Command command;
    command.argv = {build_folder() + "/tests/racing_writer",
                    "device=" + name,
                    "state=" + state.string(),
                    "secret=" + secret,
                    "meeting=" + meeting.string(),
                    "decider=" + how.decider,
                    "rounds=" + std::to_string(how.rounds),
                    "settle_ms=" + std::to_string(how.settle.count()),
                    "deadline_ms=" + std::to_string(how.deadline.count())};
    for (const std::string& url : how.gateways) command.argv.push_back("gateway=" + url);
    if (!how.relay.empty()) command.argv.push_back("relay=" + how.relay);
    processes.push_back(std::make_unique<Process>(command));
  }
  Race out;
  std::vector<Rounds> played;
  for (const auto& process : processes) {
    const auto ran = process->wait(how.deadline + kEnding);
    const std::string all = ran ? ran->out + ran->err : process->output();
    out.output += all.substr(all.size() - std::min(all.size(), kShownOutput)) + "\n";
    played.push_back(read_rounds(ran ? ran->out : ""));
  }
  for (const auto& [round, one] : played[0]) {
    const auto other = played[1].find(round);
    if (other != played[1].end()) judge(one, other->second, out);
  }
  return out;
}

}  // namespace ipnscast::test
