// The embedded relay serves clients that others wrote, and answers as relays that others wrote.
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::test;
using nlohmann::json;
using nostr::server::RelayServer;
using nostr::server::RelayServerOptions;

namespace {

class OurRelay {
 public:
  explicit OurRelay(RelayServerOptions options = {})
      : loop_(std::move(*nostr::net::Loop::start())) {
    options.port = 0;
    auto started = RelayServer::start(*loop_, std::move(options));
    if (!started) FAIL(started.error().message);
    relay_ = std::move(*started);
  }
  std::string url() const { return relay_->url(); }
  nostr::server::RelayCounters counters() const { return relay_->counters(); }

 private:
  std::unique_ptr<nostr::net::Loop> loop_;
  std::unique_ptr<RelayServer> relay_;
};

RelayServerOptions owner_private() {
  RelayServerOptions out;
  out.relay.owner_private = true;
  return out;
}

// The object that a client's script prints at its end.
json outcome_of(const std::filesystem::path& packages, const std::string& script,
                const std::string& url) {
  const Ran ran = run(node_script(packages, script, {url}), std::chrono::seconds(60));
  INFO(ran.out << ran.err);
  REQUIRE(ran.exit == 0);
  const size_t last_line = ran.out.rfind("\n{");
  return json::parse(ran.out.substr(last_line == std::string::npos ? 0 : last_line + 1));
}

bool begins(const json& text, const std::string& start) {
  INFO(text.dump());
  return text.get<std::string>().rfind(start, 0) == 0;
}

// Step by step, what a relay answers to the scripted conversation.
std::vector<std::pair<std::string, std::string>> conversation_with(
    const std::filesystem::path& packages, const std::string& url) {
  const Ran ran = run(node_script(packages, "converse.mjs", {url}), std::chrono::seconds(60));
  INFO(ran.out << ran.err);
  REQUIRE(ran.exit == 0);
  std::vector<std::pair<std::string, std::string>> out;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    const json row = json::parse(line);
    std::string answers;
    for (size_t i = 1; i < row.size(); ++i)
      answers += (i == 1 ? "" : ", ") + row[i].get<std::string>();
    // Ours says, too, that all has been sent (NIP-67); those of others do not know that word yet.
    for (const std::string_view word : {" finish", " more"}) {
      for (size_t at; (at = answers.find(word)) != answers.npos;) answers.erase(at, word.size());
    }
    out.emplace_back(row[0], answers);
  }
  return out;
}

// What another relay answers otherwise than ours, and the text that lets ours.
struct Difference {
  const char* theirs;
  const char* why;
};
using Differences = std::map<std::string, Difference>;

void compare(const std::string& relay, const Differences& differences) {
  const auto js = peer("js");
  if (!js) SKIP_TEST(js.error());
  const auto folder = peer(relay);
  if (!folder) SKIP_TEST(folder.error());
  const OurRelay our_relay;
  const ForeignRelay foreign(relay, *folder);
  const auto ours = conversation_with(*js, our_relay.url());
  const auto theirs = conversation_with(*js, foreign.url());
  REQUIRE(ours.size() == theirs.size());
  REQUIRE(ours.size() > 30);
  for (size_t i = 0; i < ours.size(); ++i) {
    INFO(relay << ", " << ours[i].first << "; ours: " << ours[i].second);
    const auto listed = differences.find(ours[i].first);
    if (listed == differences.end()) {
      CHECK(theirs[i].second == ours[i].second);
    } else {
      CHECK(theirs[i].second == listed->second.theirs);
      CHECK(ours[i].second != listed->second.theirs);
    }
  }
}

}  // namespace

TEST_CASE(
    "nostr-tools works with the embedded relay: live, replaced, deleted, counted, reconciled") {
  const auto js = peer("js");
  if (!js) SKIP_TEST(js.error());
  const OurRelay relay;
  const json seen = outcome_of(*js, "client_nostr_tools.mjs", relay.url());
  CHECK(seen.at("live") == true);
  CHECK(seen.at("duplicate") == "");
  CHECK(begins(seen.at("stale"), "replaced:"));
  CHECK(seen.at("latest") == json({"new"}));
  CHECK(seen.at("by_tag") == 1);
  CHECK(seen.at("count") == 2);
  CHECK(seen.at("have") == true);
  CHECK(seen.at("need") == true);
  CHECK(seen.at("after_deletion") == 0);
  CHECK(begins(seen.at("deleted_again"), "blocked:"));
  CHECK(begins(seen.at("before_auth"), "auth-required:"));
  CHECK(seen.at("after_auth") == "");
}

TEST_CASE("S18: NDK works with the embedded relay that keeps kind 30078 to its author") {
  const auto ndk = peer("ndk");
  if (!ndk) SKIP_TEST(ndk.error());
  const OurRelay relay(owner_private());
  const json seen = outcome_of(*ndk, "client_ndk.mjs", relay.url());
  CHECK(seen.at("published") == 1);
  CHECK(seen.at("live") == "hello");
  CHECK(seen.at("replaced") == 1);
  CHECK(seen.at("own") == json({"new"}));
  // Depending on whether its proof, of another key, has arrived.
  CHECK((begins(seen.at("strangers"), "restricted:") ||
         begins(seen.at("strangers"), "auth-required:")));
}

TEST_CASE("S18: rust-nostr works with the embedded relay: live, replaced, deleted, reconciled") {
  const auto rust = peer("rust-nostr");
  if (!rust) SKIP_TEST(rust.error());
  const bool to_its_author = GENERATE(false, true);
  const OurRelay relay(to_its_author ? owner_private() : RelayServerOptions{});
  const json seen = outcome_of(*rust, "client_rust_nostr.mjs", relay.url());
  CHECK(seen.at("note") == "");
  CHECK(seen.at("live") == "hello");
  CHECK(seen.at("old") == "");
  CHECK(seen.at("latest") == "");
  CHECK(seen.at("stored") == json({"new"}));
  CHECK(seen.at("strangers") == (to_its_author ? json::array() : json({"new"})));
  CHECK(seen.at("deletion") == "");
  CHECK(seen.at("after_deletion") == json::array());
  CHECK(seen.at("synced") == 1);
}

TEST_CASE(
    "the embedded relay and khatru answer the same conversation alike, but for what is listed") {
  compare(
      "khatru",
      {
          {"the same note again",
           {"OK <note> true empty",
            "NIP-01: OK MUST have a message, whose prefix may be `duplicate` when it is true"}},
          {"an older version of it",
           {"OK <v1> true empty",
            "NIP-01: only the latest event is stored; that an older one was not is said by OK "
            "false, "
            "with the words that strfry has"}},
          {"the higher id of the same second",
           {"OK <high> true empty",
            "NIP-01: the lowest id is retained, so this one was not stored"}},
          {"by tag",
           {"EVENT q <v3>, EVENT q <note>, EOSE q",
            "NIP-01: `#t` asks for t tags; its store also finds a d tag of that value"}},
          {"two filters that one event satisfies",
           {"EVENT q <note>, EVENT q <note>, EOSE q",
            "NIP-01: several filters are OR conditions; an event that satisfies two of them is "
            "one"}},
          {"an ephemeral event",
           {"OK <ephemeral> true text", "NIP-01: a message may be empty when OK is true"}},
          {"a deletion by another key",
           {"OK <foreign deletion> false blocked:",
            "NIP-09: relays keep deletion requests; what they name may be unknown here, and "
            "nothing of "
            "another author is deleted"}},
          {"what was deleted",
           {"OK <note> true empty",
            "NIP-09: relays SHOULD stop publishing what was deleted; a copy does not bring it "
            "back"}},
          {"an expired event",
           {"OK <expired> true empty", "NIP-40: relays SHOULD drop events that are expired"}},
          {"is not served",
           {"EVENT q <expired>, EOSE q", "NIP-40: relays SHOULD NOT send expired events"}},
          {"a reconciliation",
           {"NOTICE", "NIP-77: NEG-MSG or NEG-ERR answers; its store offers no reconciliation"}},
          {"a filter that is none",
           {"EOSE bad", "NIP-01: ids are exactly 64 lower-case hex digits; CLOSED refuses a REQ"}},
      });
}

TEST_CASE(
    "the embedded relay and rnostr answer the same conversation alike, but for what is listed") {
  compare("rnostr",
          {
              {"two filters that one event satisfies",
               {"EVENT q <note>, EVENT q <note>, EOSE q",
                "NIP-01: several filters are OR conditions; an event that satisfies two of them is "
                "one"}},
              {"and is not kept",
               {"EVENT q <ephemeral>, EOSE q",
                "NIP-01: ephemeral events are not expected to be stored"}},
              {"what was deleted",
               {"OK <note> true empty",
                "NIP-09: relays SHOULD stop publishing what was deleted; a copy does not bring it "
                "back"}},
              {"a protected event",
               {"OK <protected> false blocked:",
                "NIP-70: a relay that takes protected events from their author asks for AUTH"}},
              {"a count", {"NOTICE", "NIP-45: a relay that supports it answers COUNT"}},
              {"a reconciliation", {"NOTICE", "NIP-77: it does not know it"}},
              {"a filter that is none",
               {"NOTICE", "NIP-01: CLOSED is the answer to a REQ that is refused"}},
          });
}
