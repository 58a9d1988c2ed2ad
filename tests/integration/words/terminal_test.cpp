// What relays, gateways and file names say does not reach a terminal as it is (C4).
#include <csignal>

#include "ipnscast/nostr/event/message.h"
#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/relays/scripted_relay.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

// Clears the screen, goes back to the line's start, begins another line, and turns the writing.
const std::string kHostile =
    "gone\x1b[2J\r\nipnscast: all is well \xc2\x9b"
    "31m\xe2\x80\xae";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void check_harmless(const Ran& ran) {
  INFO(ran.out << ran.err);
  for (const std::string& text : {ran.out, ran.err}) {
    for (const std::string steering : {"\x1b", "\r", "\xc2\x9b", "\xe2\x80\xae"})
      CHECK_FALSE(has(text, steering));
    CHECK_FALSE(has(text, "\nipnscast: all is well"));
  }
}

}  // namespace

TEST_CASE("what a relay says cannot steer the terminal, nor pass for a line of ours (C4)") {
  ScriptedRelay relay([](ScriptedRelay& self, auto connection, const nostr::ClientMessage& said) {
    self.say(connection, nostr::RelayMessage(nostr::NoticeMessage{kHostile}));
    if (const auto* req = std::get_if<nostr::ReqRequest>(&said))
      self.say(connection,
               nostr::RelayMessage(nostr::ClosedMessage{req->subscription, "error: " + kHostile}));
  });
  const Stack stack;
  const std::vector<std::string> ask = {
      "event", "req", "{\"kinds\":[1]}", "--relay", relay.url().text(), "--timeout", "5s"};
  const Ran plain = stack.run("ann", ask);
  check_harmless(plain);
  CHECK(plain.exit != 0);
  CHECK(has(plain.err, "gone\\u001b[2J"));
  std::vector<std::string> with_json = ask;
  with_json.push_back("--json");
  const Ran as_json = stack.run("ann", with_json);
  check_harmless(as_json);
  std::istringstream lines(as_json.err);
  bool told = false;
  for (std::string line; std::getline(lines, line);) {
    const json object = json::parse(line);
    told |= object.contains("error") && has(object["error"]["message"], kHostile);
  }
  CHECK(told);
  std::vector<std::string> with_log = ask;
  with_log.push_back("-vv");
  check_harmless(stack.run("ann", with_log));
}

TEST_CASE("what a gateway says cannot steer the terminal either (C4)") {
  ScriptedHttpServer gateway([](const ScriptedRequest&) {
    return ScriptedAnswer{
        .status = 500, .headers = {{"Content-Type", "text/plain"}}, .body = kHostile};
  });
  const Stack stack;
  const std::string name = stack.init("ann").at("name");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"resolve", name, "--timeout", "5s"},
        {"get", "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "-o", "x",
         "--timeout", "5s"},
        {"gateway", "probe", gateway.url(), "--timeout", "20s", "-vv"}}) {
    Command command = stack.command("ann", arguments);
    command.environment["IPNSCAST_GATEWAYS_NODES"] = gateway.url();
    check_harmless(run(command, kSoon));
  }
}

TEST_CASE("file names of strangers are shown on one line each, and whole to programs (C4)") {
  const Stack stack;
  const std::string name = stack.init("ann").at("name");
  stack.init("bob");
  const std::string file = "a\x1b[2J\nadded    b\xe2\x80\xae.txt";
  write(stack.folder() / "ann/site" / file, "one");
  REQUIRE(stack.run("ann", {"publish", "self", "site"}).exit == 0);
  Process watch(stack.command("bob", {"watch", name, "--mirror", "copy"}));
  const auto line = watch.wait_for_line("  added    ", kSoon);
  REQUIRE(line);
  CHECK(has(*line, "added    a\\u001b[2J\\u000aadded    b\\u202e.txt"));
  watch.signal(SIGINT);
  const auto ended = watch.wait(kSoon);
  REQUIRE(ended);
  check_harmless(*ended);
  CHECK(read(stack.folder() / "bob/copy" / file) == "one");
  Process again(stack.command("ann", {"watch", name, "--mirror", "copy", "--json"}));
  const auto object = again.wait_for_line("\"change\"", kSoon);
  REQUIRE(object);
  CHECK_FALSE(has(*object, "\xe2\x80\xae"));
  CHECK(json::parse(*object)["mirror"]["added"] == json({file}));
  again.signal(SIGINT);
  REQUIRE(again.wait(kSoon));
}
