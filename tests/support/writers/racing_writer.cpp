// A device that races another one: in each round both read the name, and then both publish on the
// version that they read, at the same moment. Uses nothing but the library's public headers. One
// line of JSON for each thing that happens.
//
//   racing_writer device=NAME state=DIR secret=HEX meeting=FILE gateway=URL... [relay=URL...]
//                 [decider=URL] [rounds=50] [settle_ms=2000] [deadline_ms=120000]
//
// The devices meet in the file `meeting`, 8 bytes of zeros at first. Exit code 0 when all rounds
// were played.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ipnscast/tests/support/writers/device_arguments.h"

namespace {

using namespace ipnscast;
using ipnscast::test::device_config;
using ipnscast::test::DeviceArguments;
namespace fs = std::filesystem;

constexpr uint64_t kDevices = 2;

// A count in a file that both processes map: how often somebody has arrived.
class Meeting {
 public:
  Meeting(const std::string& file, Instant end) : end_(end) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void* const mapped =
        ::mmap(nullptr, sizeof(Arrived), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (mapped != MAP_FAILED) arrived_ = static_cast<Arrived*>(mapped);
  }
  ~Meeting() {
    if (arrived_ != nullptr) ::munmap(arrived_, sizeof(Arrived));
  }
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;

  // Waits for the other device. False: it did not come.
  bool meet() {
    if (arrived_ == nullptr) return false;
    wanted_ += kDevices;
    arrived_->fetch_add(1);
    while (arrived_->load() < wanted_) {
      if (std::chrono::steady_clock::now() > end_) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return true;
  }

 private:
  using Arrived = std::atomic<uint64_t>;
  static_assert(Arrived::is_always_lock_free);

  const Instant end_;
  Arrived* arrived_ = nullptr;
  uint64_t wanted_ = 0;
};

class RacingWriter {
 public:
  explicit RacingWriter(const DeviceArguments& arguments)
      : arguments_(arguments),
        device_(arguments.text("device", "a")),
        end_(std::chrono::steady_clock::now() +
             Milliseconds(arguments.number("deadline_ms", 120'000))),
        meeting_(arguments.text("meeting"), end_) {}

  int run() {
    auto nostr_key = nostr::SecretKey::parse(arguments_.text("secret"));
    if (!nostr_key) return failed("read the secret", nostr_key.error());
    const auto key = sync::IpnsKey::derive_ed25519(nostr_key->secret_view());
    if (!key) return failed("derive the name", key.error());
    auto client = sync::Client::open(device_config(arguments_, std::move(*nostr_key)));
    if (!client) return failed("open", client.error());
    client_ = std::move(*client);
    sync::WatchOptions options;
    options.on_change = [this](const sync::Change& change) { return take(change); };
    if (auto watched = client_->watch(key->name(), std::move(options)); !watched)
      return failed("watch", watched.error());
    const uint64_t rounds = arguments_.number("rounds", 50);
    for (uint64_t round = 1; round <= rounds; ++round) {
      if (!race(*key, round)) return 1;
    }
    client_->close();
    return 0;
  }

 private:
  static int failed(const char* what, const Error& error) {
    std::fprintf(stderr, "racing_writer: cannot %s: %s\n", what, error.message.c_str());
    return 2;
  }

  // On a lane's thread.
  Status take(const sync::Change& change) {
    using sync::ChangeKind;
    if (change.kind != ChangeKind::lost && change.kind != ChangeKind::conflict) return {};
    const std::lock_guard lock(mutex_);
    std::printf("{\"told\":\"%s\",\"round\":%llu}\n", change.other_value.value_or("").c_str(),
                static_cast<unsigned long long>(round_));
    std::fflush(stdout);
    return {};
  }

  bool race(const sync::IpnsKey& key, uint64_t round) {
    {
      const std::lock_guard lock(mutex_);
      round_ = round;
    }
    const fs::path file = fs::path(arguments_.text("state")).parent_path() / (device_ + ".txt");
    std::ofstream(file, std::ios::binary | std::ios::trunc) << device_ << " " << round << '\n';
    if (!meeting_.meet()) return false;
    const auto found = client_->resolve(key.name(), Milliseconds(10'000));
    if (!found) return failed("read the name", found.error()) == 0;
    sync::PublishOptions options;
    if (found->best) {
      const auto& fields = found->best->fields();
      options.based_on = sync::Version{fields.sequence, fields.value};
    } else {
      options.expect_sequence = sync::Sequence{0};
    }
    if (!meeting_.meet()) return false;
    const auto outcome = client_->publish(key, file, options);
    const std::lock_guard lock(mutex_);
    const sync::Version on = options.based_on.value_or(sync::Version{});
    std::printf("{\"round\":%llu,\"on\":%llu,\"on_value\":\"%s\",",
                static_cast<unsigned long long>(round),
                static_cast<unsigned long long>(on.sequence.value), on.value.c_str());
    if (outcome) {
      std::printf("\"published\":%llu,\"value\":\"/ipfs/%s\",\"settled\":%s}\n",
                  static_cast<unsigned long long>(outcome->sequence.value),
                  outcome->cid.to_string().c_str(), outcome->settled ? "true" : "false");
    } else {
      std::printf("\"refused\":\"%s\"}\n", std::string(to_string(outcome.error().code)).c_str());
      std::fprintf(stderr, "round %llu: %s\n", static_cast<unsigned long long>(round),
                   outcome.error().message.c_str());
    }
    std::fflush(stdout);
    return true;
  }

  const DeviceArguments& arguments_;
  const std::string device_;
  const Instant end_;
  Meeting meeting_;
  std::unique_ptr<sync::Client> client_;

  std::mutex mutex_;
  uint64_t round_ = 0;  // guarded by mutex_
};

}  // namespace

int main(int count, char** words) {
  const auto arguments = DeviceArguments::parse("racing_writer", count, words);
  return arguments ? RacingWriter(*arguments).run() : 2;
}
