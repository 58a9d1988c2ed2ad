// The socket at which the holder of a state directory takes commands: what others send there, how
// long they stay, and when they or the holder end.
#include <sys/socket.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "ipnscast/sync/control/line_channel.h"
#include "ipnscast/sync/control/local_socket.h"
#include "ipnscast/sync/holder_facts.h"
#include "ipnscast/tests/integration/sync/client_world.h"
#include "ipnscast/tests/support/own_process.h"
#include "ipnscast/tests/support/silent_server.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;
using sync::control::LineChannel;

namespace {

constexpr Milliseconds kLong{200'000};

struct Held : World {
  Config config_of_holder() const {
    Config out = config("holder");
    out.take_commands = true;
    return out;
  }
  std::unique_ptr<Client> holder = *Client::open(config_of_holder());
  std::filesystem::path state = dir.path() / "holder";

  std::unique_ptr<LineChannel> connect() const {
    const auto folder = Folder::open(state);
    REQUIRE(folder);
    auto socket = control::connect_in(*folder, "control.sock");
    REQUIRE(socket);
    return std::make_unique<LineChannel>(std::move(*socket));
  }
  // Those that were there before may take a moment to go.
  std::unique_ptr<LineChannel> greeted() const {
    for (const Instant end = std::chrono::steady_clock::now() + kLong;;) {
      auto out = connect();
      const auto greeting = out->read(end);
      REQUIRE(greeting);
      if (greeting->find("protocol") == std::string::npos) continue;
      REQUIRE(out->write(R"({"ipnscast":"test","protocol":1})"));
      return out;
    }
  }
  // What a line of ours is answered with.
  std::string answer(const std::string& line) const {
    auto channel = greeted();
    (void)channel->write(line);
    auto said = channel->read(std::chrono::steady_clock::now() + kLong);
    return said ? *said : std::string(to_string(said.error().code));
  }
};

std::string call(const std::string& method, const std::string& params) {
  return R"({"call":")" + method + R"(","params":)" + params + "}";
}

}  // namespace

TEST_CASE("an attached client publishes with its own key, which the holder never has (S0-78)") {
  Changes changes;  // outlives those who tell it
  Held world;
  REQUIRE(world.holder->watch(world.key.name(), changes.options()));
  const auto beside = Client::attach(world.config("holder"));
  REQUIRE(beside);
  uint64_t sequence = 0;
  for (const auto& key : {IpnsKey::derive_ed25519(world.nostr_key.secret_view()),
                          IpnsKey::from_nostr_secret(world.nostr_key.secret_view())}) {
    const auto outcome = (*beside)->publish(*key, world.tree("one"));
    INFO((outcome ? "" : outcome.error().message));
    REQUIRE(outcome);
    CHECK(outcome->sequence == Sequence{1});
    CHECK(outcome->complete());
    CHECK(outcome->name == key->name());
  }
  const auto change = changes.next();
  REQUIRE(change);
  CHECK(change->sequence == Sequence{++sequence});
  const auto second = (*beside)->publish_cid(world.key, *change->cid, {.force = true});
  REQUIRE(second);
  CHECK(second->sequence == Sequence{2});
  CHECK((*beside)->lost(world.key.name()).empty());
  const auto none = (*beside)->acknowledge_lost(world.key.name());
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Errc::not_found);
  CHECK((*beside)->forget(world.key.name()));
  // With the connection the key is gone: the holder cannot sign of its own accord.
  CHECK_FALSE((*beside)->keep_alive(world.key));
}

TEST_CASE("what an attached client follows begins at what the holder knows (S0-78)") {
  Changes changes;  // outlives those who tell it
  Held world;
  REQUIRE(world.holder->watch(world.key.name(), changes.options()));
  Changes seen;
  const auto beside = Client::attach(world.config("holder"));
  REQUIRE(beside);
  REQUIRE((*beside)->publish(world.key, world.tree("one")));
  REQUIRE(changes.next());
  world.relay.reset();
  world.node.reset();
  auto options = seen.options();
  options.fetch_content = false;
  REQUIRE((*beside)->watch(world.key.name(), std::move(options)));
  const auto first = seen.next();
  REQUIRE(first);
  CHECK(first->sequence == Sequence{1});
}

TEST_CASE("nonsense at the control socket is answered, bounded, and forgotten (R38)") {
  Held world;
  const size_t before = count_of_own("fd");
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"", "unsupported"},
      {"nonsense", "unsupported"},
      {"[]", "unsupported"},
      {R"({"call":7})", "unsupported"},
      {R"({"call":"format"})", "unsupported"},
      {R"({"call":"publish"})", "parse"},
      {call("publish", "[]"), "parse"},
      {call("publish", R"({"key":{"public":"","device":""}})"), "parse"},
      {call("forget", R"({"name":5})"), "parse"},
      {call("forget", R"({"name":"k51"})"), "parse"},
      {call("announce", R"({"name":"k51"})"), "parse"},
      {call("take_in", R"({"name":"k51","record":"AAAA"})"), "parse"},
      {call("lost", "null"), "parse"},
      {std::string(300'000, '['), "unsupported"},
  };
  for (const auto& [line, code] : lines) {
    INFO(line.substr(0, 100));
    CHECK(world.answer(line).find("\"code\":\"" + code + "\"") != std::string::npos);
  }
  // A line that does not end is cut, however much comes.
  {
    auto channel = world.greeted();
    const auto folder = Folder::open(world.state);
    auto raw = control::connect_in(*folder, "control.sock");
    REQUIRE(raw);
    const std::string piece(1 << 16, 'x');
    ssize_t sent = 0;
    for (int i = 0; i < 64 && sent >= 0; ++i)
      sent = ::send(raw->get(), piece.data(), piece.size(), MSG_NOSIGNAL);
    CHECK(sent < 0);
  }
  // More than 64 at a time are turned away, and have room again when those end.
  {
    std::vector<std::unique_ptr<LineChannel>> held;
    for (int i = 0; i < 64; ++i) held.push_back(world.greeted());
    auto late = world.connect();
    const auto said = late->read(std::chrono::steady_clock::now() + kLong);
    REQUIRE(said);
    CHECK(said->find("busy") != std::string::npos);
  }
  // Descriptors that come along uninvited are closed.
  for (int i = 0; i < 100; ++i) {
    auto channel = world.greeted();
    (void)channel->write(R"({"call":"nothing"})", 0);
    CHECK(channel->read(std::chrono::steady_clock::now() + kLong));
  }
  const Instant end = std::chrono::steady_clock::now() + kLong;
  while (count_of_own("fd") > before && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(Milliseconds(10));
  CHECK(count_of_own("fd") <= before);
  CHECK(Client::attach(world.config("holder")));
}

TEST_CASE(
    "the socket is ours alone, goes where the directory is whatever its path, and takes the place "
    "of one that was left there (S0-78)") {
  World world;
  Config config = world.config("state");
  for (int i = 0; i < 4; ++i) config.state_dir /= std::string(60, static_cast<char>('a' + i));
  config.take_commands = true;
  std::filesystem::create_directories(config.state_dir);
  std::filesystem::permissions(config.state_dir, std::filesystem::perms::owner_all);
  for (int round = 0; round < 2; ++round) {
    auto holder = Client::open(config);
    REQUIRE(holder);
    struct stat status;
    REQUIRE(::stat((config.state_dir / "control.sock").c_str(), &status) == 0);
    CHECK(S_ISSOCK(status.st_mode));
    CHECK((status.st_mode & 07777) == 0600);
    CHECK(Client::attach(config));
  }
  const auto nobody = Client::attach(config);
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == Errc::not_found);
  // Something else of that name is left alone, and the client works without.
  std::filesystem::remove(config.state_dir / "control.sock");
  std::ofstream(config.state_dir / "control.sock") << "mine";
  CHECK(Client::open(config));
  CHECK(std::filesystem::file_size(config.state_dir / "control.sock") == 4);
}

TEST_CASE("a call ends when who asked is gone, and when the holder closes (S0-78)") {
  const SilentServer silent;  // a node that takes connections and says nothing
  World world;
  Config config = world.config("holder");
  config.gateways = {{silent.url("http")}};
  config.take_commands = true;
  auto holder = *Client::open(config);
  const auto beside = Client::attach(config);
  REQUIRE(beside);
  const auto publish = [&](std::stop_token stop = {}) {
    const auto outcome =
        (*beside)->publish(world.key, world.tree("one"), {.stop = std::move(stop)});
    REQUIRE_FALSE(outcome);
    return outcome.error().code;
  };
  const Instant start = std::chrono::steady_clock::now();
  const auto took = [&] { return std::chrono::steady_clock::now() - start; };
  SECTION("who asked stops") {
    std::stop_source stop;
    std::jthread later([&] {
      std::this_thread::sleep_for(Milliseconds(200));
      stop.request_stop();
    });
    CHECK(publish(stop.get_token()) == Errc::cancelled);
    CHECK(took() >= Milliseconds(200));
  }
  SECTION("the holder closes") {
    std::jthread later([&] {
      std::this_thread::sleep_for(Milliseconds(200));
      holder->close();
    });
    CHECK(publish() == Errc::closed);
    CHECK(took() >= Milliseconds(200));
    later.join();
    CHECK(publish() == Errc::not_found);
    // The next one takes over.
    holder = *Client::open(config);
    const auto none = (*beside)->acknowledge_lost(world.key.name());
    REQUIRE_FALSE(none);
    CHECK(none.error().message.find("nothing that was published") == 0);
  }
}

TEST_CASE("a holder that does not come round is not waited for longer than was asked (S0-78)") {
  World world;
  Config config = world.config("holder");
  REQUIRE(std::filesystem::create_directory(config.state_dir));
  std::filesystem::permissions(config.state_dir, std::filesystem::perms::owner_all);
  const auto folder = Folder::open(config.state_dir);
  const auto listening = control::listen_in(*folder, "control.sock");
  REQUIRE(listening);
  std::jthread stuck([&] {  // it greets each caller, and then says nothing
    std::vector<std::unique_ptr<LineChannel>> held;
    for (int socket; (socket = ::accept(listening->get(), nullptr, nullptr)) >= 0;) {
      held.push_back(std::make_unique<LineChannel>(Descriptor(socket)));
      (void)held.back()->write(R"({"ipnscast":"test","protocol":1,"facts":)" +
                               holder_facts(config).dump() + "}");
    }
  });
  const auto beside = Client::attach(config);
  REQUIRE(beside);
  std::stop_source stop;
  const Instant start = std::chrono::steady_clock::now();
  SECTION("by who stops") {
    std::jthread later([&] {
      std::this_thread::sleep_for(Milliseconds(100));
      stop.request_stop();
    });
    const auto none = (*beside)->devices(start + Seconds(200), stop.get_token());
    REQUIRE_FALSE(none);
    CHECK(none.error().code == Errc::cancelled);
  }
  SECTION("by who closes") {
    std::jthread later([&] {
      std::this_thread::sleep_for(Milliseconds(100));
      (*beside)->close();
    });
    CHECK((*beside)->lost(world.key.name()).empty());
  }
  CHECK(std::chrono::steady_clock::now() - start < Seconds(100));
  ::shutdown(listening->get(), SHUT_RDWR);
}

TEST_CASE("another protocol is told with both versions") {
  World world;
  Config config = world.config("holder");
  REQUIRE(std::filesystem::create_directory(config.state_dir));
  std::filesystem::permissions(config.state_dir, std::filesystem::perms::owner_all);
  const auto folder = Folder::open(config.state_dir);
  const auto listening = control::listen_in(*folder, "control.sock");
  REQUIRE(listening);
  std::jthread newer([&] {
    LineChannel channel(Descriptor(::accept(listening->get(), nullptr, nullptr)));
    (void)channel.write(R"({"ipnscast":"9.0.0","protocol":2})");
    (void)channel.read();
  });
  const auto none = Client::attach(config);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Errc::unsupported);
  CHECK(none.error().message.find('2') != std::string::npos);
  CHECK(none.error().message.find('1') != std::string::npos);
}

TEST_CASE("starts, calls in flight and stops leave no descriptor behind (S0-78)") {
  World world;
  Config config = world.config("holder");
  config.relays.clear();
  config.gateways.clear();
  config.take_commands = true;
  size_t before = 0;
  for (int i = 0; i < 200; ++i) {
    auto holder = Client::open(config);
    REQUIRE(holder);
    auto beside = Client::attach(config);
    REQUIRE(beside);
    std::jthread calls([&] {
      for (int call = 0; call < 5; ++call) (void)(*beside)->lost(world.key.name());
    });
    if (i % 2 == 0) calls.join();
    (*holder)->close();
    if (i == 0) before = count_of_own("fd");
  }
  CHECK(count_of_own("fd") <= before + 4);
}
