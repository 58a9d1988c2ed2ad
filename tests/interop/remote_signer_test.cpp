#include "ipnscast/nostr/signer/remote_signer.h"

#include <future>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/nip/nip44.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"

// Our client of remote signers (NIP-46) against the signer's side of NDK.
using namespace ipnscast;
using namespace ipnscast::test;

namespace {

constexpr std::chrono::seconds kPatience(30);

const nostr::UnsignedEvent kHint{.created_at = {1'700'000'000},
                                 .kind = 30078,
                                 .tags = {{"d", "ipns-sync-x"}, {"t", "ipns-sync"}},
                                 .content = "{\"type\":\"ipns-sync\",\"n\":\"\xc3\xa4 \\\"\"}"};

Result<std::string> wait_text(const std::function<void(nostr::Signer::TextCallback)>& ask) {
  auto answer = std::make_shared<std::promise<Result<std::string>>>();
  auto coming = answer->get_future();
  ask([answer](Result<std::string> text) { answer->set_value(std::move(text)); });
  if (coming.wait_for(kPatience) != std::future_status::ready) return fail(Errc::timeout, "");
  return coming.get();
}

// NDK serves the key; everything that we ask comes back as it should.
void expect_signer_over(const std::string& relay_url) {
  const auto ndk = peer("ndk");
  if (!ndk) SKIP_TEST(ndk.error());
  const auto user = nostr::SecretKey::generate();
  Process bunker(node_script(*ndk, "bunker.mjs", {to_hex(user.secret_view()), relay_url}));
  const auto address = bunker.wait_for_line("bunker://", kPatience);
  INFO(bunker.output());
  REQUIRE(address);

  const TempDir folder;
  const auto open = [&](const std::string& text) {
    auto uri = nostr::parse_bunker_uri(text);
    REQUIRE(uri);
    return nostr::RemoteSigner::open(std::move(*uri), {.state_file = folder.path() / "signer"});
  };
  {
    const auto signer = open(*address);
    if (!signer) FAIL(signer.error().message);
    CHECK((*signer)->public_key() == user.public_key());
    const auto event = nostr::sign_blocking(**signer, kHint, kPatience);
    if (!event) FAIL(event.error().message);
    CHECK(event->content == kHint.content);

    const nostr::PublicKey friend_key = nostr::SecretKey::generate().public_key();
    const auto sealed =
        wait_text([&](auto done) { (*signer)->nip44_encrypt("hello", friend_key, done); });
    if (!sealed) FAIL(sealed.error().message);
    CHECK(*nostr::nip44_decrypt(*nostr::ConversationKey::between(user, friend_key), *sealed) ==
          "hello");
    const auto text =
        wait_text([&](auto done) { (*signer)->nip44_decrypt(*sealed, friend_key, done); });
    REQUIRE(text);
    CHECK(*text == "hello");
  }
  const auto again = open(*address);
  REQUIRE(again);
  CHECK(nostr::sign_blocking(**again, kHint, kPatience));

  // Somebody without the secret.
  const std::string address_without = address->substr(0, address->find("&secret"));
  auto uri = nostr::parse_bunker_uri(address_without);
  REQUIRE(uri);
  const auto refused = nostr::RemoteSigner::open(std::move(*uri), {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::refused);
}

}  // namespace

TEST_CASE("NDK signs, encrypts and decrypts for us over our relay") {
  const auto loop = nostr::net::Loop::start();
  REQUIRE(loop);
  nostr::server::RelayServerOptions options;
  options.port = 0;
  const auto relay = nostr::server::RelayServer::start(**loop, options);
  REQUIRE(relay);
  expect_signer_over((*relay)->url());
}

TEST_CASE("NDK signs, encrypts and decrypts for us over khatru") {
  const auto folder = peer("khatru");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("khatru", *folder);
  expect_signer_over(relay.url());
}
