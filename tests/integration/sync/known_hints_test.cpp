// What a long absence costs: hints that are known do not travel again (NIP-77).
#include <future>
#include <set>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/sync/source/nostr_source.h"
#include "ipnscast/sync/state/known_record.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/name_proxy.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

constexpr size_t kNames = 200;
constexpr Seconds kPatience(30);

IpnsName name_of(size_t number) {
  Bytes seed(32, 7);
  seed[0] = static_cast<uint8_t>(number);
  seed[1] = static_cast<uint8_t>(number / 256);
  return IpnsKey::from_bytes(KeyType::ed25519, seed)->name();
}

const std::vector<IpnsName>& names() {
  static const std::vector<IpnsName> all = [] {
    std::vector<IpnsName> out;
    for (size_t i = 0; i < kNames; ++i) out.push_back(name_of(i));
    return out;
  }();
  return all;
}

struct Fixture {
  std::unique_ptr<nostr::net::Loop> loop = *nostr::net::Loop::start();
  std::unique_ptr<nostr::server::RelayServer> relay =
      *nostr::server::RelayServer::start(*loop, {.port = 0});
  nostr::SecretKey author = nostr::SecretKey::generate();
  test::NameProxy proxy;
  std::unique_ptr<nostr::Pool> direct = nostr::Pool::start(*loop, {.relays = {url("127.0.0.1")}});

  nostr::RelayUrl url(const std::string& host) const {
    return *nostr::RelayUrl::parse("ws://" + host + ":" + std::to_string(relay->port()));
  }
  // A hint as a publisher on another device sends it.
  void announce(const IpnsName& name, uint64_t sequence) {
    const UnixSeconds at{system_now().seconds().value - 1000 + static_cast<int64_t>(sequence)};
    auto draft = make_hint_event({.name = name,
                                  .cid = *root_of("/ipfs/bafkqaaa"),
                                  .sequence = {sequence},
                                  .timestamp = {at.value * 1000},
                                  .version = 0,
                                  .device_id = {},
                                  .parent = {},
                                  .record = {}},
                                 at);
    std::promise<size_t> stored;
    direct->publish(nostr::sign_event(author, std::move(*draft)), {},
                    [&](const nostr::PublishReport& r) { stored.set_value(r.stored_count()); });
    REQUIRE(stored.get_future().get() == 1);
  }
};

// A reader that commits what it reads, on the way through the proxy.
struct Reader {
  Inbox<nostr::PoolMessage> inbox{10'000};
  std::unique_ptr<nostr::Pool> pool;
  std::shared_ptr<KnownHints> known = std::make_shared<KnownHints>();
  std::unique_ptr<NostrSource> source;

  explicit Reader(Fixture& f) {
    nostr::PoolOptions options;
    options.relays = {f.url("relay.onion")};
    options.access.proxy = *nostr::net::ProxyUrl::parse(f.proxy.url());
    options.access.deflate = false;  // bytes are counted
    options.relay.reconcile_after = Milliseconds(0);
    options.relay.connect = {Milliseconds(10), Milliseconds(50), Milliseconds(60'000)};
    pool = nostr::Pool::start(*f.loop, std::move(options));
    NostrSource::Options wanted;
    wanted.authors = {f.author.public_key()};
    wanted.kinds = {kHintKind};
    wanted.compat = false;
    wanted.known = known;
    source = std::make_unique<NostrSource>(
        *pool, wanted, [this](nostr::PoolMessage& m) { return inbox.try_push(std::move(m)); });
    source->set_names(names());
  }
  // The hints that come until everything stored has come.
  size_t catch_up() {
    size_t hints = 0;
    while (const auto message = inbox.pop_until(std::chrono::steady_clock::now() + kPatience)) {
      source->read(*message, std::nullopt, system_now());
      if (std::holds_alternative<nostr::PoolEose>(*message)) return hints;
      const auto* event = std::get_if<nostr::PoolEvent>(&*message);
      if (event == nullptr) continue;
      const auto hint = parse_hint(event->event);
      REQUIRE(hint);
      known->committed(hint->name, *hint->sequence, value_of(hint->cid));
      ++hints;
    }
    FAIL("nothing came");
    return hints;
  }
};

}  // namespace

TEST_CASE("after a long absence only the hints that are new travel (NIP-77)") {
  Fixture f;
  for (const IpnsName& name : names()) f.announce(name, 1);
  Reader reader(f);
  REQUIRE(reader.catch_up() == kNames);
  const size_t at_first = f.proxy.take_received();
  CHECK(at_first > kNames * 500);

  // At first the relay has to prove itself: it is asked plainly beside it. That it knows NIP-77 at
  // all, its information document tells some time after the first connection.
  size_t last = at_first;
  for (int absences = 0; absences < 10 && last > at_first / 4; ++absences) {
    f.proxy.drop_all();
    CHECK(reader.catch_up() == 0);
    last = f.proxy.take_received();
  }
  INFO("at first " << at_first << " bytes, then " << last);
  CHECK(last < at_first / 20);

  // What was announced meanwhile does come, and nothing else.
  f.proxy.pause();
  f.announce(names()[17], 2);
  f.proxy.resume();
  CHECK(reader.catch_up() == 1);
  CHECK(f.proxy.take_received() < at_first / 20);
}
