#include <future>

#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/nostr/nip/nip70.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"

// Protected events (NIP-70) at a relay that others wrote, which takes them from their author only.
using namespace ipnscast;
using namespace ipnscast::test;

namespace {

constexpr std::chrono::seconds kPatience(30);

using Signers = std::vector<std::shared_ptr<nostr::Signer>>;

nostr::RelayOutcome publish(nostr::net::Loop& loop, const nostr::RelayUrl& relay,
                            const Signers& signers, const nostr::Event& event) {
  const auto pool = nostr::Pool::start(loop, {.relays = {relay}, .signers = signers});
  std::promise<nostr::PublishReport> done;
  auto coming = done.get_future();
  pool->publish(event, {}, [&](nostr::PublishReport report) { done.set_value(std::move(report)); });
  if (coming.wait_for(kPatience) != std::future_status::ready) return {};
  return coming.get().relays.at(relay);
}

std::shared_ptr<nostr::Signer> signer(const nostr::SecretKey& key) {
  return nostr::make_local_signer(key.clone());
}

}  // namespace

TEST_CASE(
    "NIP-70: khatru takes a protected event when its author has proved the key, and only then") {
  const auto folder = peer("khatru");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("khatru", *folder, true);
  const auto url = *nostr::RelayUrl::parse(relay.url());
  const auto loop = nostr::net::Loop::start();
  REQUIRE(loop);
  const auto author = nostr::SecretKey::generate();
  const auto stranger = nostr::SecretKey::generate();
  // Not of the kinds that this relay keeps to their authors anyway: the mark alone decides.
  nostr::UnsignedEvent text{
      .created_at = system_now().seconds(), .kind = 1, .tags = {}, .content = "protected"};
  const auto open_event = nostr::sign_event(stranger, text);
  CHECK(publish(**loop, url, {}, open_event).stored());
  nostr::protect(text);
  const auto event = nostr::sign_event(author, text);

  const auto nobody = publish(**loop, url, {}, event);
  INFO(nobody.reason);
  CHECK(nobody.state == nostr::PublishState::refused);
  CHECK(nobody.reason.starts_with("auth-required"));
  const auto other = publish(**loop, url, {signer(stranger)}, event);
  INFO(other.reason);
  CHECK(other.state == nostr::PublishState::refused);
  // Of several keys the author's is the one that is proved.
  const auto own = publish(**loop, url, {signer(stranger), signer(author)}, event);
  INFO(own.reason);
  CHECK(own.state == nostr::PublishState::acknowledged);
}
