#pragma once

#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/sync/hint/hint_search.h"
#include "ipnscast/tests/integration/sync/client_world.h"

// What the relay of a world holds.
namespace ipnscast::test {

// Of the world's key, of these kinds.
inline std::vector<nostr::Event> events_of(const World& world, std::vector<int> kinds) {
  const auto pool = nostr::Pool::start(
      *world.loop, {.relays = {*nostr::RelayUrl::parse(world.relay->url())},
                    .signers = {nostr::make_local_signer(world.nostr_key.clone())}});
  sync::HintSearch search(*pool,
                          {{.authors = {world.nostr_key.public_key()}, .kinds = std::move(kinds)}});
  std::vector<nostr::Event> out;
  const size_t answered = search.wait(std::chrono::steady_clock::now() + Seconds(20),
                                      [&](const nostr::Event& event) { out.push_back(event); });
  REQUIRE(answered == 1);
  return out;
}

}  // namespace ipnscast::test
