#include <future>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/nostr/signer/remote_signer.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/relays/bunker.h"
#include "ipnscast/tests/support/skip.h"

// A relay that others wrote and that serves its members alone: everybody else proves a key, and is
// asked for AUTH all the same.
using namespace ipnscast;
using namespace ipnscast::test;

namespace {

constexpr std::chrono::seconds kPatience(60);

struct World {
  std::unique_ptr<nostr::net::Loop> loop = std::move(*nostr::net::Loop::start());
  std::unique_ptr<nostr::server::RelayServer> meeting = start_relay(*loop);
  Bunker bunker{*loop, {*nostr::RelayUrl::parse(meeting->url())}};
  std::shared_ptr<nostr::Signer> remote = open_remote();

  static std::unique_ptr<nostr::server::RelayServer> start_relay(nostr::net::Loop& on) {
    nostr::server::RelayServerOptions options;
    options.port = 0;
    return std::move(*nostr::server::RelayServer::start(on, options));
  }
  std::shared_ptr<nostr::Signer> open_remote() const {
    nostr::RemoteSignerOptions options;
    options.loop = loop.get();
    return *nostr::RemoteSigner::open(*nostr::parse_bunker_uri(bunker.address()), options);
  }
};

nostr::Event note(const nostr::SecretKey& key, const std::string& content) {
  return nostr::sign_event(
      key, {.created_at = system_now().seconds(), .kind = 1, .tags = {}, .content = content});
}

nostr::RelayOutcome publish(nostr::Pool& pool, const nostr::RelayUrl& relay,
                            const nostr::Event& event) {
  std::promise<nostr::PublishReport> done;
  auto coming = done.get_future();
  pool.publish(event, {.deadline = Milliseconds(30'000)},
               [&](nostr::PublishReport report) { done.set_value(std::move(report)); });
  if (coming.wait_for(kPatience) != std::future_status::ready) return {};
  return coming.get().relays.at(relay);
}

size_t lines(const std::string& text, const std::string& line) {
  size_t out = 0;
  for (size_t at = text.find(line); at != std::string::npos; at = text.find(line, at + 1)) ++out;
  return out;
}

}  // namespace

TEST_CASE("NIP-42: khatru and a remote signer are not asked in a circle by one who is no member") {
  const auto folder = peer("khatru");
  if (!folder) SKIP_TEST(folder.error());
  const World world;
  const auto member = nostr::SecretKey::generate();
  const ForeignRelay relay("khatru", *folder, false,
                           {"--members", to_hex(member.public_key().view())});
  const auto url = *nostr::RelayUrl::parse(relay.url());
  const auto pool = nostr::Pool::start(*world.loop, {.relays = {url}, .signers = {world.remote}});
  pool->subscribe({{.kinds = {1}}}, [](nostr::PoolMessage&) { return true; });
  const auto outcome = publish(*pool, url, note(world.bunker.user(), "from a stranger"));
  INFO(relay.output());
  CHECK(outcome.state == nostr::PublishState::refused);
  CHECK(outcome.permanent);
  CHECK(outcome.reason.starts_with("restricted: "));

  // Ten seconds, in which it once was asked twenty thousand times.
  std::this_thread::sleep_for(std::chrono::seconds(10));
  CHECK(lines(relay.output(), "refused REQ") <= 3);
  CHECK(lines(relay.output(), "refused EVENT") <= 3);
  CHECK(world.bunker.heard("sign_event") <= 2);
  const auto status = pool->status().at(0).subscriptions.at(0).second;
  CHECK(status.state == nostr::SubscriptionState::refused);
  CHECK(status.reason.starts_with("restricted: "));
}

TEST_CASE("NIP-42: khatru serves a member, who proves the key once") {
  const auto folder = peer("khatru");
  if (!folder) SKIP_TEST(folder.error());
  const World world;
  const ForeignRelay relay("khatru", *folder, false,
                           {"--members", to_hex(world.bunker.user().public_key().view())});
  const auto url = *nostr::RelayUrl::parse(relay.url());
  const auto pool = nostr::Pool::start(*world.loop, {.relays = {url}, .signers = {world.remote}});
  std::promise<std::string> heard;
  pool->subscribe({{.kinds = {1}}}, [&](nostr::PoolMessage& message) {
    if (auto* event = std::get_if<nostr::PoolEvent>(&message))
      heard.set_value(event->event.content);
    return true;
  });
  const auto outcome = publish(*pool, url, note(world.bunker.user(), "from a member"));
  INFO(relay.output());
  CHECK(outcome.state == nostr::PublishState::acknowledged);
  auto coming = heard.get_future();
  REQUIRE(coming.wait_for(kPatience) == std::future_status::ready);
  CHECK(coming.get() == "from a member");
  CHECK(world.bunker.heard("sign_event") == 1);
}
