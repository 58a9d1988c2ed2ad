#include <atomic>
#include <future>
#include <map>

#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/resolve/resolver.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::ScriptedAnswer;
using ipnscast::test::ScriptedHttpServer;
using ipnscast::test::ScriptedRequest;

namespace {

constexpr size_t kNames = 100;

// A hundred names, each with two records.
struct Names {
  Names() {
    for (size_t i = 0; i < kNames; ++i) {
      const IpnsKey key =
          std::move(*IpnsKey::from_bytes(KeyType::ed25519, Bytes(32, static_cast<uint8_t>(i + 1))));
      const IpnsName name = key.name();
      for (const uint64_t sequence : {1, 2}) {
        const auto made =
            create_record(key, {.value = "/ipfs/bafkqaaa",
                                .sequence = {sequence},
                                .eol = Eol::after(system_now().wall, std::chrono::hours(1))});
        records[name.to_string()].push_back(std::string(as_text(made->bytes())));
      }
      all.push_back(name);
    }
  }
  std::vector<IpnsName> all;
  std::map<std::string, std::vector<std::string>> records;
};

// A trustless gateway that has the first or the second record of each.
ScriptedHttpServer::Script gateway_at(const Names& names, const std::atomic<size_t>& version,
                                      const std::atomic<bool>* hangs = nullptr) {
  return [&names, &version, hangs](const ScriptedRequest& request) {
    if (request.target == "/ipfs/bafkqaaa?format=raw")
      return ScriptedAnswer{.headers = {{"Content-Type", "application/vnd.ipld.raw"}}};
    if (hangs != nullptr && *hangs) return ScriptedAnswer{.delay = std::chrono::hours(1)};
    if (request.target.find("ipns-record") == std::string::npos || request.target.size() < 7)
      return ScriptedAnswer{.status = 404};
    const std::string name = request.target.substr(6, request.target.find('?') - 6);
    const auto found = names.records.find(name);
    if (found == names.records.end()) return ScriptedAnswer{.status = 404};
    return ScriptedAnswer{.headers = {{"Content-Type", "application/vnd.ipfs.ipns-record"}},
                          .body = found->second[version]};
  };
}

struct Polls {
  explicit Polls(const std::vector<std::string>& urls)
      : book(entries(urls)),
        http(std::move(*gateway::HttpClient::open())),
        resolver(*http, book, {}, &meter) {}
  ~Polls() { resolver.close(); }
  static std::vector<gateway::GatewayBook::Entry> entries(const std::vector<std::string>& urls) {
    std::vector<gateway::GatewayBook::Entry> out;
    for (const std::string& url : urls) out.push_back({{url, {}}, 1});
    return out;
  }

  // All names once, side by side, in their order. The sequence that each poll brought.
  std::vector<uint64_t> round(const std::vector<IpnsName>& names) {
    std::vector<std::future<uint64_t>> futures;
    for (const IpnsName& name : names) {
      auto last = std::make_shared<std::promise<uint64_t>>();
      futures.push_back(last->get_future());
      resolver.poll(name, [last](const ResolveUpdate& update) {
        if (update.kind != ResolveUpdate::Kind::finished) return;
        last->set_value(update.report.best ? update.report.best->fields().sequence.value : 0);
      });
    }
    std::vector<uint64_t> out;
    for (auto& future : futures) out.push_back(future.get());
    return out;
  }

  gateway::GatewayBook book;
  Meter meter;
  std::unique_ptr<gateway::HttpClient> http;
  Resolver resolver;
};

size_t count_of(const std::vector<uint64_t>& sequences, uint64_t wanted) {
  return static_cast<size_t>(std::count(sequences.begin(), sequences.end(), wanted));
}

}  // namespace

TEST_CASE(
    "a gateway that is stuck at an old record hides a change for one poll of each name (G9)") {
  const Names names;
  std::atomic<size_t> fresh_version = 0;
  const std::atomic<size_t> stuck_version = 0;
  ScriptedHttpServer fresh(gateway_at(names, fresh_version));
  ScriptedHttpServer stuck(gateway_at(names, stuck_version));
  Polls polls({fresh.url(), stuck.url()});
  CHECK(count_of(polls.round(names.all), 1) == kNames);
  while (!polls.book.dialects(0) || !polls.book.dialects(1)) std::this_thread::yield();
  fresh_version = 1;
  std::vector<bool> seen(kNames);
  for (int round = 0; round < 2; ++round) {
    const auto sequences = polls.round(names.all);
    for (size_t i = 0; i < kNames; ++i) seen[i] = seen[i] || sequences[i] == 2;
  }
  CHECK(std::count(seen.begin(), seen.end(), false) == 0);
}

TEST_CASE("every eighth poll of a name asks everybody (G9)") {
  const Names names;
  const std::atomic<size_t> version = 0;
  std::vector<std::unique_ptr<ScriptedHttpServer>> servers;
  std::vector<std::string> urls;
  for (int i = 0; i < 5; ++i) {
    servers.push_back(std::make_unique<ScriptedHttpServer>(gateway_at(names, version)));
    urls.push_back(servers.back()->url());
  }
  Polls polls(urls);
  const std::vector<IpnsName> one{names.all.front()};
  polls.round(one);
  for (size_t i = 0; i < urls.size(); ++i) {
    while (!polls.book.dialects(i)) std::this_thread::yield();
  }
  const auto asked = [&] {
    size_t sum = 0;
    for (const auto& server : servers) sum += server->count("ipns-record");
    return sum;
  };
  const size_t before = asked();
  for (int i = 0; i < 6; ++i) polls.round(one);
  CHECK(asked() == before + 6);
  polls.round(one);
  CHECK(asked() == before + 6 + 5);
}

TEST_CASE("a gateway that hangs keeps no poll from its answer (G9)") {
  const Names names;
  std::atomic<size_t> version = 0;
  std::atomic<bool> hangs = false;
  ScriptedHttpServer good(gateway_at(names, version));
  ScriptedHttpServer hanging(gateway_at(names, version, &hangs));
  Polls polls({good.url(), hanging.url()});
  const std::vector<IpnsName> some(names.all.begin(), names.all.begin() + 6);
  CHECK(count_of(polls.round(some), 1) == some.size());
  while (!polls.book.dialects(0) || !polls.book.dialects(1)) std::this_thread::yield();
  hangs = true;
  version = 1;
  CHECK(count_of(polls.round(some), 2) == some.size());
  CHECK(count_of(polls.round(some), 2) == some.size());
}

TEST_CASE("a name that no source has is no failed look-up; sources that do not answer are (G2)") {
  const Names names;
  const auto nobody = ScriptedHttpServer([](const ScriptedRequest&) {
    return ScriptedAnswer{.status = 404, .headers = {{"Content-Type", "text/plain"}}, .body = "no"};
  });
  std::string gone;
  {
    const ScriptedHttpServer closed([](const ScriptedRequest&) { return ScriptedAnswer{}; });
    gone = closed.url();
  }
  Polls answered({nobody.url()});
  (void)answered.resolver.resolve_now(names.all.front(), {}, Seconds(20));
  CHECK(answered.meter.snapshot().of(Operation::resolve).count == 1);
  CHECK(answered.meter.snapshot().of(Operation::resolve).failures == 0);
  Polls silent({gone});
  (void)silent.resolver.resolve_now(names.all.front(), {}, Seconds(20));
  CHECK(silent.meter.snapshot().of(Operation::resolve).failures == 1);
}
