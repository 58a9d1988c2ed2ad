#include "ipnscast/sync/config_check.h"

#include <fstream>

#include "ipnscast/sync/client.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

constexpr auto kTooLong = std::chrono::hours(24 * 366 * 101);

struct Nonsense {
  std::string_view setting;
  std::function<void(Config&)> set;
};

// Sets the member to each of these times.
template <typename Time>
void add_times(std::vector<Nonsense>& out, std::string_view setting, Time Config::*member,
               std::initializer_list<std::chrono::nanoseconds> times) {
  for (const auto time : times)
    out.push_back({setting, [member, time](Config& config) {
                     config.*member = std::chrono::duration_cast<Time>(time);
                   }});
}

std::vector<Nonsense> all_nonsense() {
  using std::chrono::milliseconds;
  using std::chrono::nanoseconds;
  constexpr nanoseconds kZero{0};
  constexpr nanoseconds kNegative = milliseconds(-1);
  constexpr nanoseconds kMost = nanoseconds::min();
  std::vector<Nonsense> out;
  for (auto member : {&Config::poll_min, &Config::poll_max, &Config::poll_healthy}) {
    const std::string_view setting = member == &Config::poll_min   ? "poll_min"
                                     : member == &Config::poll_max ? "poll_max"
                                                                   : "poll_healthy";
    add_times(out, setting, member, {kZero, kNegative, kMost, milliseconds(99), kTooLong});
  }
  const std::pair<std::string_view, Milliseconds Config::*> not_zero[] = {
      {"answer_by", &Config::answer_by},
      {"listen", &Config::listen},
      {"slow_listen", &Config::slow_listen},
      {"fetch_stall", &Config::fetch_stall},
      {"retry_min", &Config::retry_min},
      {"retry_max", &Config::retry_max},
      {"publish_timeout", &Config::publish_timeout},
      {"publish_stall", &Config::publish_stall},
      {"handler_timeout", &Config::handler_timeout}};
  for (const auto& [setting, member] : not_zero)
    add_times(out, setting, member, {kZero, kNegative, kMost, kTooLong});
  const std::pair<std::string_view, Milliseconds Config::*> not_negative[] = {
      {"debounce", &Config::debounce},
      {"settle", &Config::settle},
      {"record_cache", &Config::record_cache},
      {"not_found_cache", &Config::not_found_cache},
      {"breaker", &Config::breaker},
      {"read_back", &Config::read_back},
      {"publish_settle", &Config::publish_settle}};
  for (const auto& [setting, member] : not_negative)
    add_times(out, setting, member, {kNegative, kMost, kTooLong});
  add_times(out, "record_lifetime", &Config::record_lifetime,
            {kZero, kNegative, kMost, nanoseconds(1), std::chrono::seconds(59), kTooLong});
  add_times(out, "record_ttl", &Config::record_ttl,
            {kNegative, kMost, kTooLong, std::chrono::hours(48) + nanoseconds(1)});
  const auto number = [&](std::string_view setting, std::function<void(Config&)> set) {
    out.push_back({setting, std::move(set)});
  };
  for (const int failures : {0, -1})
    number("breaker_failures", [=](Config& c) { c.breaker_failures = failures; });
  number("fetch_max_bytes", [](Config& c) { c.fetch_max_bytes = 0; });
  number("fetch_max_bytes", [](Config& c) { c.fetch_max_bytes = UINT64_MAX; });
  number("cache_bytes", [](Config& c) { c.cache_bytes = UINT64_MAX; });
  number("kept_bytes", [](Config& c) { c.kept_bytes = 0; });
  number("kept_bytes", [](Config& c) { c.kept_bytes = UINT64_MAX; });
  number("versions", [](Config& c) { c.versions = SIZE_MAX; });
  for (const size_t many : {size_t{0}, size_t{100'001}, SIZE_MAX})
    number("history_versions", [=](Config& c) { c.history_versions = many; });
  for (const size_t many : {size_t{0}, size_t{65}, SIZE_MAX}) {
    number("parallel", [=](Config& c) { c.parallel = many; });
    number("handler_lanes", [=](Config& c) { c.handler_lanes = many; });
  }
  number("profile", [](Config& c) { c.profile.chunk_bytes = 0; });
  number("profile", [](Config& c) { c.profile.chunk_bytes = SIZE_MAX; });
  number("profile", [](Config& c) { c.profile.links_per_node = 1; });
  number("poll_max", [](Config& c) { c.poll_max = Milliseconds::max(); });
  number("record_lifetime", [](Config& c) { c.record_lifetime = std::chrono::nanoseconds::max(); });
  number("outbox.max_age", [](Config& c) { c.outbox.max_age = Seconds::max(); });
  number("quorum", [](Config& c) { c.quorum.count = SIZE_MAX; });
  number("outbox.max_events", [](Config& c) { c.outbox.max_events = 0; });
  for (const int64_t seconds : {int64_t{0}, int64_t{-1}})
    number("outbox.max_age", [=](Config& c) { c.outbox.max_age = Seconds(seconds); });
  number("kinds", [](Config& c) { c.kinds = {}; });
  number("kinds", [](Config& c) { c.kinds = {0}; });
  number("public_kinds", [](Config& c) { c.public_kinds = {30078, 1}; });
  number("gateways", [](Config& c) { c.gateways = {{"ftp://host"}}; });
  number("gateways", [](Config& c) { c.gateways = {{""}}; });
  for (const int tier : {-1, 0, 4})
    number("gateways", [=](Config& c) { c.gateways = {{"http://host", tier}}; });
  for (const char* nobody : {"http://host", "node", "none "})
    number("publish_decider", [=](Config& c) { c.publish_decider = nobody; });
  number("publish_decider", [](Config& c) {
    c.gateways = {{"http://host", 2}};
    c.publish_decider = "http://host";
  });
  number("access.ca_file", [](Config& c) { c.access.ca_file = "/no/such/file.pem"; });
  number("private_hints", [](Config& c) { c.private_hints = c.publish_public = true; });
  number("private_hints", [](Config& c) { c.private_hints = c.record_announcer = true; });
  return out;
}

}  // namespace

TEST_CASE("every number, time and place of a configuration refuses what makes no sense") {
  CHECK_FALSE(find_fault({}));
  for (const Nonsense& one : all_nonsense()) {
    Config config;
    one.set(config);
    const auto fault = find_fault(config);
    INFO(one.setting);
    REQUIRE(fault);
    INFO(fault->why);
    // The one that was changed is named, alone or as one of two that do not go together.
    CHECK((fault->setting == one.setting || fault->other == one.setting));
    CHECK_FALSE(fault->why.empty());
  }
}

TEST_CASE("a client is not opened with such a configuration, and leaves nothing behind") {
  const test::TempDir dir;
  for (const Nonsense& one : all_nonsense()) {
    Config config;
    config.state_dir = dir.path() / "state";
    one.set(config);
    INFO(one.setting);
    const auto client = Client::open(std::move(config));
    REQUIRE_FALSE(client);
    CHECK(client.error().code == Errc::invalid);
    CHECK_FALSE(std::filesystem::exists(dir.path() / "state"));
  }
}

TEST_CASE("what is at the edge of sense is taken") {
  Config config;
  config.poll_min = config.poll_max = config.poll_healthy = Milliseconds(100);
  config.debounce = config.settle = config.record_cache = config.not_found_cache = Milliseconds(0);
  config.breaker = config.read_back = Milliseconds(0);
  config.answer_by = config.listen = config.slow_listen = Milliseconds(1);
  config.record_lifetime = config.record_ttl = std::chrono::minutes(1);
  config.cache_bytes = config.versions = 0;
  config.kept_bytes = 1;
  config.parallel = config.handler_lanes = 64;
  const auto fault = find_fault(config);
  INFO((fault ? fault->why : ""));
  CHECK_FALSE(fault);
}

TEST_CASE("authorities without a certificate among them are refused with the file's name") {
  const test::TempDir dir;
  const auto file = dir.path() / "ca.pem";
  std::ofstream(file) << "no certificate\n";
  Config config;
  config.access.ca_file = file.string();
  const auto fault = find_fault(config);
  REQUIRE(fault);
  CHECK(fault->why.find(file.string()) != std::string::npos);
}
