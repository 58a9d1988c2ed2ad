// A device that edits a set together with others: adds entries of its own to one name, merges what
// others publish, and tries again what is refused, until all entries of all devices are there. Uses
// nothing but the library's public headers. One line of JSON for each thing that happens.
//
//   set_writer device=NAME state=DIR secret=HEX gateway=URL... [relay=URL...] [decider=URL]
//              [publishes=60] [entries=120] [settle_ms=2000] [quiet_ms=5000] [deadline_ms=120000]
//              [seed=1]
//
// Exit code 0 when the name's value has `entries` entries of devices, this one has published
// `publishes` times, and nothing has changed for `quiet_ms`.
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/tests/support/writers/device_arguments.h"

namespace {

using namespace ipnscast;
using ipnscast::test::device_config;
using ipnscast::test::DeviceArguments;
using Entries = std::set<std::string>;
namespace fs = std::filesystem;

constexpr uint64_t kMostBytes = 1 << 20;
constexpr int kMostTroubles = 200;

Entries parse(const std::string& text) {
  Entries out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) out.insert(line);
  }
  return out;
}

class SetWriter {
 public:
  explicit SetWriter(const DeviceArguments& arguments)
      : arguments_(arguments),
        device_(arguments.text("device", "a")),
        publishes_(arguments.number("publishes", 60)),
        wanted_(arguments.number("entries", 120)),
        quiet_(arguments.number("quiet_ms", 5'000)),
        end_(started_ + Milliseconds(arguments.number("deadline_ms", 120'000))),
        random_(arguments.number("seed", 1)) {}

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
    const bool done = write_all(*key);
    client_->close();
    const std::lock_guard lock(mutex_);
    std::printf(
        "{\"done\":%s,\"device\":\"%s\",\"own\":%llu,\"refused\":%d,\"lost\":%d,\"troubles\":%d,"
        "\"entries\":%zu,\"sequence\":%llu,\"ms\":%lld}\n",
        done ? "true" : "false", device_.c_str(), static_cast<unsigned long long>(own_), refused_,
        lost_, troubles_, of_devices(there_), static_cast<unsigned long long>(base_sequence()),
        static_cast<long long>(elapsed()));
    return done ? 0 : 1;
  }

 private:
  static int failed(const char* what, const Error& error) {
    std::fprintf(stderr, "set_writer: cannot %s: %s\n", what, error.message.c_str());
    return 2;
  }
  int64_t elapsed() const {
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started_)
        .count();
  }
  uint64_t base_sequence() const { return base_ ? base_->sequence.value : 0; }
  // Those of foreign writers do not count.
  static size_t of_devices(const Entries& entries) {
    return static_cast<size_t>(std::count_if(entries.begin(), entries.end(), [](const auto& entry) {
      return entry.rfind("kubo", 0) != 0;
    }));
  }

  void tell_lost(const sync::Change& change) const {
    std::printf("{\"lost\":\"%s\",\"certain\":%s,\"ms\":%lld}\n",
                change.other_value.value_or("").c_str(), change.certain ? "true" : "false",
                static_cast<long long>(elapsed()));
    std::fflush(stdout);
  }

  // On a lane's thread.
  Status take(const sync::Change& change) {
    using sync::ChangeKind;
    if (change.kind == ChangeKind::lost) {
      const std::lock_guard lock(mutex_);
      ++lost_;
      changed_at_ = std::chrono::steady_clock::now();
      tell_lost(change);
      return {};
    }
    const bool current = change.kind == ChangeKind::change || change.kind == ChangeKind::conflict ||
                         change.kind == ChangeKind::confirmed || change.kind == ChangeKind::refresh;
    if (!current || !change.cid) return {};
    std::string text;
    const auto read =
        sync::read_file_content(client_->blocks(), *change.cid, kMostBytes, [&](ByteView bytes) {
          text += as_text(bytes);
          return Status{};
        });
    if (!read) return fail(read.error());
    const std::lock_guard lock(mutex_);
    Entries there = parse(text);
    entries_.insert(there.begin(), there.end());
    if (!base_ || base_->sequence <= change.sequence) {
      base_ = sync::Version{change.sequence, change.value};
      there_ = std::move(there);
    }
    changed_at_ = std::chrono::steady_clock::now();
    ++taken_;
    changed_.notify_all();
    if (change.kind == ChangeKind::conflict) tell_lost(change);
    std::printf("{\"taken\":%llu,\"kind\":\"%s\",\"entries\":%zu}\n",
                static_cast<unsigned long long>(change.sequence.value),
                std::string(to_string(change.kind)).c_str(), of_devices(there_));
    std::fflush(stdout);
    return {};
  }

  // One edit: what it was made on, and what it says.
  struct Edit {
    std::optional<sync::Version> on;
    Entries entries;
    bool own = false;  // with a new entry of this device
    uint64_t taken = 0;
  };

  // The next edit. Nothing: it is time to end.
  std::optional<Edit> next_edit() {
    std::unique_lock lock(mutex_);
    for (;;) {
      const Instant now = std::chrono::steady_clock::now();
      if (now >= end_) return std::nullopt;
      const bool merged =
          std::includes(there_.begin(), there_.end(), entries_.begin(), entries_.end());
      if (own_ < publishes_ || !merged) {
        Edit out{base_, entries_, own_ < publishes_, taken_};
        if (out.own) out.entries.insert(device_ + "-" + std::to_string(own_ + 1));
        return out;
      }
      const bool whole = of_devices(there_) >= wanted_;
      if (whole && now >= changed_at_ + quiet_) return std::nullopt;
      changed_.wait_until(lock, std::min(end_, now + Milliseconds(100)));
    }
  }

  bool write_all(const sync::IpnsKey& key) {
    const fs::path file = fs::path(arguments_.text("state")).parent_path() / (device_ + ".txt");
    while (const auto edit = next_edit()) {
      {
        std::ofstream out(file, std::ios::binary | std::ios::trunc);
        for (const std::string& entry : edit->entries) out << entry << '\n';
      }
      sync::PublishOptions options;
      if (edit->on)
        options.based_on = edit->on;
      else
        options.expect_sequence = sync::Sequence{0};  // made on nothing
      const auto outcome = client_->publish(key, file, options);
      if (outcome)
        note_published(*edit, *outcome);
      else
        note_failed(*edit, outcome.error());
      if (troubles_ > kMostTroubles) return false;
    }
    const std::lock_guard lock(mutex_);
    return own_ >= publishes_ && of_devices(there_) >= wanted_;
  }

  void note_published(const Edit& edit, const sync::Outcome& outcome) {
    const std::lock_guard lock(mutex_);
    const sync::Version made{outcome.sequence, "/ipfs/" + outcome.cid.to_string()};
    entries_.insert(edit.entries.begin(), edit.entries.end());
    if (!base_ || base_->sequence < made.sequence) {
      base_ = made;
      there_ = edit.entries;
    }
    if (edit.own) ++own_;
    changed_at_ = std::chrono::steady_clock::now();
    std::printf(
        "{\"published\":%llu,\"value\":\"%s\",\"on\":%llu,\"settled\":%s,\"undecided\":%s}\n",
        static_cast<unsigned long long>(made.sequence.value), made.value.c_str(),
        static_cast<unsigned long long>(edit.on ? edit.on->sequence.value : 0),
        outcome.settled ? "true" : "false", outcome.undecided ? "true" : "false");
    std::fflush(stdout);
  }

  // Waits until the handler has taken in what stands in the way, with jitter.
  void note_failed(const Edit& edit, const Error& error) {
    std::unique_lock lock(mutex_);
    if (error.code == Errc::conflict) {
      ++refused_;
      std::fprintf(stderr, "%lld ms: %s\n", static_cast<long long>(elapsed()),
                   error.message.c_str());
    } else {
      ++troubles_;
      std::fprintf(stderr, "set_writer %s: %s: %s\n", device_.c_str(),
                   std::string(to_string(error.code)).c_str(), error.message.c_str());
    }
    const Instant now = std::chrono::steady_clock::now();
    changed_.wait_until(lock, std::min(end_, now + Milliseconds(2'000)),
                        [&] { return taken_ != edit.taken; });
    const Milliseconds jitter(std::uniform_int_distribution<int>(0, 150)(random_));
    lock.unlock();
    std::this_thread::sleep_for(jitter);
  }

  const DeviceArguments& arguments_;
  const std::string device_;
  const uint64_t publishes_;
  const size_t wanted_;
  const Milliseconds quiet_;
  const Instant started_ = std::chrono::steady_clock::now();
  const Instant end_;
  std::mt19937_64 random_;  // main thread only
  std::unique_ptr<sync::Client> client_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  Entries entries_;                    // all that this device knows of
  Entries there_;                      // those of the version `base_`
  std::optional<sync::Version> base_;  // taken in last, or published
  Instant changed_at_ = started_;
  uint64_t own_ = 0;    // publishes with an entry of this device that succeeded
  uint64_t taken_ = 0;  // versions of others
  int refused_ = 0;
  int lost_ = 0;
  int troubles_ = 0;
};

}  // namespace

int main(int count, char** words) {
  const auto arguments = DeviceArguments::parse("set_writer", count, words);
  return arguments ? SetWriter(*arguments).run() : 2;
}
