// A remote signer's client on a virtual clock (NIP-46).
#include "ipnscast/nostr/signer/remote_session.h"

#include <algorithm>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

const std::string kUser = std::string(64, 'a');
const PublicKey kSigner = PublicKey::from(Bytes(32, 7));

SecretText secret(std::string text) { return SecretText::take(text); }

// A session with a signer that says what the test tells it.
struct Stage {
  explicit Stage(RemoteSession::Past past = {}, std::string shared = "s3cret")
      : session({.perms = "sign_event"}, kSigner, secret(std::move(shared)), past, "id", Rng(1)) {}

  void listening() {
    session.listening(now, out);
    collect();
  }
  uint64_t call(const std::string& method) {
    session.call({++tickets}, method, {"x"}, now, out);
    collect();
    return tickets;
  }
  // The signer's answer to the newest request of this method.
  void answer(const std::string& method, const std::string& result, const std::string& error = "") {
    session.receive(to_json(SignerResponse{id_of(method), result, error}), now, out);
    collect();
  }
  void receive(const std::string& json) {
    session.receive(json, now, out);
    collect();
  }
  void pass(Milliseconds time) {
    const Instant end = now.steady + time;
    for (auto next = session.next_tick(); next && *next <= end; next = session.next_tick()) {
      REQUIRE(*next >= now.steady);
      now.steady = *next;
      session.tick(now, out);
      collect();
    }
    now.steady = end;
    session.tick(now, out);
    collect();
  }
  void make_ready() {
    listening();
    answer("connect", "ack");
    answer("get_public_key", kUser);
    REQUIRE(session.ready());
  }

  std::string id_of(const std::string& method) const {
    const auto found = std::find_if(sent.rbegin(), sent.rend(),
                                    [&](const SignerRequest& r) { return r.method == method; });
    REQUIRE(found != sent.rend());
    return found->id;
  }
  size_t count(const std::string& method) const {
    return static_cast<size_t>(std::count_if(
        sent.begin(), sent.end(), [&](const SignerRequest& r) { return r.method == method; }));
  }

  Now now{Instant{} + std::chrono::hours(1), {1'700'000'000'000}};
  RemoteSession session;
  uint64_t tickets = 0;
  std::vector<SignerRequest> sent;
  std::vector<RemoteSession::Answer> answers;
  std::vector<std::string> urls;
  std::vector<std::vector<RelayUrl>> moves;
  std::vector<PublicKey> users;
  std::vector<RemoteSession::Trouble> troubles;
  int connections = 0;

 private:
  void collect() {
    for (auto& action : out) std::visit([&](auto& a) { note(a); }, action);
    out.clear();
  }
  void note(RemoteSession::Send& a) { sent.push_back(a.request); }
  void note(RemoteSession::Answer& a) { answers.push_back(std::move(a)); }
  void note(RemoteSession::ShowUrl& a) { urls.push_back(a.url); }
  void note(RemoteSession::Switch& a) { moves.push_back(a.relays); }
  void note(RemoteSession::Connected&) { ++connections; }
  void note(RemoteSession::Ready& a) { users.push_back(a.user); }
  void note(RemoteSession::Trouble& a) { troubles.push_back(a); }

  RemoteSession::Actions out;
};

}  // namespace

TEST_CASE("a session connects with the secret, asks for user and relays, then serves its callers") {
  Stage stage;
  stage.call("sign_event");  // kept until we are connected
  CHECK(stage.sent.empty());
  stage.listening();
  REQUIRE(stage.sent.size() == 1);
  CHECK(stage.sent[0].method == "connect");
  CHECK(stage.sent[0].params ==
        std::vector<std::string>{to_hex(kSigner.view()), "s3cret", "sign_event"});
  stage.answer("connect", "ack");
  CHECK(stage.connections == 1);
  CHECK(stage.count("switch_relays") == 1);
  CHECK(stage.count("get_public_key") == 1);
  CHECK(stage.count("sign_event") == 0);
  stage.answer("get_public_key", kUser);
  REQUIRE(stage.users.size() == 1);
  CHECK(to_hex(stage.users[0].view()) == kUser);
  CHECK(stage.count("sign_event") == 1);
  stage.answer("sign_event", "signed");
  REQUIRE(stage.answers.size() == 1);
  CHECK(*stage.answers[0].result == "signed");
}

TEST_CASE("a signer may prove itself by showing the secret, and none that shows another is used") {
  Stage good;
  good.listening();
  good.answer("connect", "s3cret");
  good.answer("get_public_key", kUser);
  CHECK(good.session.ready());

  Stage bad;
  bad.call("ping");
  bad.listening();
  bad.answer("connect", "other");
  REQUIRE(bad.troubles.size() == 1);
  CHECK(bad.troubles[0].final);
  CHECK(bad.troubles[0].error.code == Errc::mismatch);
  REQUIRE(bad.answers.size() == 1);
  CHECK(bad.answers[0].result.error().code == Errc::mismatch);
  bad.call("ping");
  CHECK(bad.answers.size() == 2);
  bad.pass(std::chrono::hours(24));
  CHECK(bad.sent.size() == 1);  // it is left alone

  Stage without({}, "");
  without.listening();
  without.answer("connect", "");
  CHECK(without.troubles.at(0).final);
}

TEST_CASE("a connection of an earlier run is taken up without the spent secret") {
  Stage stage({true, PublicKey::from(*from_hex(kUser))});
  stage.listening();
  CHECK(stage.count("connect") == 0);
  CHECK(stage.count("get_public_key") == 1);
  stage.answer("get_public_key", kUser);
  CHECK(stage.session.ready());

  // Another user than before: nothing may be signed by it.
  Stage swapped({true, PublicKey::from(*from_hex(kUser))});
  swapped.call("sign_event");
  swapped.listening();
  swapped.answer("get_public_key", std::string(64, 'b'));
  CHECK(swapped.troubles.at(0).final);
  CHECK(swapped.answers.at(0).result.error().code == Errc::conflict);
  CHECK(swapped.count("sign_event") == 0);

  // A signer that has forgotten us is shown the secret once more.
  Stage forgotten({true, PublicKey::from(*from_hex(kUser))});
  forgotten.listening();
  forgotten.answer("get_public_key", "error", "unknown client");
  CHECK(forgotten.count("connect") == 1);
  forgotten.answer("connect", "ack");
  forgotten.answer("get_public_key", kUser);
  CHECK(forgotten.session.ready());
}

TEST_CASE("E5 a signer whose ack was lost is reached with the key that it knows") {
  // The next start: the secret is spent, the key is kept.
  for (const bool as_result : {false, true}) {
    Stage stage({.tried = true});
    stage.listening();
    stage.answer("connect", as_result ? "already connected" : "",
                 as_result ? "" : "secret already used");
    stage.answer("get_public_key", kUser);
    CHECK(stage.session.ready());
  }
  // In one run: the ack never comes, and a spent secret gets no answer.
  Stage stage;
  stage.listening();
  for (int i = 0; i < 600 && stage.count("get_public_key") == 0; ++i)
    stage.pass(Milliseconds(1'000));
  stage.answer("get_public_key", kUser);
  CHECK(stage.session.ready());
}

TEST_CASE("E5 a signer that refuses a key it never saw is not asked whose it is") {
  Stage stage;
  stage.listening();
  stage.answer("connect", "", "invalid secret");
  CHECK(stage.count("get_public_key") == 0);
  REQUIRE_FALSE(stage.troubles.empty());
  CHECK(stage.troubles.front().error.code == Errc::refused);
}

TEST_CASE("E5 a signer that refuses the secret and the key is reported with the first reason") {
  Stage stage({.tried = true});
  stage.listening();
  stage.answer("connect", "", "invalid secret");
  stage.answer("get_public_key", "", "not connected");
  CHECK_FALSE(stage.session.ready());
  REQUIRE_FALSE(stage.troubles.empty());
  CHECK(stage.troubles.front().error.message.find("invalid secret") != std::string::npos);
}

TEST_CASE("a signer that never answers costs each request its time and no more") {
  Stage stage;
  stage.listening();
  stage.pass(std::chrono::seconds(29));
  CHECK(stage.troubles.empty());
  stage.pass(std::chrono::seconds(1));
  REQUIRE(stage.troubles.size() == 1);
  CHECK_FALSE(stage.troubles[0].final);
  CHECK(stage.troubles[0].error.code == Errc::timeout);

  stage.call("sign_event");
  stage.pass(std::chrono::seconds(30));
  REQUIRE(stage.answers.size() == 1);
  CHECK(stage.answers[0].result.error().code == Errc::timeout);

  // It is tried again ever more rarely: within a day every five minutes or so, not more.
  stage.pass(std::chrono::hours(24));
  CHECK(stage.count("connect") > 250);
  CHECK(stage.count("connect") < 900);
  const size_t asked = stage.count("connect");
  while (stage.count("connect") == asked) stage.pass(std::chrono::seconds(1));
  stage.answer("connect", "ack");
  stage.answer("get_public_key", kUser);
  CHECK(stage.session.ready());
}

TEST_CASE("answers are counted once, and those to nobody's request not at all") {
  Stage stage;
  stage.make_ready();
  stage.call("sign_event");
  const std::string id = stage.id_of("sign_event");
  stage.receive(to_json(SignerResponse{"other", "signed", ""}));
  stage.receive("not json");
  CHECK(stage.answers.empty());
  stage.receive(to_json(SignerResponse{id, "signed", ""}));
  stage.receive(to_json(SignerResponse{id, "signed again", ""}));
  REQUIRE(stage.answers.size() == 1);
  CHECK(*stage.answers[0].result == "signed");
  CHECK(stage.session.counters().unknown == 2);
  CHECK(stage.session.counters().malformed == 1);

  // Too late is nobody's request too.
  stage.call("ping");
  stage.pass(std::chrono::seconds(30));
  CHECK(stage.answers.size() == 2);
  stage.answer("ping", "pong");
  CHECK(stage.answers.size() == 2);
  CHECK(stage.answers[1].result.error().code == Errc::timeout);

  // Its words end in one line of ours.
  stage.call("sign_event");
  stage.answer("sign_event", "error", "no\x1b[2J\nway" + std::string(1000, '!'));
  CHECK(stage.answers[2].result.error().code == Errc::refused);
  CHECK(stage.answers[2].result.error().message.find_first_of("\x1b\n") == std::string::npos);
  CHECK(stage.answers[2].result.error().message.size() < 400);
}

TEST_CASE("a page to agree on is shown once and gives a person time") {
  Stage stage;
  stage.make_ready();
  stage.call("sign_event");
  stage.answer("sign_event", "auth_url", "javascript:alert(1)");
  CHECK(stage.urls.empty());
  stage.pass(std::chrono::seconds(20));
  stage.answer("sign_event", "auth_url", "https://signer.example/ok");
  stage.answer("sign_event", "auth_url", "https://signer.example/ok");
  CHECK(stage.urls == std::vector<std::string>{"https://signer.example/ok"});
  stage.pass(std::chrono::minutes(4));
  CHECK(stage.answers.empty());
  stage.answer("sign_event", "signed");
  CHECK(*stage.answers.at(0).result == "signed");

  stage.call("sign_event");
  stage.answer("sign_event", "auth_url", "https://signer.example/ok");
  stage.pass(std::chrono::minutes(5));
  CHECK(stage.answers.at(1).result.error().code == Errc::timeout);
}

TEST_CASE("what was asked when a link broke is asked again under the same ids") {
  Stage stage;
  stage.make_ready();
  stage.call("sign_event");
  stage.call("ping");
  stage.answer("ping", "pong");
  const std::string id = stage.id_of("sign_event");
  stage.listening();
  CHECK(stage.count("sign_event") == 2);
  CHECK(stage.id_of("sign_event") == id);
  CHECK(stage.count("ping") == 1);
  CHECK(stage.count("connect") == 1);
}

TEST_CASE("a signer moves us to other relays, to a few and real ones") {
  Stage stage;
  stage.listening();
  stage.answer("connect", "ack");
  stage.answer("switch_relays",
               R"(["wss://a.example","nonsense",7,"wss://b.example","wss://A.example/"])");
  REQUIRE(stage.moves.size() == 1);
  REQUIRE(stage.moves[0].size() == 2);
  CHECK(stage.moves[0][0].text() == "wss://a.example");
  for (const char* none : {"null", "", "[]", "{}", R"({"a":1})", "[[["}) {
    Stage other;
    other.listening();
    other.answer("connect", "ack");
    other.answer("switch_relays", none);
    CHECK(other.moves.empty());
  }
  std::string many = "[";
  for (int i = 0; i < 500; ++i) many += "\"wss://r" + std::to_string(i) + ".example\",";
  many.back() = ']';
  Stage other;
  other.listening();
  other.answer("connect", "ack");
  other.answer("switch_relays", many);
  CHECK(other.moves.at(0).size() == 8);
}

TEST_CASE("requests are bounded, and each gets exactly one answer") {
  Stage stage;
  for (int i = 0; i < 300; ++i) stage.call("sign_event");
  CHECK(stage.answers.size() == 44);  // 256 wait
  CHECK(stage.answers[0].result.error().code == Errc::busy);
  stage.make_ready();
  CHECK(stage.count("sign_event") == 256);
  stage.pass(std::chrono::minutes(1));
  REQUIRE(stage.answers.size() == 300);
  std::vector<uint64_t> tickets;
  for (const auto& answer : stage.answers) tickets.push_back(answer.ticket.value);
  std::sort(tickets.begin(), tickets.end());
  CHECK(std::unique(tickets.begin(), tickets.end()) == tickets.end());
  CHECK_FALSE(stage.session.next_tick());
}
