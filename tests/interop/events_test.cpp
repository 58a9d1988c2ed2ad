#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/vectors.h"

// Events of ours against libraries and relays that others wrote.
using namespace ipnscast::test;
using nlohmann::json;

namespace {

const std::string kSecret = "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35";

std::vector<json> lines(const std::string& text) {
  std::vector<json> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(json::parse(line));
  return out;
}

std::string lines(const std::vector<json>& values) {
  std::string out;
  for (const json& value : values) out += value.dump() + "\n";
  return out;
}

int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Hints with every awkward text of our vectors, each at an address of its own. Without `controls`,
// only texts that every relay must take.
std::vector<json> unsigned_hints(bool controls) {
  std::vector<json> out;
  const json vectors = json::parse(read_file(own_vectors() / "events.json"));
  for (const json& row : vectors.at("events")) {
    const std::string text = row.at("text");
    if (row.at("reason") != "") continue;
    const std::string content = json::parse(text).at("content");
    const bool has_controls =
        std::any_of(content.begin(), content.end(), [](unsigned char c) { return c < 0x20; });
    if (has_controls && !controls) continue;
    const std::string number = std::to_string(out.size());
    const json tags =
        json::array({json::array({"d", "ipns-sync-" + number}), json::array({"t", "ipns-sync"}),
                     json::array({"note", content})});
    out.push_back({{"kind", 30078}, {"created_at", now()}, {"tags", tags}, {"content", content}});
  }
  return out;
}

std::vector<json> sign_with_ours(const TempDir& work, const std::vector<json>& events) {
  const std::string secret = (work.path() / "secret").string();
  std::ofstream(secret) << kSecret << "\n";
  ::chmod(secret.c_str(), 0600);
  std::vector<json> out;
  for (const json& event : events) {
    const Ran ran = run(our_program({"event", "sign", "--secret-file", secret}, event.dump()));
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    out.push_back(json::parse(ran.out));
  }
  return out;
}

std::vector<std::string> sorted_dump(const std::vector<json>& events) {
  std::vector<std::string> out;
  for (const json& event : events) out.push_back(event.dump());
  std::sort(out.begin(), out.end());
  return out;
}

void expect_relay_to_keep(const std::string& name) {
  const auto relay_folder = peer(name);
  if (!relay_folder) SKIP_TEST(relay_folder.error());
  const auto js = peer("js");
  if (!js) SKIP_TEST(js.error());
  ForeignRelay relay(name, *relay_folder);
  const TempDir work;
  const auto ours = sign_with_ours(work, unsigned_hints(false));

  const Ran sent = run(node_script(*js, "events.mjs", {"publish", relay.url()}, lines(ours)));
  INFO(sent.out + sent.err);
  REQUIRE(sent.exit == 0);
  for (const json& answer : lines(sent.out)) CHECK(answer.at("ok") == true);

  relay.stop();
  relay.start();
  const json filter = {
      {"kinds", {30078}}, {"authors", {ours.front().at("pubkey")}}, {"limit", 500}};
  const Ran kept = run(node_script(*js, "events.mjs", {"req", relay.url(), filter.dump()}));
  REQUIRE(kept.exit == 0);
  CHECK(sorted_dump(lines(kept.out)) == sorted_dump(ours));
}

}  // namespace

TEST_CASE("nostr-tools and nostr-wasm accept every event that we sign") {
  const auto js = peer("js");
  if (!js) SKIP_TEST(js.error());
  const TempDir work;
  const auto ours = sign_with_ours(work, unsigned_hints(true));
  REQUIRE(ours.size() > 15);
  const Ran ran = run(node_script(*js, "events.mjs", {"verify"}, lines(ours)));
  INFO(ran.err);
  REQUIRE(ran.exit == 0);
  const auto answers = lines(ran.out);
  REQUIRE(answers.size() == ours.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    INFO(ours[i].dump());
    CHECK(answers[i].at("nostr_tools") == true);
    CHECK(answers[i].at("nostr_wasm") == true);
  }
}

TEST_CASE("we accept every event that nostr-tools signs") {
  const auto js = peer("js");
  if (!js) SKIP_TEST(js.error());
  const auto events = unsigned_hints(true);
  const Ran theirs = run(node_script(*js, "events.mjs", {"sign", kSecret}, lines(events)));
  INFO(theirs.err);
  REQUIRE(theirs.exit == 0);
  const Ran ran = run(our_program({"event", "verify"}, theirs.out));
  INFO(ran.out);
  CHECK(ran.exit == 0);
  CHECK(lines(ran.out).size() == events.size());
}

TEST_CASE("the relay khatru takes the events that we sign and keeps them unchanged") {
  expect_relay_to_keep("khatru");
}

TEST_CASE("the relay @nostr-relay/core takes the events that we sign and keeps them unchanged") {
  expect_relay_to_keep("nostr-relay-core");
}
