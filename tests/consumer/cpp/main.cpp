// Two devices of one person, in C++: the first follows a name, the second publishes a file under
// it.   consumer FOLDER RELAY GATEWAY RPC     an empty folder, and URLs of `ipnscast up --json`
#include <ipnscast/nostr/nip/local_signer.h>
#include <ipnscast/sync/client.h>
#include <ipnscast/sync/ipfs/ipns/ipns_key.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <memory>

using namespace ipnscast;

static int failed(const char* what, const Error& error) {
  std::fprintf(stderr, "consumer: cannot %s: %s\n", what, error.message.c_str());
  return 1;
}

static Result<std::unique_ptr<sync::Client>> open_device(const std::filesystem::path& state_dir,
                                                         const nostr::SecretKey& secret,
                                                         char** urls) {
  sync::Config config;
  config.state_dir = state_dir;
  config.relays = {*nostr::RelayUrl::parse(urls[0])};
  config.gateways = {{urls[1], 1, {}}, {urls[2], 1, {}}};
  config.trusted_authors = {secret.public_key()};
  config.signer = nostr::make_local_signer(secret.clone());
  return sync::Client::open(std::move(config));
}

int main(int argc, char** argv) {
  if (argc != 5) return std::fprintf(stderr, "usage: consumer FOLDER RELAY GATEWAY RPC\n"), 2;
  const std::filesystem::path folder = argv[1];
  const nostr::SecretKey secret = nostr::SecretKey::generate();
  const auto key = sync::IpnsKey::derive_ed25519(secret.secret_view());

  std::promise<sync::Change> handed;
  const auto reader = open_device(folder / "reader", secret, argv + 2);
  if (!reader) return failed("open the reader", reader.error());
  const auto followed = (*reader)->watch(key->name(), {.on_change = [&](const sync::Change& c) {
                                           handed.set_value(c);
                                           return Status();
                                         }});
  if (!followed) return failed("follow the name", followed.error());

  const auto writer = open_device(folder / "writer", secret, argv + 2);
  if (!writer) return failed("open the writer", writer.error());
  std::ofstream(folder / "hello.txt") << "hello from a stranger\n";
  const auto published = (*writer)->publish(*key, folder / "hello.txt");
  if (!published) return failed("publish", published.error());

  const sync::Change change = handed.get_future().get();
  std::printf("%s %s %s\n", change.name.to_string().c_str(), to_string(change.source).data(),
              change.value.c_str());
  return change.cid == published->cid ? 0 : 1;
}
