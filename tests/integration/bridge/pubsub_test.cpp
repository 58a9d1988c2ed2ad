// IPNS over pubsub at scripted nodes, over real sockets on loopback.
#include <cstdio>
#include <fstream>
#include <future>
#include <sstream>

#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/source/pubsub_listener.h"
#include "ipnscast/tests/integration/bridge/pubsub_fixture.h"

using namespace ipnscast;
using namespace ipnscast::pubsub_test;
using sync::PubsubCounts;
using sync::PubsubListener;
using sync::PubsubOptions;

namespace {

size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  size_t all = 0;
  size_t resident = 0;
  file >> all >> resident;
  return resident * 4096;
}

// Sanitizers keep memory of their own beside each byte that was touched, and what was freed.
#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kOfEachByte = 16;
#elif defined(__SANITIZE_THREAD__)
constexpr size_t kOfEachByte = 8;
#else
constexpr size_t kOfEachByte = 1;
#endif

size_t grown_since(size_t before) {
  const size_t now = resident_bytes();
  return now < before ? 0 : (now - before) / kOfEachByte;
}

PubsubOptions quick() {
  PubsubOptions out;
  out.topics.settle = Milliseconds(20);
  out.topics.backoff = {Milliseconds(10), Milliseconds(50), Milliseconds(60'000)};
  return out;
}

// Bytes that the server at this URL has written and nobody has taken yet, in all its connections.
size_t unsent(const std::string& url) {
  char local[16];
  std::snprintf(local, sizeof local, ":%04X",
                static_cast<unsigned>(std::stoi(url.substr(url.rfind(':') + 1))));
  size_t out = 0;
  std::ifstream table("/proc/net/tcp");
  for (std::string text; std::getline(table, text);) {
    std::istringstream words(text);
    std::string slot, ours, peer, state, queues;
    words >> slot >> ours >> peer >> state >> queues;
    if (ours.ends_with(local) && state == "01")
      out += std::stoul(queues.substr(0, queues.find(':')), nullptr, 16);
  }
  return out;
}

// The listener, and what it heard.
class Hearing {
 public:
  explicit Hearing(Node& node, std::vector<sync::IpnsName> names = {key().name()},
                   PubsubOptions options = quick(), std::string authorization = {})
      : listener(*http_, *http_, {{node.server.url(), std::move(authorization)}},
                 {.record =
                      [this](const sync::IpnsName& name, sync::KnownRecord found,
                             const std::string& source, bool on_topic) {
                        slow.wait(true);
                        const std::lock_guard lock(mutex_);
                        heard_.push_back({name, found.sequence.value, source, on_topic});
                      },
                  .health = {}},
                 options) {
    listener.follow(std::move(names));
  }
  ~Hearing() {
    listener.close();
    http_->close();
  }

  struct Heard {
    sync::IpnsName name;
    uint64_t sequence;
    std::string source;
    bool on_topic;
  };
  std::vector<Heard> heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  bool heard(uint64_t sequence) const {
    const auto all = heard();
    return std::any_of(all.begin(), all.end(),
                       [&](const Heard& one) { return one.sequence == sequence; });
  }
  void wait_for_topics(uint64_t count) {
    wait_until([&] { return listener.counts().topics == count; });
  }

 private:
  std::unique_ptr<sync::gateway::HttpClient> http_ =
      std::move(*sync::gateway::HttpClient::open({.connections_per_host = 64}));
  mutable std::mutex mutex_;
  std::vector<Heard> heard_;  // guarded by mutex_

 public:
  std::atomic<bool> slow = false;  // whoever hears a record waits until it is not
  PubsubListener listener;
};

}  // namespace

TEST_CASE("a record that a node hears by pubsub is verified, and heard with its source (S0-29)") {
  Node node;
  Hearing hearing(node);
  hearing.wait_for_topics(1);
  CHECK(node.server.count("/pubsub/sub?arg=uL3JlY29yZC9") == 1);
  node.say(line(record(3)));
  wait_until([&] { return hearing.heard(3); });
  CHECK(hearing.heard().at(0).name == key().name());
  CHECK(hearing.heard().at(0).source == node.server.url());
  CHECK(hearing.heard().at(0).on_topic);
  node.say(line(record(3)));
  node.say(line(record(4)));
  wait_until([&] { return hearing.heard(4); });
  CHECK(hearing.listener.counts().messages == 3);
  CHECK(hearing.listener.counts().bad == 0);
}

TEST_CASE("the node joins the topic before it is subscribed to, or it never could (S0-29)") {
  Node node;
  Hearing hearing(node);
  hearing.wait_for_topics(1);
  std::vector<std::string> commands;
  for (const auto& request : node.server.requests())
    commands.push_back(request.target.substr(8, request.target.find('?') - 8));
  CHECK(commands ==
        std::vector<std::string>{"pubsub/ls", "name/resolve", "pubsub/sub", "name/get"});
}

TEST_CASE("hostile lines are counted and hide no record that comes after them") {
  Node node;
  Hearing hearing(node);
  hearing.wait_for_topics(1);
  std::string forged = record(9);
  forged[forged.size() / 2] ^= 1;
  node.say("{\n");
  node.say(std::string("\x00\xff[[[[\n", 7));
  node.say(line("no record"));
  node.say(line(forged));
  node.say(line(record(9, kOne, 8)));  // of another name
  node.say(std::string(1'000'000, 'x'));
  node.say("\n" + line(record(2)));
  wait_until([&] { return hearing.heard(2); });
  wait_until([&] { return hearing.listener.counts().bad == 6; });
  CHECK(hearing.heard().size() == 1);
  CHECK(hearing.listener.counts().messages == 7);
  CHECK(hearing.listener.counts().records == 1);
}

TEST_CASE("what was said while nobody listened is asked for as soon as somebody does (S0-29)") {
  Node node;
  Hearing hearing(node);
  hearing.wait_for_topics(1);
  node.hold(record(5));
  node.hang_up();
  wait_until([&] { return hearing.heard(5); });
  CHECK(hearing.heard().at(0).source == node.server.url());
  hearing.wait_for_topics(1);
  CHECK(node.subscriptions() == 2);
  node.say(line(record(6)));
  wait_until([&] { return hearing.heard(6); });
}

TEST_CASE("no topic of a node that went away counts as listened to") {
  auto node = std::make_unique<Node>();
  Hearing hearing(*node);
  hearing.wait_for_topics(1);
  node->server.stop();  // resets every connection
  wait_until([&] { return hearing.listener.counts().topics == 0; });
}

TEST_CASE("a node without pubsub is asked once, told once, and never subscribed to") {
  const Logged logged("pubsub");
  Node node;
  node.offers = false;
  {
    Hearing hearing(node, {key(1).name(), key(2).name()});
    wait_until([&] { return logged.lines().size() == 1; });
  }
  CHECK(logged.lines().at(0) == node.server.url() +
                                    ": not offered, polling only: experimental pubsub feature not "
                                    "enabled");
  CHECK(node.server.requests().size() == 1);
}

TEST_CASE("every request of a node that wants authorization carries it") {
  Node node;
  node.needs_authorization = "Bearer token";
  Hearing hearing(node, {key().name()}, quick(), "Bearer token");
  hearing.wait_for_topics(1);
  for (const auto& request : node.server.requests())
    CHECK(request.headers.at("authorization") == "Bearer token");
}

TEST_CASE("streams are bounded, and names beyond the bound are told once") {
  const Logged logged("pubsub");
  Node node;
  std::vector<sync::IpnsName> names;
  for (uint8_t seed = 1; seed <= 5; ++seed) names.push_back(key(seed).name());
  auto options = quick();
  options.streams_per_node = 3;
  Hearing hearing(node, names, options);
  hearing.wait_for_topics(3);
  CHECK(node.subscriptions() == 3);
  const auto lines = logged.lines();
  CHECK(std::count(lines.begin(), lines.end(),
                   "listening to 3 of 5 names; the others are polled") == 1);
}

TEST_CASE("a flood costs neither memory nor the other topics, and a good record still comes") {
  Node node;
  std::string junk;
  while (junk.size() < 64 * 1024) junk += line(std::string(300, 'j'));
  node.flood(junk, 32 * 1024 * 1024);
  const size_t before = resident_bytes();
  Hearing hearing(node, {key(1).name(), key(2).name(), key(3).name()});
  wait_until([&] { return node.flooded >= 3 * 32 * 1024 * 1024; });
  hearing.wait_for_topics(3);
  CHECK(grown_since(before) < 32 * 1024 * 1024);
  wait_until([&] { return hearing.listener.counts().messages >= 200'000; });
  const PubsubCounts counts = hearing.listener.counts();
  CHECK(counts.skipped > counts.bad);
  // The allowance comes back, and the record is said again as nodes do.
  wait_until([&] {
    node.say(line(record(2, kOne, 1)));
    std::this_thread::sleep_for(Milliseconds(100));
    return hearing.heard(2);
  });
}

TEST_CASE("while nobody takes what is heard, the node has to wait, and nothing is lost") {
  Node node;
  Hearing hearing(node, {key(1).name(), key(2).name()});
  hearing.wait_for_topics(2);
  hearing.slow = true;
  node.say(line(record(2, kOne, 1)));
  wait_until([&] { return hearing.listener.counts().records == 1; });  // the thread waits now
  const size_t before = resident_bytes();
  std::string junk;
  while (junk.size() < 64 * 1024) junk += line(std::string(300, 'j'));
  for (int i = 0; i < 400; ++i) node.say(junk);  // 25 MiB, twice
  node.say(line(record(3, kOne, 1)));
  // The node's sockets are full: it wants to go on, and cannot.
  wait_until([&] { return unsent(node.server.url()) >= 256 * 1024; });
  CHECK(grown_since(before) < 25 * 2 * 1024 * 1024 + 16 * 1024 * 1024);
  CHECK(hearing.listener.counts().messages <= 2);  // the other topic's line may have come before
  hearing.slow = false;
  hearing.slow.notify_all();
  const auto lines = static_cast<uint64_t>(std::count(junk.begin(), junk.end(), '\n'));
  const uint64_t all = 2 * (400 * lines + 2);  // to both topics
  wait_until([&] { return hearing.listener.counts().messages >= all; });
  CHECK(hearing.listener.counts().messages == all);
  CHECK(hearing.listener.counts().topics == 2);
}

TEST_CASE("an endless answer outlives deadline and stall time, and TCP watches over it") {
  Node node;
  const auto http = std::move(*sync::gateway::HttpClient::open());
  std::promise<std::string> came;
  sync::gateway::HttpCall call;
  call.method = "POST";
  call.url = node.server.url() + "/api/v0/pubsub/sub?arg=u";
  call.deadline = Milliseconds(50);
  call.stall = Milliseconds(20);
  call.max_bytes = 3;
  call.endless = true;
  std::promise<Errc> ended;
  http->start({.url = node.server.url() + "/silent", .deadline = call.deadline},
              {.head = {},
               .chunk = [](ByteView) { return true; },
               .done =
                   [&](const Status& status, const auto&) {
                     ended.set_value(status ? Errc::internal : status.error().code);
                   }});
  http->start(call, {.head = {},
                     .chunk =
                         [&](ByteView bytes) {
                           came.set_value(std::string(as_text(bytes)));
                           return true;
                         },
                     .done = {}});
  wait_until([&] { return node.subscriptions() == 1; });
  // The line of our end of the connection: "sl: local remote state queues timer:when".
  const std::string port = node.server.url().substr(node.server.url().rfind(':') + 1);
  char remote[16];
  std::snprintf(remote, sizeof remote, ":%04X", static_cast<unsigned>(std::stoi(port)));
  bool watched = false;
  std::ifstream table("/proc/net/tcp");
  for (std::string text; std::getline(table, text);) {
    std::istringstream words(text);
    std::string slot, local, peer, state, queues, timer;
    words >> slot >> local >> peer >> state >> queues >> timer;
    if (peer.ends_with(remote) && state == "01") watched = timer.starts_with("02:");
  }
  CHECK(watched);  // 02 is the keepalive timer
  // One that is not endless, with the same deadline, has ended by it.
  auto end = ended.get_future();
  REQUIRE(end.wait_for(kPatience) == std::future_status::ready);
  CHECK(end.get() == Errc::timeout);
  node.say("late\n");
  auto text = came.get_future();
  REQUIRE(text.wait_for(kPatience) == std::future_status::ready);
  CHECK(text.get() == "late\n");
  http->close();  // does not wait for the answer's end
}
