// In a network of its own, made by own_network.sh: addresses that look public, addresses that are
// not, and names that lead to both. Hidden, so that it only runs there.
#include <atomic>
#include <deque>

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/nostr/net/websocket_server.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tests/support/relays/trap.h"
#include "ipnscast/tests/support/test_certificates.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

constexpr const char* kPublic = "8.8.4.4";
// Of /etc/hosts there; `both` leads to the public address and to a private one.
const std::vector<std::string> kHostile = {"loop.evil.example", "ten.evil.example",
                                           "lan.evil.example",  "cgn.evil.example",
                                           "meta.evil.example", "ula.evil.example"};
const std::vector<std::string> kPrivate = {"127.0.0.1",  "10.9.8.7",        "192.168.77.1",
                                           "100.64.0.9", "169.254.169.254", "fd00::7"};

// A relay at the public address, and traps on its port at all private ones.
struct Network {
  Network() {
    nostr::server::RelayServerOptions options;
    options.address = kPublic;
    options.port = 0;
    relay = std::move(*nostr::server::RelayServer::start(*loop, options));
    for (const std::string& address : kPrivate) traps.emplace_back(address, relay->port());
  }
  std::string port() const { return ":" + std::to_string(relay->port()); }
  int caught() {
    int out = 0;
    for (Trap& trap : traps) out += trap.caught();
    return out;
  }

  std::unique_ptr<nostr::net::Loop> loop = std::move(*nostr::net::Loop::start());
  std::unique_ptr<nostr::server::RelayServer> relay;
  std::deque<Trap> traps;
};

}  // namespace

TEST_CASE("names that lead into the own network are not followed, public ones are (R39)",
          "[.own-network]") {
  Network network;
  const Stack stack;
  const json author = stack.init("author");
  stack.init("reader");
  write(stack.folder() / "author" / "page.txt", "one");
  Command publish = stack.command("author", {"publish", "self", "page.txt"});
  publish.environment["IPNSCAST_RELAYS_URLS"] = "ws://" + std::string(kPublic) + network.port();
  const Ran published = run(publish, kSoon);
  INFO(published.err);
  REQUIRE(published.exit == 0);

  // The reader's own relay knows nothing of it.
  const nostr::PublicKey key = *nostr::parse_public_key(std::string(author["npub"]));
  std::vector<std::string> relays;
  for (const std::string& host : kHostile) relays.push_back("ws://" + host + network.port());
  const auto resolve = [&] {
    return stack.run("reader", {"resolve", *nostr::encode(nostr::ProfilePointer{key, relays})});
  };
  const Ran lost = resolve();
  INFO(lost.out << lost.err);
  CHECK(lost.exit != 0);
  for (const std::string& relay : relays) {
    INFO(relay);
    CHECK(lost.err.find("relay \"" + relay + "\" is not used: somebody else named it") !=
          std::string::npos);
  }
  CHECK(network.caught() == 0);

  // Of a name that leads to several addresses, the public ones are used.
  relays.push_back("ws://both.evil.example" + network.port());
  const Ran found = resolve();
  INFO(found.out << found.err);
  CHECK(found.exit == 0);
  CHECK(found.out.find(std::string(author["name"])) != std::string::npos);
  CHECK(network.caught() == 0);
}

TEST_CASE("an npub that announces elsewhere is found by its relay list (R39)", "[.own-network]") {
  const Stack stack;
  const json author = stack.init("author");
  stack.init("reader");
  write(stack.folder() / "author" / "page.txt", "one");
  REQUIRE(stack.run("author", {"publish", "self", "page.txt"}).exit == 0);
  const Ran hints = stack.run("author", {"event", "req", "{\"kinds\":[30078]}"});
  REQUIRE(hints.exit == 0);
  const std::string hint = hints.out.substr(0, hints.out.find('\n'));

  // A relay over TLS at the public address, which has that hint and nothing else.
  const Certificate made = make_certificate(stack.folder(), "relay", {.address = kPublic});
  const auto loop = std::move(*nostr::net::Loop::start());
  std::atomic<nostr::net::WebSocketServer*> server = nullptr;
  nostr::net::ServerHandlers handlers;
  handlers.frame = [&](nostr::net::ServerConnectionId id, const std::string& frame) {
    const json request = json::parse(frame);
    if (request[0] != "REQ") return true;
    const std::string subscription = request[1].dump();
    for (const std::string& answer :
         {"[\"EVENT\"," + subscription + "," + hint + "]", "[\"EOSE\"," + subscription + "]"}) {
      server.load()->send(id, std::make_shared<const std::string>(answer));
    }
    return true;
  };
  nostr::net::ServerOptions options;
  options.address = kPublic;
  options.tls_cert_file = made.certificate.string();
  options.tls_key_file = made.key.string();
  auto listening = nostr::net::listen(*loop, options, std::move(handlers));
  REQUIRE(listening);
  server = listening->get();
  const std::string url =
      "wss://" + std::string(kPublic) + ":" + std::to_string((*listening)->port());

  // The author's list is at the reader's relay, the hint is not.
  nostr::server::RelayServerOptions plain;
  plain.port = 0;
  const auto reader_relay = std::move(*nostr::server::RelayServer::start(*loop, plain));
  const Ran list = stack.run("author", {"event", "relay-list", "--relay", url});
  REQUIRE(list.exit == 0);
  Command publish = stack.command("author", {"event", "publish", "--relay", reader_relay->url()});
  publish.input = list.out;
  REQUIRE(run(publish, kSoon).exit == 0);
  Command resolve = stack.command("reader", {"resolve", author["npub"]});
  resolve.environment["IPNSCAST_RELAYS_URLS"] = reader_relay->url();
  resolve.environment["IPNSCAST_RELAYS_CA_FILE"] = made.certificate.string();
  const Ran found = run(resolve, kSoon);
  INFO(found.out << found.err);
  CHECK(found.exit == 0);
  CHECK(found.out.find(std::string(author["name"])) != std::string::npos);
}

TEST_CASE("a gateway's redirect to a name is judged by where the name leads (R39)",
          "[.own-network]") {
  using namespace sync::gateway;
  Network network;
  ScriptedHttpServer gateway([](const ScriptedRequest& request) {
    return ScriptedAnswer{.status = 302, .headers = {{"Location", request.target.substr(2)}}};
  });
  const auto http = std::move(*HttpClient::open());
  for (const std::string& host : kHostile) {
    INFO(host);
    const auto answer =
        http->fetch({.url = gateway.url() + "/?http://" + host + network.port() + "/"});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::refused);
    CHECK(answer.error().message.find("not a public address") != std::string::npos);
    CHECK_FALSE(
        http->fetch({.url = "http://" + host + network.port() + "/", .named_by = NamedBy::others}));
  }
  for (const std::string host : {"good.example", "both.evil.example", "8.8.4.4"}) {
    INFO(host);
    CHECK(http->fetch({.url = gateway.url() + "/?http://" + host + network.port() + "/"}));
    CHECK(
        http->fetch({.url = "http://" + host + network.port() + "/", .named_by = NamedBy::others}));
  }
  CHECK(network.caught() == 0);
}
