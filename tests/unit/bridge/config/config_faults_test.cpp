// What a configuration file says of settings that make no sense, and where.
#include "ipnscast/bridge/config/config.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::bridge;

namespace {

std::string complaint(const std::string& toml, const std::string& variable = "",
                      const std::string& value = "") {
  Environment environment;
  if (!variable.empty()) environment[variable] = value;
  const auto settings = parse_settings(toml, environment);
  return settings ? "" : settings.error().message;
}

}  // namespace

TEST_CASE("a setting that makes no sense is refused with the line it stands in") {
  const std::pair<const char*, const char*> faults[] = {
      {"[fetch]\nparallel = 0\n", "line 2: fetch.parallel: want 1 to 64, not 0"},
      {"[fetch]\nparallel = 65\n", "line 2: fetch.parallel: "},
      {"[fetch]\nmax_bytes = 0\n", "line 2: fetch.max_bytes: "},
      {"[fetch]\nstall = \"0\"\n", "line 2: fetch.stall: want a time above 0, not 0"},
      {"[fetch]\nversions = 100000\n", "line 2: fetch.versions: "},
      {"[handover]\nlanes = 0\n", "line 2: handover.lanes: want 1 to 64, not 0"},
      {"[handover]\nhandler_timeout = \"0\"\n", "line 2: handover.handler_timeout: "},
      {"[handover]\nhistory = 0\n", "line 2: handover.history: want 1 to 100000, not 0"},
      {"[handover]\nkept = 0\n", "line 2: handover.kept: want a size above 0, not 0B"},
      {"[resolve]\nanswer_by = \"0\"\n", "line 2: resolve.answer_by: "},
      {"[resolve]\nlisten = \"0\"\n", "line 2: resolve.listen: "},
      {"[resolve]\nslow_listen = \"0\"\n", "line 2: resolve.slow_listen: "},
      {"[resolve]\nbreaker_failures = 0\n", "line 2: resolve.breaker_failures: "},
      {"[sources]\npoll_min = \"0\"\n",
       "line 2: sources.poll_min: want a time of 100ms or more, not 0"},
      {"[sources]\npoll_healthy = \"0\"\n", "line 2: sources.poll_healthy: "},
      // Of two that do not go together, the one that was set is shown.
      {"[sources]\npoll_min = \"2m\"\n", "line 2: sources.poll_min: "},
      {"\n[sources]\npoll_max = \"2s\"\n", "line 3: sources.poll_max: "},
      {"[publish]\nretry_max = \"10ms\"\n", "line 2: publish.retry_max: "},
      {"[publish]\nretry_min = \"0\"\n", "line 2: publish.retry_min: "},
      {"[publish]\nqueue = 0\n", "line 2: publish.queue: "},
      {"[publish]\nmax_age = \"0\"\n", "line 2: publish.max_age: "},
      {"[relays]\nca_file = \"/no/such.pem\"\n",
       "line 2: relays.ca_file: cannot use the CA file /no/such.pem"},
      {"[relays]\nprivate = true\npublic = true\n", "line 2: relays.private: "},
      {"[gateways]\nnodes = [\"http://a\"]\npublic = [\"ftp://b\"]\n", "line 3: gateways.public: "},
      {"[gateways]\nslow = [{url = \"http://h\", only = [\"nonsense\"]}]\n",
       "line 2: gateways.slow: only: \"nonsense\": want blocks, records or publish"},
  };
  for (const auto& [toml, wanted] : faults) {
    INFO(toml);
    const std::string said = complaint(toml);
    INFO(said);
    CHECK(said.find(wanted) == 0);
  }
}

TEST_CASE("one from the environment is refused with the variable's name") {
  CHECK(complaint("[fetch]\nparallel = 8\n", "IPNSCAST_FETCH_PARALLEL", "0") ==
        "IPNSCAST_FETCH_PARALLEL: want 1 to 64, not 0");
  CHECK(complaint("", "IPNSCAST_GATEWAYS_NODES", "ftp://h").find("IPNSCAST_GATEWAYS_NODES: ") == 0);
}

TEST_CASE("a record is valid for long enough to be renewed, and not cached for longer") {
  for (const char* const lifetime : {"0", "1ms", "59s"}) {
    INFO(lifetime);
    const std::string said = complaint("[publish]\nlifetime = \"" + std::string(lifetime) + "\"\n");
    INFO(said);
    CHECK(said.find("line 2: publish.lifetime: want a time of 1m or more, not ") == 0);
    CHECK(said.find('\n') == std::string::npos);
  }
  CHECK(complaint("[publish]\nlifetime = \"1h\"\nttl = \"2h\"\n") ==
        "line 3: publish.ttl: a record may not be cached for longer (its TTL, 2h) than it is valid "
        "(its lifetime, 1h)");
  // The default TTL is five minutes.
  CHECK(complaint("[publish]\nlifetime = \"2m\"\n").find("line 2: publish.lifetime: ") == 0);
  CHECK(complaint("[publish]\nlifetime = \"2m\"\nttl = \"2m\"\n").empty());
}
