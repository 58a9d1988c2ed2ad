// The embedded relay over real sockets on loopback.
#include <atomic>
#include <chrono>
#include <future>
#include <set>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/event/message.h"
#include "ipnscast/nostr/net/websocket_client.h"
#include "ipnscast/nostr/nip/nip42.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_http.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using server::RelayServer;

namespace {

constexpr Seconds kPatience{20};

RelayServer& check_started(const Result<std::unique_ptr<RelayServer>>& started) {
  if (!started) FAIL(started.error().message);
  return **started;
}

// A client whose messages the test takes one by one.
class Client {
 public:
  Client(net::Loop& loop, const std::string& url) : loop_(loop) {
    loop_.run([&] {
      net::ClientHandlers handlers;
      handlers.opened = [this] { inbox_.push_reserved("opened"); };
      handlers.frame = [this](std::string frame) { inbox_.push_reserved(std::move(frame)); };
      handlers.closed = [this](const net::Closed& why) {
        close_code_ = why.code;
        inbox_.close();
      };
      socket_ = net::connect(loop_, *RelayUrl::parse(url), {}, std::move(handlers));
    });
    REQUIRE(next_frame() == "opened");
  }
  ~Client() {
    loop_.run([this] { socket_.reset(); });
  }

  void say(const ClientMessage& message) {
    loop_.run([&] { socket_->send(to_frame(message)); });
  }
  // The next message of type T; others are passed over.
  template <typename T>
  T next() {
    while (true) {
      const auto message = parse_relay_message(next_frame());
      REQUIRE(message);
      if (const auto* wanted = std::get_if<T>(&*message)) return *wanted;
    }
  }
  void pause() {
    loop_.run([&] { socket_->pause_reading(); });
  }
  void resume() {
    loop_.run([&] { socket_->resume_reading(); });
  }
  // Once next_frame() gives nothing more.
  int close_code() const { return close_code_; }
  std::string next_frame() {
    auto frame = inbox_.pop_until(system_now().steady + kPatience);
    return frame ? *frame : "nothing";
  }

 private:
  net::Loop& loop_;
  Inbox<std::string> inbox_{1};
  std::atomic<int> close_code_ = 0;
  std::unique_ptr<net::WebSocketClient> socket_;
};

Event note(const SecretKey& key, int number) {
  return sign_event(key, {system_now().seconds(), 1, {}, std::to_string(number)});
}

Filter of_kind(int kind) {
  Filter out;
  out.kinds = {kind};
  return out;
}

}  // namespace

TEST_CASE(
    "what one client publishes to the embedded relay, another one hears, also after a restart") {
  test::TempDir dir;
  auto loop = *net::Loop::start();
  const SecretKey key = SecretKey::generate();
  const Event event = note(key, 1);
  {
    const auto started = RelayServer::start(*loop, {.port = 0, .directory = dir.path() / "relay"});
    RelayServer& relay = check_started(started);
    Client alice(*loop, relay.url());
    Client bob(*loop, relay.url());
    bob.say(ReqRequest{"live", {of_kind(1)}});
    bob.next<EoseMessage>();
    alice.say(PublishRequest{event});
    CHECK(alice.next<OkMessage>().accepted);
    CHECK(bob.next<EventMessage>().event == event);
  }
  const auto again = RelayServer::start(*loop, {.port = 0, .directory = dir.path() / "relay"});
  Client late(*loop, check_started(again).url());
  late.say(ReqRequest{"stored", {of_kind(1)}});
  CHECK(late.next<EventMessage>().event == event);
}

TEST_CASE(
    "a flood of events from several clients is read at the pace of the relay, and none is lost") {
  auto loop = *net::Loop::start();
  const auto started = RelayServer::start(*loop, {.port = 0});
  RelayServer& relay = check_started(started);
  const SecretKey key = SecretKey::generate();
  constexpr int kEach = 1500;
  Client first(*loop, relay.url());
  Client second(*loop, relay.url());
  for (int i = 0; i < kEach; ++i) {
    first.say(PublishRequest{note(key, i)});
    second.say(PublishRequest{note(key, kEach + i)});
  }
  std::set<EventId> acknowledged;
  for (Client* client : {&first, &second}) {
    for (int i = 0; i < kEach; ++i) {
      const OkMessage ok = client->next<OkMessage>();
      CHECK(ok.accepted);
      acknowledged.insert(ok.id);
    }
  }
  CHECK(acknowledged.size() == 2 * kEach);
  CHECK(relay.counters().stored == 2 * kEach);
}

TEST_CASE("a reader that asks for far more than is sent at a time gets all of it, in order") {
  auto loop = *net::Loop::start();
  const auto started = RelayServer::start(*loop, {.port = 0});
  RelayServer& relay = check_started(started);
  const SecretKey key = SecretKey::generate();
  Client writer(*loop, relay.url());
  constexpr int kEvents = 500;
  for (int i = 0; i < kEvents; ++i) {
    writer.say(PublishRequest{sign_event(
        key, {system_now().seconds(), 1, {}, std::to_string(i) + std::string(16'000, 'x')})});
  }
  for (int i = 0; i < kEvents; ++i) REQUIRE(writer.next<OkMessage>().accepted);

  // 24 answers of 8 MB, three times what a connection may have unsent, for one that begins to read
  // late; and more words in its questions than are kept for it.
  Client reader(*loop, relay.url());
  reader.pause();
  Filter filter = of_kind(1);
  for (int i = 0; i < 481; ++i) filter.authors.push_back(key.public_key());
  constexpr int kQuestions = 24;
  for (int i = 0; i < kQuestions; ++i) {
    for (size_t j = 1; j < filter.authors.size(); ++j) filter.authors[j].bytes[0] = i;
    reader.say(ReqRequest{"q" + std::to_string(i), {filter}});
  }
  Client other(*loop, relay.url());  // nobody else waits for it
  other.say(ReqRequest{"other", {of_kind(2)}});
  other.next<EoseMessage>();
  reader.resume();
  for (int i = 0; i < kQuestions; ++i) {
    const std::string id = "\"q" + std::to_string(i) + "\"";
    for (int j = 0; j < kEvents; ++j) {
      const std::string frame = reader.next_frame();
      if (!frame.starts_with("[\"EVENT\"," + id)) FAIL(frame.substr(0, 100));
    }
    REQUIRE(reader.next_frame().starts_with("[\"EOSE\"," + id));
  }
}

TEST_CASE("a subscriber that takes nothing is told so and closed with 1008") {
  auto loop = *net::Loop::start();
  const auto started = RelayServer::start(*loop, {.port = 0});
  RelayServer& relay = check_started(started);
  const SecretKey key = SecretKey::generate();
  Client reader(*loop, relay.url());
  reader.say(ReqRequest{"live", {of_kind(20'001)}});
  reader.next<EoseMessage>();
  reader.pause();
  Client writer(*loop, relay.url());
  constexpr int kEvents = 500;  // 50 MB, where 32 MiB and what sockets buffer may be unsent
  for (int i = 0; i < kEvents; ++i) {
    const std::string content = std::to_string(i) + std::string(100'000, 'x');
    writer.say(PublishRequest{sign_event(key, {system_now().seconds(), 20'001, {}, content})});
  }
  for (int i = 0; i < kEvents; ++i) REQUIRE(writer.next<OkMessage>().accepted);
  reader.resume();
  std::string last;
  for (std::string frame = reader.next_frame(); frame != "nothing"; frame = reader.next_frame())
    last = frame;
  CHECK(last.find("you read too slowly") != std::string::npos);
  CHECK(reader.close_code() == 1008);
}

TEST_CASE(
    "many slow readers hold no more than the relay's bound together, and others are answered") {
  auto loop = *net::Loop::start();
  constexpr size_t kBound = 24 * 1024 * 1024;
  const auto started = RelayServer::start(*loop, {.port = 0, .max_waiting_bytes = kBound});
  RelayServer& relay = check_started(started);
  const SecretKey key = SecretKey::generate();
  Client writer(*loop, relay.url());
  constexpr int kEvents = 70;  // 7 MB
  for (int i = 0; i < kEvents; ++i) {
    const std::string content = std::to_string(i) + std::string(100'000, 'x');
    writer.say(PublishRequest{sign_event(key, {system_now().seconds(), 1, {}, content})});
  }
  for (int i = 0; i < kEvents; ++i) REQUIRE(writer.next<OkMessage>().accepted);

  constexpr int kReaders = 16;  // of which each asks for 14 MB
  std::vector<std::unique_ptr<Client>> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.push_back(std::make_unique<Client>(*loop, relay.url()));
    readers.back()->pause();
    for (const char* id : {"a", "b"}) readers.back()->say(ReqRequest{id, {of_kind(1)}});
  }
  Client other(*loop, relay.url());
  other.say(ReqRequest{"other", {of_kind(1)}});
  int got = 0;
  for (std::string frame = other.next_frame(); !frame.starts_with("[\"EOSE\""); ++got) {
    if (!frame.starts_with("[\"EVENT\"")) FAIL(frame.substr(0, 100));
    frame = other.next_frame();
  }
  CHECK(got == kEvents);

  size_t closed = 0;
  for (const auto& reader : readers) {
    reader->resume();
    std::string last;
    int events = 0;
    while (events < 2 * kEvents) {
      const std::string frame = reader->next_frame();
      if (frame.starts_with("[\"EVENT\"")) ++events;
      if (frame == "nothing") break;
      last = frame;
    }
    if (events == 2 * kEvents) continue;
    ++closed;
    CHECK(last.find("you read too slowly") != std::string::npos);
    CHECK(reader->close_code() == 1008);
  }
  // What the others hold fits beside what the sockets' buffers took.
  CHECK(closed >= kReaders / 4);
  CHECK(closed < kReaders);
}

TEST_CASE("a second relay on the same directory or port is refused with the reason") {
  test::TempDir dir;
  auto loop = *net::Loop::start();
  const auto first = RelayServer::start(*loop, {.port = 0, .directory = dir.path()});
  const uint16_t taken = check_started(first).port();
  const auto same_directory = RelayServer::start(*loop, {.port = 0, .directory = dir.path()});
  REQUIRE_FALSE(same_directory);
  CHECK(same_directory.error().code == Errc::conflict);
  auto other_loop = *net::Loop::start();
  for (net::Loop* where : {loop.get(), other_loop.get()}) {
    const auto same_port = RelayServer::start(*where, {.port = taken});
    REQUIRE_FALSE(same_port);
    CHECK(same_port.error().code == Errc::io);
  }
}

TEST_CASE("a web page may read the relay's information document") {
  auto loop = *net::Loop::start();
  const auto started = RelayServer::start(*loop, {.port = 0});
  const uint16_t port = check_started(started).port();
  const std::string answer = test::raw_http(
      port,
      "GET / HTTP/1.1\r\nHost: x\r\nAccept: application/nostr+json\r\nConnection: close\r\n\r\n");
  CHECK(answer.rfind("HTTP/1.1 200", 0) == 0);
  CHECK(answer.find("access-control-allow-origin: *") != std::string::npos);
  CHECK(answer.find("\"supported_nips\":[1,9,11,40,42,45,67,70,77]") != std::string::npos);
}

TEST_CASE(
    "S18: an owner-private relay asks at connection, knows its own address and serves the owner") {
  auto loop = *net::Loop::start();
  server::RelayServerOptions options{.port = 0};
  options.relay.owner_private = true;
  const auto started = RelayServer::start(*loop, std::move(options));
  const std::string url = check_started(started).url();
  const SecretKey key = SecretKey::generate();
  const Event hint = sign_event(key, {system_now().seconds(), 30078, {{"d", "x"}}, ""});
  const auto proof = [&](const std::string& relay, const std::string& challenge) {
    return AuthRequest{
        sign_event(key, auth_event(*RelayUrl::parse(relay), challenge, system_now().seconds()))};
  };
  Client owner(*loop, url);
  const std::string challenge = owner.next<AuthChallenge>().challenge;
  owner.say(proof("ws://127.0.0.2:1", challenge));
  CHECK_FALSE(owner.next<OkMessage>().accepted);
  owner.say(proof(url, challenge));
  CHECK(owner.next<OkMessage>().accepted);
  owner.say(PublishRequest{hint});
  CHECK(owner.next<OkMessage>().accepted);
  owner.say(ReqRequest{"own", {of_kind(30078)}});
  CHECK(owner.next<EventMessage>().event == hint);
  Client stranger(*loop, url);
  stranger.say(ReqRequest{"other", {of_kind(30078)}});
  CHECK(reason_prefix(stranger.next<ClosedMessage>().reason) == "auth-required");
}

TEST_CASE("S49: one address gets so many connections and no more") {
  auto loop = *net::Loop::start();
  const auto started = RelayServer::start(*loop, {.port = 0, .max_connections_per_address = 2});
  const std::string url = check_started(started).url();
  const Client first(*loop, url);
  const Client second(*loop, url);
  std::promise<void> refused;
  std::unique_ptr<net::WebSocketClient> third;
  loop->run([&] {
    net::ClientHandlers handlers;
    handlers.closed = [&](const net::Closed&) { refused.set_value(); };
    third = net::connect(*loop, *RelayUrl::parse(url), {}, std::move(handlers));
  });
  CHECK(refused.get_future().wait_for(kPatience) == std::future_status::ready);
  loop->run([&] { third.reset(); });
}
