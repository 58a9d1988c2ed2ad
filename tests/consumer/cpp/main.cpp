// A small program of somebody else, with nothing but the installed headers and libraries: two
// devices of one person, each with a client on a state directory of its own. The first follows the
// name of a new key, the second publishes a file under it, and the first is handed the change.
//
//   consumer                        only opens, follows and closes: nothing is sent
//   consumer RELAY GATEWAY RPC      the URLs that `ipnscast up --json` prints
#include <ipnscast/nostr/event/keys.h>
#include <ipnscast/nostr/nip/local_signer.h>
#include <ipnscast/sync/client.h>
#include <ipnscast/sync/ipfs/ipns/ipns_key.h>
#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace ipnscast;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string made = (std::filesystem::temp_directory_path() / "consumer-XXXXXX").string();
    if (::mkdtemp(made.data()) != nullptr) path_ = made;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

int failed(const char* what, const Error& error) {
  std::fprintf(stderr, "consumer: cannot %s: %s\n", what, error.message.c_str());
  return 1;
}

// One person's device: a client with a state directory of its own.
Result<std::unique_ptr<sync::Client>> open_device(const std::filesystem::path& state_dir,
                                                  const nostr::SecretKey& secret,
                                                  const std::vector<std::string>& urls) {
  sync::Config config;
  config.state_dir = state_dir;
  config.trusted_authors = {secret.public_key()};
  config.signer = nostr::make_local_signer(secret.clone());
  if (!urls.empty()) {
    auto relay = nostr::RelayUrl::parse(urls[0]);
    if (!relay) return fail(relay.error());
    config.relays = {std::move(*relay)};
    config.gateways = {{urls[1], 1, {}}, {urls[2], 1, {}}};
  }
  return sync::Client::open(std::move(config));
}

int run(const std::vector<std::string>& urls) {
  const TemporaryDirectory directory;
  const nostr::SecretKey secret = nostr::SecretKey::generate();
  const auto key = sync::IpnsKey::derive_ed25519(secret.secret_view());
  if (!key) return failed("derive the name", key.error());

  const auto reader = open_device(directory.path() / "reader", secret, urls);
  if (!reader) return failed("open a client", reader.error());
  auto handed = std::make_shared<std::promise<std::string>>();
  sync::WatchOptions watching;
  watching.on_change = [handed, done = std::make_shared<bool>(false)](const sync::Change& change) {
    if (change.kind == sync::ChangeKind::change && !std::exchange(*done, true))
      handed->set_value(change.value);
    return Status{};
  };
  if (auto status = (*reader)->watch(key->name(), std::move(watching)); !status)
    return failed("follow the name", status.error());
  std::printf("follows %s\n", key->name().to_string().c_str());
  if (urls.empty()) return 0;

  const auto writer = open_device(directory.path() / "writer", secret, urls);
  if (!writer) return failed("open the second client", writer.error());
  const std::filesystem::path file = directory.path() / "hello.txt";
  std::ofstream(file) << "hello from a stranger\n";
  const auto published = (*writer)->publish(*key, file);
  if (!published) return failed("publish", published.error());
  std::future<std::string> change = handed->get_future();
  if (change.wait_for(std::chrono::minutes(2)) != std::future_status::ready) {
    std::fprintf(stderr, "consumer: the change that was published did not arrive\n");
    return 1;
  }
  const std::string value = change.get();
  const std::string wanted = "/ipfs/" + published->cid.to_string();
  std::printf("was handed %s\n", value.c_str());
  if (value == wanted) return 0;
  std::fprintf(stderr, "consumer: published %s, but was handed %s\n", wanted.c_str(),
               value.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 1 && argc != 4) {
    std::fprintf(stderr, "usage: consumer [RELAY GATEWAY RPC]\n");
    return 2;
  }
  return run({argv + 1, argv + argc});
}
