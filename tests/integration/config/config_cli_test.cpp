// The configuration as a user meets it: what there is, what is set, and what is wrong with it.
#include <csignal>

#include "ipnscast/tests/integration/cli/cli_stack.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

Ran run_with(const Stack& stack, std::vector<std::string> arguments,
             const std::map<std::string, std::string>& environment) {
  Command command = stack.command("ann", std::move(arguments));
  command.environment.insert(environment.begin(), environment.end());
  return ipnscast::test::run(command, kSoon);
}

}  // namespace

TEST_CASE("the sample that config --defaults prints is a configuration that changes nothing (G5)") {
  const Stack stack;
  const Ran sample = stack.run("ann", {"config", "--defaults"});
  REQUIRE(sample.exit == 0);
  CHECK(sample.err.empty());
  write(stack.folder() / "ann/sample.toml", sample.out);
  const Ran checked = stack.run("ann", {"--config", "sample.toml", "config", "--check"});
  INFO(checked.err);
  CHECK(checked.exit == 0);
  const json before = json::parse(stack.run("ann", {"config", "--json"}).out);
  const json after =
      json::parse(stack.run("ann", {"--config", "sample.toml", "config", "--json"}).out);
  CHECK(before.size() > 60);
  REQUIRE(after.size() == before.size());
  for (const auto& [key, facts] : before.items()) {
    INFO(key);
    CHECK(facts.at("value") == facts.at("default"));
    CHECK(facts.at("set_by").is_null());
    CHECK(after.at(key).at("value") == facts.at("value"));
    CHECK(after.at(key).at("set_by").get<std::string>().starts_with("sample.toml: line "));
  }
}

TEST_CASE("config says what is set, by whom, and what a key means (G5)") {
  const Stack stack;
  write(stack.folder() / "ann/config/ipnscast/config.toml", "[fetch]\nparallel = 3\n");
  const std::map<std::string, std::string> environment = {
      {"IPNSCAST_PUBLISH_TTL", "2m"}, {"IPNSCAST_RELAYS_PROXY", "socks5://me:w0rd@127.0.0.1:9"}};
  const json all = json::parse(run_with(stack, {"config", "--json"}, environment).out);
  CHECK(all.at("fetch.parallel").at("value") == 3);
  CHECK(all.at("fetch.parallel").at("default") == 8);
  CHECK(all.at("fetch.parallel")
            .at("set_by")
            .get<std::string>()
            .ends_with("config.toml: line 2: fetch.parallel"));
  CHECK(all.at("publish.ttl").at("set_by") == "IPNSCAST_PUBLISH_TTL");
  CHECK(all.at("relays.proxy").at("value") == "socks5://***@127.0.0.1:9");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"config", "--explain", "publish.ttl"},
        {"config", "--explain", "IPNSCAST_PUBLISH_TTL"}}) {
    const Ran one = run_with(stack, arguments, environment);
    INFO(one.out << one.err);
    CHECK(one.exit == 0);
    for (const char* const part : {"publish.ttl\n", "\"5m\"", "\"2m\"", "IPNSCAST_PUBLISH_TTL"})
      CHECK(one.out.find(part) != std::string::npos);
  }
  const json section =
      json::parse(run_with(stack, {"config", "--explain", "handover", "--json"}, {}).out);
  CHECK(section.size() == 4);
  const Ran unknown = run_with(stack, {"config", "--explain", "publish.tll"}, environment);
  CHECK(unknown.exit == 2);
  CHECK(unknown.err.find("did you mean publish.ttl?") != std::string::npos);
  CHECK(run_with(stack, {"config", "--check", "--defaults"}, {}).exit == 2);
}

TEST_CASE("what is wrong with a configuration is told with its place, and never by the wrong one") {
  const Stack stack;
  stack.init("ann");
  const std::string file = (stack.folder() / "ann/config/ipnscast/config.toml").string();
  const std::pair<std::map<std::string, std::string>, std::string> variables[] = {
      {{{"IPNSCAST_RELAYS_URL", "ws://127.0.0.1:1"}}, "did you mean IPNSCAST_RELAYS_URLS?"},
      {{{"IPNSCAST_FETCH_PARALLEL", "0"}}, "IPNSCAST_FETCH_PARALLEL: want 1 to 64, not 0"},
      {{{"IPNSCAST_RELAYS_TARGET", "2"}}, "IPNSCAST_RELAYS_TARGET: no setting has this name"}};
  for (const auto& [environment, words] : variables) {
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"status"},
                                                      {"resolve", "self"},
                                                      {"bridge", "--check-config"},
                                                      {"relay", "serve", "--listen", "127.0.0.1:0"},
                                                      {"config", "--check"}}) {
      const Ran ran = run_with(stack, arguments, environment);
      INFO(arguments.front() << ": " << ran.err);
      CHECK(ran.exit == 2);
      CHECK(ran.err.find(words) != std::string::npos);
      CHECK(ran.err.find(file) == std::string::npos);
    }
  }
  const Ran proxy = stack.run("ann", {"--proxy", "foo", "resolve", "self"});
  INFO(proxy.err);
  CHECK(proxy.exit == 2);
  CHECK(proxy.err.starts_with("ipnscast: --proxy: "));
  CHECK(proxy.err.find("config.toml") == std::string::npos);
  // Another program's variables, and those of commands that --exec started, change nothing.
  CHECK(run_with(stack, {"status"}, {{"IPNSCAST_CID", "x"}, {"IPNSCAST_RELAY_PORT", "tcp://x"}})
            .exit == 0);
}

TEST_CASE("a configuration file may be empty, a device or a pipe, and not a directory (G7)") {
  const Stack stack;
  const auto check = [&](const std::string& file) {
    return stack.run("ann", {"--config", file, "config", "--check"});
  };
  const Ran null = check("/dev/null");
  INFO(null.err);
  CHECK(null.exit == 0);
  Command piped = stack.command("ann", {"--config", "/dev/stdin", "config", "--json"});
  piped.input = "[fetch]\nparallel = 3\n";
  const Ran from_pipe = ipnscast::test::run(piped, kSoon);
  INFO(from_pipe.err);
  REQUIRE(from_pipe.exit == 0);
  CHECK(json::parse(from_pipe.out).at("fetch.parallel").at("value") == 3);
  const std::pair<const char*, const char*> bad[] = {
      {"/", "is a directory"}, {"/dev/zero", "larger than 16 MiB"}, {"none.toml", "no such file"}};
  for (const auto& [file, words] : bad) {
    const Ran refused = check(file);
    INFO(refused.err);
    CHECK(refused.exit == 2);
    CHECK(refused.err.find(words) != std::string::npos);
  }
}

TEST_CASE("up serves its metrics where the configuration says, or nowhere (G1)") {
  const Stack stack;
  const auto metrics = [&](const std::string& where) {
    Command up = stack.command("ann", {"up", "--port-base", "0", "--json"});
    up.environment["IPNSCAST_HTTP_METRICS"] = where;
    Process process(up);
    const auto ready = process.wait_for_line("\"metrics\"", kSoon);
    INFO(process.output());
    REQUIRE(ready);
    process.signal(SIGTERM);
    REQUIRE(process.wait(kSoon));
    return json::parse(*ready).at("metrics").get<std::string>();
  };
  CHECK(metrics("127.0.0.2:9464").starts_with("http://127.0.0.2:"));
  CHECK(metrics("").empty());
}

TEST_CASE("options of relay serve are settings, with the same checks and the same help") {
  const Stack stack;
  const Ran help = stack.run("ann", {"relay", "serve", "--help"});
  for (const char* const key : {"relay.listen", "relay.writers", "relay.max_waiting", "relay.rate"})
    CHECK(help.out.find(key) != std::string::npos);
  Command serve = stack.command("ann", {"relay", "serve", "--listen", "127.0.0.1:0"});
  serve.environment["IPNSCAST_RELAY_LISTEN"] = "nonsense";
  const Ran refused = ipnscast::test::run(serve, kSoon);
  CHECK(refused.exit == 2);  // what nobody will use is checked too
  CHECK(refused.err.find("IPNSCAST_RELAY_LISTEN: \"nonsense\": want ADDRESS:PORT") !=
        std::string::npos);
}
