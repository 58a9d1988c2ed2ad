#pragma once

#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/support/gateways/dateless_port.h"
#include "ipnscast/tests/support/wrong_clock.h"

namespace ipnscast::test {

inline constexpr const char* kNoFaketime = "libfaketime is not there (package faketime)";

struct Servers {
  bool tell_the_time = true;            // false: to the laptop; others hear it
  nostr::server::RelayOptions rules{};  // of the relay
};

// Ann's laptop, whose clock may be wrong; bob's with the same key, and eve, a reader. Their clocks
// are right.
class Laptop {
 public:
  explicit Laptop(const std::string& library, Servers servers = {})
      : stack_({.port = 0, .relay = std::move(servers.rules)}),
        name_(stack_.init("ann").at("name")),
        clock_(library, stack_.folder() / "clock", "+0") {
    fs::copy(stack_.folder() / "ann", stack_.folder() / "bob", fs::copy_options::recursive);
    fs::create_directories(stack_.folder() / "eve" / "config");
    fs::copy(stack_.folder() / "ann" / "config", stack_.folder() / "eve" / "config",
             fs::copy_options::recursive);
    if (servers.tell_the_time) return;
    for (const std::string& url : {stack_.relay_url(), stack_.gateway_url(), stack_.rpc_url()})
      dateless_.push_back(std::make_unique<DatelessPort>(url));
  }
  const std::string& name() const { return name_; }
  void set(const std::string& offset) const { clock_.set(offset); }
  void stand_still() const { clock_.stand_still(); }

  Command command(std::vector<std::string> words) const { return command("ann", words); }
  Ran run(std::vector<std::string> words) const { return run("ann", std::move(words)); }
  Ran run(const std::string& person, std::vector<std::string> words) const {
    return test::run(command(person, std::move(words)), kSoon);
  }
  Ran publish(const std::string& text, std::vector<std::string> more = {}) const {
    return publish_as("ann", text, std::move(more));
  }
  Ran publish_as(const std::string& person, const std::string& text,
                 std::vector<std::string> more = {}) const {
    return test::run(publishing(person, text, std::move(more)), kSoon);
  }
  // Ann's publish while nobody can be reached.
  Ran queue(const std::string& text, std::vector<std::string> more = {}) const {
    more.emplace_back("--queue");
    Command alone = publishing("ann", text, std::move(more));
    alone.environment["IPNSCAST_GATEWAYS_NODES"] = "http://127.0.0.1:1";
    alone.environment["IPNSCAST_RELAYS_URLS"] = "ws://127.0.0.1:1";
    return test::run(alone, kSoon);
  }
  // A watch on ann's laptop, or that of a reader with ann's clock and servers: by polling alone
  // unless told otherwise.
  Command watch(const std::string& person) const {
    Command out = command(person, {"watch", name_, "--json"});
    if (person == "eve") as_seen_by_ann(out);
    for (const char* const poll : {"MIN", "MAX", "HEALTHY"})
      out.environment["IPNSCAST_SOURCES_POLL_" + std::string(poll)] = "1s";
    return out;
  }
  // What the name has, as bob gets it; he takes it in.
  std::string get_as(const std::string& person) const {
    const fs::path home = stack_.folder() / person;
    fs::remove(home / "got");
    const Ran got = run(person, {"get", name_, "-o", "got"});
    INFO(got.err);
    CHECK(got.exit == 0);
    return read(home / "got");
  }
  // What a reader finds who has never heard of it.
  std::string get() const {
    fs::remove_all(stack_.folder() / "eve" / "state");
    return get_as("eve");
  }
  // The ids of our hints at the relay.
  std::vector<std::string> hints() const {
    const Ran asked =
        stack_.run("eve", {"event", "req", R"({"kinds":[30078]})", "--relay", stack_.relay_url()});
    INFO(asked.err);
    std::vector<std::string> out;
    std::istringstream lines(asked.out);
    for (std::string line; std::getline(lines, line);) out.push_back(json::parse(line).at("id"));
    return out;
  }

 private:
  Command command(const std::string& person, std::vector<std::string> words) const {
    Command out = stack_.command(person, std::move(words));
    out.environment["IPNSCAST_PUBLISH_SETTLE"] = "300ms";
    out.environment["IPNSCAST_DEVICES_ANNOUNCE"] = "false";
    if (person == "ann") as_seen_by_ann(out);
    return out;
  }
  Command publishing(const std::string& person, const std::string& text,
                     std::vector<std::string> more) const {
    write(stack_.folder() / person / "page.txt", text);
    std::vector<std::string> words{"publish", "self", "page.txt", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return command(person, std::move(words));
  }
  void as_seen_by_ann(Command& command) const {
    clock_.put_on(command);
    if (dateless_.empty()) return;
    command.environment["IPNSCAST_RELAYS_URLS"] = dateless_[0]->url();
    command.environment["IPNSCAST_GATEWAYS_NODES"] =
        dateless_[1]->url() + "," + dateless_[2]->url();
  }

  Stack stack_;
  const std::string name_;
  const WrongClock clock_;
  std::vector<std::unique_ptr<DatelessPort>> dateless_;  // before relay, gateway and node
};

// Of a publish, all of which came through or which may go on.
inline uint64_t sequence(const Ran& ran) {
  INFO(ran.out << ran.err);
  REQUIRE((ran.exit == 0 || ran.exit == 4));
  return std::stoull(json::parse(ran.out).at("sequence").get<std::string>());
}

}  // namespace ipnscast::test
