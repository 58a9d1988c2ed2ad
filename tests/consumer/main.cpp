// A small program of somebody else: makes a Nostr key, derives its IPNS name, signs a record and
// checks it, with nothing but the installed headers and libraries.
#include <ipnscast/nostr/keys.h>
#include <ipnscast/sync/client.h>
#include <ipnscast/sync/ipfs/ipns_key.h>
#include <ipnscast/sync/ipfs/ipns_record.h>

#include <chrono>
#include <cstdio>

int main() {
  using namespace ipnscast;
  const nostr::SecretKey secret = nostr::SecretKey::generate();
  const nostr::Event event = nostr::sign_event(
      secret, {.created_at = system_now().seconds(), .kind = 1, .tags = {}, .content = "hello"});
  if (!nostr::verify(event)) return 1;

  const auto key = sync::IpnsKey::derive_ed25519(secret.secret_view());
  if (!key) return 1;
  const auto record = sync::create_record(
      *key, {.value = "/ipfs/bafkqaaa",
             .sequence = sync::Sequence{1},
             .eol = sync::Eol::after(system_now().wall, std::chrono::hours(1))});
  if (!record) {
    std::fprintf(stderr, "%s\n", record.error().message.c_str());
    return 1;
  }
  if (!sync::verify_record(key->name(), record->bytes(), system_now().wall)) return 1;
  std::printf("%s\n", key->name().to_string().c_str());
  return 0;
}
