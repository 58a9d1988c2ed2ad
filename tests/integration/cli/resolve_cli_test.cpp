// What resolve and get say when sources are silent, refuse, fall back or contradict each other.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ipnscast/sync/ipfs/ipns/ipns_record.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/temp_dir.h"

namespace ipnscast {
namespace {

using namespace sync;
using nlohmann::json;
using test::ScriptedAnswer;
using test::ScriptedHttpServer;
using test::ScriptedRequest;

constexpr Seconds kSoon{120};
constexpr const char* kValue = "/ipfs/bafkqaddwgevxmmraojswg33smq";
constexpr const char* kOther = "/ipfs/bafkqaaa";

IpnsKey key() { return std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 4))); }
const std::string kName = key().name().to_string();

ScriptedAnswer record(uint64_t sequence, const std::string& value = kValue) {
  const auto made =
      create_record(key(), {.value = value,
                            .sequence = {sequence},
                            .eol = Eol::after(system_now().wall, std::chrono::hours(1))});
  return {.headers = {{"Content-Type", "application/vnd.ipfs.ipns-record"}},
          .body = std::string(as_text(made->bytes()))};
}

ScriptedAnswer nothing() { return {.status = 404}; }

// Gives this answer to whoever asks for the record, through a trustless gateway's door.
ScriptedHttpServer::Script gateway(std::function<ScriptedAnswer()> answer) {
  return [answer = std::move(answer)](const ScriptedRequest& request) {
    return request.target.find("/ipns/" + kName) == 0 ? answer() : nothing();
  };
}

ScriptedAnswer hang(const ScriptedRequest&) { return {.delay = Seconds(60)}; }

struct Person {
  test::TempDir folder;
  test::Command command(const std::string& nodes, const std::vector<std::string>& arguments,
                        const std::map<std::string, std::string>& settings = {}) const {
    test::Command out;
    out.argv = {test::program(), "--json", "--state", (folder.path() / "state").string()};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    out.environment = {{"XDG_CONFIG_HOME", (folder.path() / "config").string()},
                       {"IPNSCAST_GATEWAYS_NODES", nodes}};
    for (const auto& [setting, value] : settings) out.environment["IPNSCAST_" + setting] = value;
    return out;
  }
  test::Ran run(const std::string& nodes, const std::vector<std::string>& arguments,
                const std::map<std::string, std::string>& settings = {}) const {
    return test::run(command(nodes, arguments, settings));
  }
  std::string out() const { return (folder.path() / "out").string(); }
};

std::string code_of(const test::Ran& ran) {
  std::istringstream lines(ran.err);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("{\"error\"", 0) == 0) return json::parse(line).at("error").at("code");
  }
  return "none: " + ran.err;
}

std::string refusing_url() {
  ScriptedHttpServer gone([](const ScriptedRequest&) { return nothing(); });
  return gone.url();
}

}  // namespace

TEST_CASE("resolve and get end alike: nobody is there, nobody has it, the time is over") {
  const Person person;
  const std::string gone = refusing_url();
  ScriptedHttpServer empty([](const ScriptedRequest&) { return nothing(); });
  ScriptedHttpServer silent(hang);
  struct Row {
    std::string nodes, code;
    int exit;
  };
  for (const Row& row :
       {Row{gone, "unreachable", 3}, Row{empty.url(), "not-found", 1},
        Row{silent.url(), "timeout", 124}, Row{empty.url() + "," + silent.url(), "timeout", 124}}) {
    for (const bool content : {false, true}) {
      std::vector<std::string> arguments{"--timeout", "700ms"};
      if (content)
        arguments.insert(arguments.end(), {"get", kName, "-o", person.out()});
      else
        arguments.insert(arguments.end(), {"resolve", kName});
      const auto ran = person.run(row.nodes, arguments);
      INFO(row.code << (content ? " get" : " resolve") << ": " << ran.err);
      CHECK(ran.exit == row.exit);
      CHECK(code_of(ran) == row.code);
    }
  }
}

TEST_CASE("a forged record as the only answer is no for an answer, and is told (F6)") {
  const Person person;
  std::string forged = record(5).body;
  forged[10] ^= 1;  // of the signature
  const auto other = record(5);
  const auto stranger =
      create_record(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, 5)),
                    {.value = kValue,
                     .sequence = {9},
                     .eol = Eol::after(system_now().wall, std::chrono::hours(1))});
  for (const std::string& body :
       {forged, std::string(as_text(stranger->bytes())), other.body.substr(0, 40)}) {
    ScriptedHttpServer liar(
        gateway([&] { return ScriptedAnswer{.headers = other.headers, .body = body}; }));
    for (const std::string& nodes : {liar.url(), liar.url() + "," + refusing_url()}) {
      for (const auto& arguments :
           {std::vector<std::string>{"resolve", kName}, {"get", kName, "-o", person.out()}}) {
        const auto ran = person.run(nodes, arguments);
        INFO(arguments[0] << ": " << ran.err);
        CHECK(ran.exit == 1);
        CHECK(ran.err.find("does not verify") != std::string::npos);
        CHECK(ran.err.find(liar.url()) != std::string::npos);
      }
    }
  }
  // An honest source beside it decides.
  ScriptedHttpServer liar(
      gateway([&] { return ScriptedAnswer{.headers = other.headers, .body = forged}; }));
  ScriptedHttpServer honest(gateway([] { return record(3); }));
  CHECK(person.run(liar.url() + "," + honest.url(), {"resolve", kName}).exit == 0);
}

TEST_CASE("what stands in its CID is got without any gateway (F13)") {
  const Person person;
  const auto got = person.run("", {"get", "bafkqaddwgevxmmraojswg33smq", "-o", person.out()});
  INFO(got.err);
  CHECK(got.exit == 0);
  CHECK(person.run("", {"get", "bafkqaddwgevxmmraojswg33smq/in", "-o", "-"}).exit == 1);
  const std::string elsewhere = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
  CHECK(person.run("", {"get", elsewhere, "-o", "-"}).exit == 2);
}

TEST_CASE("resolve waits when it is asked for a moment's patience, as get does (F15)") {
  for (const int status : {429, 503}) {
    const Person person;
    std::atomic<int> asked{0};
    ScriptedHttpServer busy([&](const ScriptedRequest& request) -> ScriptedAnswer {
      if (request.target.find("/ipns/" + kName) != 0) return nothing();
      if (++asked == 1) return {.status = status, .headers = {{"Retry-After", "1"}}};
      return record(7);
    });
    const auto ran = person.run(busy.url(), {"resolve", kName});
    INFO(ran.err);
    CHECK(ran.exit == 0);
    CHECK(asked >= 2);
    CHECK(json::parse(ran.out).at("sequence") == "7");
  }
  // Longer than anybody waits here.
  const Person person;
  ScriptedHttpServer closed([](const ScriptedRequest&) {
    return ScriptedAnswer{.status = 429, .headers = {{"Retry-After", "3600"}}};
  });
  CHECK(person.run(closed.url(), {"resolve", kName}).exit == 3);
}

TEST_CASE("--timeout is for the whole of a get, not for each of its steps (S1-20)") {
  ScriptedHttpServer gateway([](const ScriptedRequest& request) {
    // The content is an empty block.
    ScriptedAnswer slow = {.headers = {{"Content-Type", "application/vnd.ipld.raw"}}};
    if (request.target.find("/ipns/") == 0)
      slow = record(1, "/ipfs/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
    slow.delay = Milliseconds(900);
    return slow;
  });
  const Person person;
  const auto get = [&](const std::string& timeout, const std::string& out) {
    return person.run(gateway.url(), {"--timeout", timeout, "get", kName, "-o", out});
  };
  // Each step alone would be in time, both together are not.
  const auto ran = get("1200ms", person.out());
  INFO(ran.err);
  CHECK(ran.exit == 124);
  CHECK_FALSE(std::filesystem::exists(person.out()));
  CHECK(get("100s", person.out()).exit == 0);
}

TEST_CASE("the slow path is waited for when nobody else has the record (S1-05)") {
  ScriptedHttpServer empty([](const ScriptedRequest&) { return nothing(); });
  ScriptedHttpServer slow(gateway([] {
    ScriptedAnswer answer = record(3);
    answer.delay = Milliseconds(1'200);
    return answer;
  }));
  const Person person;
  const auto ran = person.run(
      empty.url(), {"resolve", kName},
      {{"GATEWAYS_SLOW", slow.url()}, {"RESOLVE_ANSWER_BY", "300ms"}, {"RESOLVE_LISTEN", "500ms"}});
  INFO(ran.err);
  REQUIRE(ran.exit == 0);
  CHECK(json::parse(ran.out).at("sequence") == "3");
}

TEST_CASE(
    "sources that fall back behind what is known here are told, and not believed (R11, S1-26)") {
  std::atomic<uint64_t> sequence{5};
  ScriptedHttpServer source(gateway([&] { return record(sequence); }));
  const Person person;
  {
    test::Process watch(person.command(source.url(), {"watch", "--records-only", kName}));
    const auto told = watch.wait_for_line("\"sequence\":\"5\"", kSoon);
    INFO(watch.output());
    REQUIRE(told);
    watch.signal(SIGTERM);
    REQUIRE(watch.wait(kSoon));
  }
  sequence = 2;
  const auto ran = person.run(source.url(), {"resolve", kName});
  INFO(ran.err);
  REQUIRE(ran.exit == 0);
  const json found = json::parse(ran.out);
  CHECK(found.at("sequence") == "5");
  CHECK(found.at("rollback") == true);
  CHECK(found.at("sources").back().at("url") == "known here");
  CHECK(ran.err.find("fell back") != std::string::npos);
  const auto once = person.run(source.url(), {"watch", "--once", "--records-only", kName});
  INFO(once.err);
  CHECK(once.exit == 1);
  CHECK(code_of(once) == "conflict");
}

TEST_CASE("a publisher that contradicts itself is told (S0-18, S0-25)") {
  ScriptedHttpServer one(gateway([] { return record(5, kValue); }));
  ScriptedHttpServer other(gateway([] { return record(5, kOther); }));
  const Person person;
  const auto ran = person.run(one.url() + "," + other.url(), {"resolve", kName});
  INFO(ran.err);
  REQUIRE(ran.exit == 0);
  const json found = json::parse(ran.out);
  const std::string value = found.at("value");
  CHECK(found.at("other_value") == (value == kValue ? kOther : kValue));
  CHECK(found.at("rollback") == false);
  CHECK(ran.err.find("signed twice") != std::string::npos);
}

}  // namespace ipnscast
