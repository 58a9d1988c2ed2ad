// Reconciliations with the embedded relay (NIP-77), as scripted conversations.
#include <set>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/relay_stage.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

RelayMessage answer_to(Stage& stage, const ClientMessage& message) {
  stage.say(kBob, text(message));
  const auto heard = stage.hears(kBob);
  REQUIRE(heard.size() == 1);
  return heard[0];
}

std::string error_of(Stage& stage, const ClientMessage& message) {
  const RelayMessage heard = answer_to(stage, message);
  REQUIRE(std::holds_alternative<NegError>(heard));
  CHECK(std::get<NegError>(heard).subscription == "n");
  return std::string(reason_prefix(std::get<NegError>(heard).reason));
}

const Bytes kFirst = [] {
  static const NegentropySet nothing;
  return NegentropyInitiator(nothing).start();
}();

}  // namespace

TEST_CASE(
    "S3: after long absence a client finds by NIP-77 exactly what it lacks, and what the relay "
    "does") {
  Stage stage;
  std::vector<NegentropyItem> own;
  std::set<EventId> relay_only;
  std::set<EventId> own_only;
  for (int i = 0; i < 200; ++i) {
    const Event event = event_of(key(1), 1, kTime - i / 3, {}, std::to_string(i));
    if (i % 50 != 0) own.push_back({event.created_at, event.id});
    if (i % 50 == 0) relay_only.insert(event.id);
    if (i % 70 == 1) own_only.insert(event.id);
    if (i % 70 != 1) REQUIRE(stage.offer(kAlice, event).accepted);
  }
  stage.offer(kAlice, event_of(key(1), 2, kTime));  // not asked for
  const NegentropySet set = *NegentropySet::seal(own);
  NegentropyInitiator initiator(set);
  ClientMessage next = NegOpenRequest{"n", kinds({1}), initiator.start()};
  for (;;) {
    const RelayMessage heard = answer_to(stage, next);
    REQUIRE(std::holds_alternative<NegMessage>(heard));
    auto message = initiator.receive(std::get<NegMessage>(heard).message);
    REQUIRE(message);
    if (!*message) break;
    next = NegMessage{"n", **message};
  }
  CHECK(std::set<EventId>(initiator.need().begin(), initiator.need().end()) == relay_only);
  CHECK(std::set<EventId>(initiator.have().begin(), initiator.have().end()) == own_only);
  stage.say(kBob, text(NegCloseRequest{"n"}));
  CHECK(error_of(stage, NegMessage{"n", kFirst}) == "closed");
}

TEST_CASE("S49: reconciliations are bounded in events, in number and in all") {
  RelayOptions options;
  options.max_negentropy_items = 10;
  options.max_negentropy_sessions = 2;
  options.max_negentropy_total = 15;
  Stage stage(options);
  for (int i = 0; i < 11; ++i) stage.offer(kAlice, event_of(key(1), 1, kTime + i));
  for (int i = 0; i < 8; ++i) stage.offer(kAlice, event_of(key(1), 2, kTime + i));

  const RelayMessage too_many = answer_to(stage, NegOpenRequest{"n", kinds({1}), kFirst});
  CHECK(reason_prefix(std::get<NegError>(too_many).reason) == "blocked");
  CHECK(std::get<NegError>(too_many).max_records == 10u);
  Filter newest = kinds({1});
  newest.limit = 10;
  CHECK(std::holds_alternative<NegMessage>(answer_to(stage, NegOpenRequest{"n", newest, kFirst})));
  // In place of the one with that id.
  CHECK(std::holds_alternative<NegMessage>(
      answer_to(stage, NegOpenRequest{"n", kinds({2}), kFirst})));
  CHECK(std::holds_alternative<NegMessage>(
      answer_to(stage, NegOpenRequest{"m", kinds({9}), kFirst})));
  CHECK(std::holds_alternative<NegError>(
      answer_to(stage, NegOpenRequest{"third", kinds({9}), kFirst})));
  stage.say(kAlice, text(NegOpenRequest{"n", kinds({2}), kFirst}));
  CHECK(reason_prefix(std::get<NegError>(stage.hears(kAlice).back()).reason) == "blocked");

  // One that has been silent for a minute makes way.
  stage.now.steady += Seconds(60);
  stage.say(kAlice, text(NegOpenRequest{"n", kinds({2}), kFirst}));
  CHECK(std::holds_alternative<NegMessage>(stage.hears(kAlice).back()));
  CHECK(error_of(stage, NegMessage{"n", kFirst}) == "closed");
}

TEST_CASE("R19: what is no reconciliation is refused by NEG-ERR and ends it") {
  Stage stage;
  CHECK(error_of(stage, NegMessage{"n", kFirst}) == "closed");
  CHECK(error_of(stage, NegOpenRequest{"n", {}, {0x61, 0xff}}) == "invalid");
  CHECK(error_of(stage, NegMessage{"n", kFirst}) == "closed");
  stage.say(kBob, R"(["NEG-OPEN","n",{"search":"x"},"61"])");
  CHECK(std::holds_alternative<NegError>(stage.hears(kBob).at(0)));
  stage.say(kBob, R"(["NEG-OPEN","n",{},"6"])");
  CHECK(std::holds_alternative<NegError>(stage.hears(kBob).at(0)));
}

TEST_CASE("a reconciliation and a subscription with the same id do not touch each other") {
  Stage stage;
  stage.say(kBob, req("s", kinds({1})));
  stage.hears(kBob);
  answer_to(stage, NegOpenRequest{"s", kinds({1}), kFirst});
  stage.say(kBob, text(NegCloseRequest{"s"}));
  stage.offer(kAlice, event_of(key(1), 1, kTime));
  CHECK(stage.hears(kBob).size() == 1);
}
