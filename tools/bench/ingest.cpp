#include "tools/bench/ingest.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "nostr/frame_verifier.h"
#include "nostr/keys.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kSlice = 2000;

struct Input {
  std::vector<nostr::Event> events;
  std::vector<std::string> frames;
};

// A hint as DESIGN has it, without a record.
nostr::UnsignedEvent hint(size_t number) {
  const std::string name = "k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm";
  const std::string cid = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
  const std::string sequence = std::to_string(number);
  return {{1790000000 + static_cast<int64_t>(number)},
          30078,
          {{"d", "ipns-sync-" + name}, {"t", "ipns-sync"}, {"cid", cid}, {"seq", sequence}},
          R"({"type":"ipns-sync","ipnsName":")" + name + R"(","cid":")" + cid +
              R"(","sequence":")" + sequence +
              R"(","timestamp":1790000000000,"v":1,"version":7,"deviceId":"laptop"})"};
}

Input make_input(const IngestOptions& options) {
  std::vector<nostr::SecretKey> keys;
  for (size_t i = 0; i < options.keys; ++i) keys.push_back(nostr::SecretKey::generate());
  Input out;
  for (size_t i = 0; i < options.events; ++i) {
    out.events.push_back(nostr::sign_event(keys[i % keys.size()], hint(i)));
    out.frames.push_back(
        nostr::to_frame(nostr::RelayMessage(nostr::EventMessage{"sub:1", out.events.back()})));
  }
  return out;
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// CPU seconds that `workers` threads take to run work(i) for each i of [first, last).
double timed(size_t workers, size_t first, size_t last,
             const std::function<void(size_t begin, size_t end)>& work) {
  const double before = cpu_seconds();
  std::vector<std::thread> threads;
  const size_t share = (last - first + workers - 1) / workers;
  for (size_t begin = first; begin < last; begin += share) {
    threads.emplace_back([&work, begin, end = std::min(begin + share, last)] { work(begin, end); });
  }
  for (auto& thread : threads) thread.join();
  return cpu_seconds() - before;
}

}  // namespace

Result<IngestResult> bench_ingest(const IngestOptions& options) {
  if (options.events == 0 || options.keys == 0 || options.workers == 0) {
    return fail(Errc::invalid, "bench: want at least one event, key and worker");
  }
  const Input input = make_input(options);
  nostr::VerifiedSet verified;
  std::atomic<size_t> bad = 0;
  const auto ingest = [&](size_t begin, size_t end) {
    nostr::FrameVerifier verifier(verified);
    for (size_t i = begin; i < end; ++i) {
      if (verifier.check(input.frames[i]).verdict != nostr::Verdict::verified) ++bad;
    }
  };
  const auto bare = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const nostr::Event& event = input.events[i];
      if (!nostr::verify_schnorr(event.pubkey, event.id.view(), event.sig)) ++bad;
    }
  };
  std::vector<double> ingest_seconds;
  std::vector<double> bare_seconds;
  for (size_t first = 0; first < options.events; first += kSlice) {
    const size_t last = std::min(first + kSlice, options.events);
    const auto count = static_cast<double>(last - first);
    bare_seconds.push_back(timed(options.workers, first, last, bare) / count);
    ingest_seconds.push_back(timed(options.workers, first, last, ingest) / count);
  }
  if (bad != 0)
    return fail(Errc::internal, "bench: " + std::to_string(bad) + " events did not verify");
  return IngestResult{.verified = 1 / median(ingest_seconds), .bare = 1 / median(bare_seconds)};
}

}  // namespace ipnscast::tools
