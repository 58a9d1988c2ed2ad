// Encrypted keys (NIP-49) as a user meets them at the command line.
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using nlohmann::json;
using test::Command;
using test::Ran;
namespace fs = std::filesystem;

const std::string kProgram = test::program();
const std::string kSecret = "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35";

// Somebody with a state directory and no terminal.
class Person {
 public:
  std::string file(const std::string& name, const std::string& line) const {
    const fs::path path = folder_.path() / name;
    std::ofstream(path) << line << "\n";
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    return path.string();
  }
  Command command(std::vector<std::string> arguments) const {
    Command out;
    out.argv = {"setsid", "--wait", kProgram};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    out.argv.insert(out.argv.end(), {"--state", (folder_.path() / "state").string()});
    out.environment = {{"HOME", folder_.path().string()}, {"IPNSCAST_PASSWORD", ""}};
    return out;
  }
  Ran run(std::vector<std::string> arguments) const {
    return test::run(command(std::move(arguments)));
  }
  json ask(std::vector<std::string> arguments) const {
    arguments.push_back("--json");
    const Ran ran = run(std::move(arguments));
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
    return json::parse(ran.out);
  }
  std::string stored(const std::string& name) const {
    std::ostringstream out;
    out << std::ifstream(folder_.path() / "state/keys" / name).rdbuf();
    return out.str();
  }

 private:
  test::TempDir folder_;
};

struct Typed {
  std::string shown;  // everything that the terminal showed
  int exit = -1;
  bool echoes_afterwards = false;
};

// Runs the command at a terminal of its own and types the answer to each question when it is asked.
Typed at_terminal(const Command& command,
                  const std::vector<std::pair<std::string, std::string>>& answers) {
  int terminal = -1;
  int inner = -1;
  REQUIRE(::openpty(&terminal, &inner, nullptr, nullptr, nullptr) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::login_tty(inner);
    ::close(terminal);
    for (const auto& [name, value] : command.environment) ::setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> argv;
    for (size_t i = 2; i < command.argv.size(); ++i)  // without setsid
      argv.push_back(const_cast<char*>(command.argv[i].c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  Typed out;
  size_t next = 0;
  size_t looked_at = 0;
  char buffer[512];
  // `inner` stays open here, so that the terminal can be looked at when the child is gone; the end
  // is its last question answered and its own end.
  while (next < answers.size()) {
    const ssize_t got = ::read(terminal, buffer, sizeof(buffer));
    if (got <= 0) break;
    out.shown.append(buffer, static_cast<size_t>(got));
    const size_t found = out.shown.find(answers[next].first, looked_at);
    if (found == std::string::npos) continue;
    looked_at = found + answers[next].first.size();
    const std::string& text = answers[next++].second;
    REQUIRE(::write(terminal, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  out.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  termios mode{};
  out.echoes_afterwards = ::tcgetattr(inner, &mode) == 0 && (mode.c_lflag & ECHO) != 0 &&
                          (mode.c_lflag & ISIG) != 0 && (mode.c_lflag & ICANON) != 0;
  ::close(inner);
  for (ssize_t got; (got = ::read(terminal, buffer, sizeof(buffer))) > 0;)
    out.shown.append(buffer, static_cast<size_t>(got));
  ::close(terminal);
  return out;
}

}  // namespace

TEST_CASE("a stored key is encrypted in place and used with its password, never without") {
  const Person person;
  const json before = person.ask({"key", "generate"});
  const std::string good = person.file("good", "correct horse");
  const std::string bad = person.file("bad", "wrong horse");
  CHECK(person.stored("self.nostr").starts_with("nsec1"));

  const json encrypted = person.ask({"key", "encrypt", "--password-file", good, "--log-n", "10"});
  CHECK(encrypted["encrypted"] == true);
  CHECK(person.stored("self.nostr").starts_with("ncryptsec1"));
  CHECK(person.run({"key", "encrypt", "--password-file", good}).exit == 1);  // it is already

  CHECK(person.ask({"key", "show", "--password-file", good})["npub"] == before["npub"]);
  Command by_variable = person.command({"key", "show", "--json"});
  by_variable.environment["IPNSCAST_PASSWORD"] = "correct horse";
  CHECK(json::parse(test::run(by_variable).out)["npub"] == before["npub"]);

  const Ran wrong = person.run({"key", "show", "--password-file", bad});
  CHECK(wrong.exit == 1);
  CHECK(wrong.err.find("wrong password") != std::string::npos);
  const Ran none = person.run({"key", "show"});
  CHECK(none.exit == 1);
  CHECK(none.err.find("--password-file") != std::string::npos);
  CHECK(none.err.find("IPNSCAST_PASSWORD") != std::string::npos);

  // A list asks nobody.
  const json listed = person.ask({"key", "list"})["keys"];
  REQUIRE(listed.size() == 1);
  CHECK(listed[0]["encrypted"] == true);
  CHECK_FALSE(listed[0].contains("npub"));
  CHECK(person.run({"key", "list"}).out.find("encrypted") != std::string::npos);
}

TEST_CASE("an encrypted key file does wherever a secret file does") {
  const Person person;
  const std::string password = person.file("password", "p\u00e4ss");
  const std::string clear = person.file("clear", kSecret);
  const Ran made = person.run(
      {"key", "encrypt", "--secret-file", clear, "--password-file", password, "--log-n", "10"});
  INFO(made.err);
  REQUIRE(made.exit == 0);
  const std::string closed = person.file("closed", made.out.substr(0, made.out.find('\n')));

  Command sign =
      person.command({"event", "sign", "--secret-file", closed, "--password-file", password});
  sign.input = R"({"kind":1,"content":"x","tags":[],"created_at":1})";
  const Ran signed_event = test::run(sign);
  INFO(signed_event.err);
  REQUIRE(signed_event.exit == 0);
  const json shown = person.ask({"key", "show", "--secret-file", clear});
  CHECK(json::parse(signed_event.out)["pubkey"] == shown["pubkey"]);
  CHECK(person.run({"event", "sign", "--secret-file", closed}).exit == 2);

  // A seed in an encrypted file makes the same record key; the password may differ in how it is
  // typed.
  const std::string composed = person.file("composed", "pa\u0308ss");
  const auto ed25519 = [&](const std::string& file) {
    return person.ask({"key", "show", "--secret-file", file, "--type", "ed25519", "--password-file",
                       composed})["ed25519"];
  };
  CHECK(ed25519(closed) == ed25519(clear));

  // Taken in as it is: the clear key never comes to the disk.
  CHECK(person.run({"key", "import", closed, "copy"}).exit == 1);
  const json imported = person.ask({"key", "import", closed, "copy", "--password-file", password});
  CHECK(imported["pubkey"] == shown["pubkey"]);
  CHECK(imported["encrypted"] == true);
  CHECK(person.stored("copy.nostr") == made.out);

  // A new key that never lies in the clear.
  const json fresh = person.ask(
      {"key", "generate", "born", "--encrypt", "--log-n", "10", "--password-file", password});
  CHECK(person.stored("born.nostr").starts_with("ncryptsec1"));
  CHECK(person.ask({"key", "show", "born", "--password-file", password})["npub"] == fresh["npub"]);

  // The bridge says what it lacks instead of asking nobody.
  const std::string config =
      person.file("config.toml",
                  "[identity]\nkey = \"born\"\n[relays]\nurls = [\"ws://127.0.0.1:9\"]\n"
                  "[gateways]\nnodes = [\"http://127.0.0.1:9\"]\n[bridge]\nnames = "
                  "[\"k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm\"]\n");
  const Ran bridge = person.run({"bridge", "--check-config", "--config", config});
  CHECK(bridge.exit == 2);
  CHECK(bridge.err.find("no terminal") != std::string::npos);
  CHECK(person.run({"bridge", "--check-config", "--config", config, "--password-file", password})
            .exit == 0);
}

TEST_CASE("a password typed at the terminal is not shown, and the terminal is left as it was") {
  const Person person;
  person.ask({"key", "generate"});
  const Command encrypt = person.command({"key", "encrypt", "--log-n", "10"});
  const Typed differing =
      at_terminal(encrypt, {{"New password", "correct horse\r"}, {"Once more", "correct house\r"}});
  CHECK(differing.exit == 1);
  CHECK(person.stored("self.nostr").starts_with("nsec1"));

  // One letter of two bytes too many is taken back.
  const Typed typed = at_terminal(
      encrypt, {{"New password", "correct horse\u00e9\x7f\r"}, {"Once more", "correct horse\n"}});
  INFO(typed.shown);
  CHECK(typed.exit == 0);
  CHECK(typed.shown.find("horse") == std::string::npos);
  CHECK(typed.echoes_afterwards);
  CHECK(person.stored("self.nostr").starts_with("ncryptsec1"));

  const Command show = person.command({"key", "show"});
  const Typed shown = at_terminal(show, {{"Password of key \"self\"", "correct horse\r"}});
  CHECK(shown.exit == 0);
  CHECK(shown.shown.find("npub1") != std::string::npos);
  const Typed cancelled = at_terminal(show, {{"Password of key", "correct\x03"}});
  CHECK(cancelled.exit == 1);
  CHECK(cancelled.echoes_afterwards);
}

}  // namespace ipnscast
