// `relay probe` against relays that others wrote: it has to find what PEERS.md knows about them.
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast::test;
using nlohmann::json;

namespace {

struct Found {
  int exit = 0;
  json report;

  const json& kind(int number) const {
    for (const json& kind : report.at("kinds"))
      if (kind.at("kind") == number) return kind;
    throw std::runtime_error("no such kind");
  }
  bool complains(const std::string& words) const {
    for (const json& reason : report.at("reasons"))
      if (reason.at("text").get<std::string>().find(words) != std::string::npos) return true;
    return false;
  }
};

Command without_configuration(const TempDir& home, std::vector<std::string> arguments) {
  Command command = our_program(std::move(arguments));
  command.environment = {{"XDG_CONFIG_HOME", home.path().string()},
                         {"XDG_STATE_HOME", home.path().string()},
                         {"XDG_DATA_HOME", home.path().string()}};
  return command;
}

Found probe(const std::string& url) {
  const TempDir home;
  const Ran ran = run(without_configuration(home, {"relay", "probe", "--json", url}));
  UNSCOPED_INFO(ran.out + ran.err);
  Found out{ran.exit, json::parse(ran.out)};
  // Whatever it found, it left nothing behind that the relay would delete.
  if (out.report.at("deletion").at("honoured") == true)
    CHECK(out.report.at("deletion").at("left_behind") == 0);
  CHECK(out.report.at("counts").at("forged") == 0);
  CHECK(out.report.at("cut_short").is_null());
  return out;
}

void expect_open_to_all(const Found& found) {
  CHECK(found.exit == 0);
  CHECK(found.report.at("fit") == true);
  for (const int kind : {30078, 30079}) {
    CHECK(found.kind(kind).at("accepted") == "yes");
    CHECK(found.kind(kind).at("author") == "yes");
    CHECK(found.kind(kind).at("stranger") == "yes");
  }
}

void expect_correct(const Found& found) {
  const json& replacement = found.report.at("replacement");
  CHECK(replacement.at("newer_wins") == true);
  CHECK(replacement.at("older_stays_away") == true);
  CHECK(replacement.at("keeps_one") == true);
  CHECK(replacement.at("tie_break") == "lowest-id");
  CHECK(found.report.at("filters_by_d").at("stored") == true);
  CHECK(found.report.at("filters_by_d").at("live") == true);
  CHECK(found.report.at("kept") == true);
  CHECK(found.report.at("live").at("heard") == found.report.at("live").at("published"));
  CHECK(found.report.at("ok").at("missing") == 0);
  CHECK(found.report.at("eose").at("missing") == 0);
}

}  // namespace

TEST_CASE("probe: our own relay is fit and correct") {
  const auto js = peer("js");  // the ring is on
  if (!js) SKIP_TEST(js.error());
  const TempDir home;
  Process relay(without_configuration(
      home, {"relay", "serve", "--listen", "127.0.0.1:0", "--dir", (home.path() / "r").string()}));
  const auto line = relay.wait_for_line("relay at ", std::chrono::seconds(20));
  REQUIRE(line);
  const Found found = probe(line->substr(line->find("ws://")));
  expect_open_to_all(found);
  expect_correct(found);
  CHECK(found.report.at("deletion").at("honoured") == true);
  CHECK(found.report.at("deletion").at("stays_gone") == true);
  CHECK(found.report.at("negentropy").at("result") != "wrong");
  CHECK(found.report.at("score") >= 90);
}

TEST_CASE("probe: khatru is fit") {
  const auto folder = peer("khatru");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("khatru", *folder);
  const Found found = probe(relay.url());
  expect_open_to_all(found);
  expect_correct(found);
  // Its library compares the label with what stands before it: NEG-OPEN is never understood.
  CHECK(found.report.at("negentropy").at("result") == "refuses");
  CHECK(found.complains("NIP-77 is claimed but does not work"));
  CHECK(found.report.at("deletion").at("stays_gone") == false);
}

TEST_CASE("probe: khatru that keeps kind 30078 to its author is fit for own devices") {
  const auto folder = peer("khatru");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("khatru", *folder, true);
  const Found found = probe(relay.url());
  CHECK(found.exit == 0);
  CHECK(found.kind(30078).at("accepted") == "with-auth");
  CHECK(found.kind(30078).at("author") == "with-auth");
  CHECK(found.kind(30078).at("stranger") == "no");
  CHECK(found.kind(30079).at("accepted") == "yes");
  CHECK(found.kind(30079).at("stranger") == "yes");
  CHECK(found.report.at("asked_for_auth") == true);
}

TEST_CASE(
    "probe: @nostr-relay/core filters no live events by tag and calls a late version duplicate") {
  const auto folder = peer("nostr-relay-core");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("nostr-relay-core", *folder);
  const Found found = probe(relay.url());
  expect_open_to_all(found);
  CHECK(found.report.at("replacement").at("tie_break") == "lowest-id");
  CHECK(found.report.at("replacement").at("older_stays_away") == true);
  CHECK(found.report.at("filters_by_d").at("stored") == true);
  CHECK(found.report.at("filters_by_d").at("live") == false);
  CHECK(found.report.at("replacement").at("late_answer").get<std::string>().find("duplicate") == 0);
  CHECK(found.complains("live events are not filtered by #d"));
  CHECK(found.complains("served only after a while"));  // it caches the answers to a filter
}

TEST_CASE("probe: snstr breaks ties the wrong way") {
  const auto folder = peer("snstr");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("snstr", *folder);
  const Found found = probe(relay.url());
  CHECK(found.report.at("replacement").at("tie_break") == "highest-id");
  CHECK(found.complains("of versions with one time"));
}

TEST_CASE("probe: nostrmini keeps every version and deletes nothing") {
  const auto folder = peer("nostrmini");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("nostrmini", *folder);
  const Found found = probe(relay.url());
  CHECK(found.report.at("replacement").at("keeps_one") == false);
  CHECK(found.report.at("deletion").at("honoured") == false);
  CHECK(found.report.at("deletion").at("left_behind") > 10);
}

TEST_CASE("probe: nostr-rs-relay is fit, though it keeps the first of versions with one time") {
  const auto folder = peer("nostr-rs-relay");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("nostr-rs-relay", *folder);
  const Found found = probe(relay.url());
  expect_open_to_all(found);
  CHECK(found.report.at("replacement").at("newer_wins") == true);
  CHECK(found.report.at("replacement").at("older_stays_away") == true);
  CHECK(found.report.at("replacement").at("tie_break") == "first-come");
  CHECK(found.report.at("filters_by_d").at("live") == true);
  CHECK(found.report.at("deletion").at("honoured") == true);
  CHECK(found.report.at("deletion").at("stays_gone") == true);
}

TEST_CASE("probe: rnostr is fit") {
  const auto folder = peer("rnostr");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("rnostr", *folder);
  const Found found = probe(relay.url());
  expect_open_to_all(found);
  expect_correct(found);
  CHECK(found.report.at("deletion").at("honoured") == true);
  CHECK(found.report.at("deletion").at("stays_gone") == false);
}

TEST_CASE("probe: rnostr that wants AUTH for everything is told from one that refuses") {
  const auto folder = peer("rnostr");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("rnostr", *folder, true);
  const Found found = probe(relay.url());
  CHECK(found.exit == 0);
  for (const int kind : {30078, 30079}) {
    CHECK(found.kind(kind).at("accepted") == "with-auth");
    CHECK(found.kind(kind).at("author") == "with-auth");
    CHECK(found.kind(kind).at("stranger") == "with-auth");
  }
}

TEST_CASE("probe: where nobody listens is unreachable, exit 3") {
  const auto js = peer("js");
  if (!js) SKIP_TEST(js.error());
  const TempDir home;
  const Ran ran = run(without_configuration(home, {"relay", "probe", "ws://127.0.0.1:1"}));
  CHECK(ran.exit == 3);
  CHECK(ran.out.find("unreachable") != std::string::npos);
}

TEST_CASE("tools/public-relays writes a report over a list of relays") {
  const auto core = peer("nostr-relay-core");
  if (!core) SKIP_TEST(core.error());
  const auto snstr = peer("snstr");
  if (!snstr) SKIP_TEST(snstr.error());
  const ForeignRelay one("nostr-relay-core", *core);
  const ForeignRelay other("snstr", *snstr);
  const TempDir dir;
  const std::string list = (dir.path() / "relays.txt").string();
  std::ofstream(list) << "# ours\n\n  " << one.url() << "  # the first\n" << other.url() << "\n";
  const std::string name = (dir.path() / "report").string();
  Command command{
      .argv = {ipnscast::test::source_folder() + "/tools/public-relays", "-o", name, list}};
  command.environment = {{"IPNSCAST_PROGRAM", our_program({}).argv.front()},
                         {"XDG_CONFIG_HOME", dir.path().string()},
                         {"XDG_STATE_HOME", dir.path().string()},
                         {"XDG_DATA_HOME", dir.path().string()}};
  const Ran ran = run(command);
  INFO(ran.out + ran.err);
  REQUIRE(ran.exit == 0);
  const std::string markdown = read_file(name + ".md");
  CHECK(markdown.find("| relay | fit |") != std::string::npos);
  std::istringstream lines(read_file(name + ".json"));
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const std::string url = json::parse(line).at("url");
    CHECK((url == one.url() || url == other.url()));
    CHECK(markdown.find("## " + url) != std::string::npos);
  }
  CHECK(count == 2);
}
