#include "ipnscast/nostr/net/verify_threads.h"

#include <future>
#include <thread>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

std::string frame_of(const SecretKey& key, int version) {
  const auto event =
      sign_event(key, {{1700000000 + version}, 30078, {{"d", "a"}}, std::to_string(version)});
  return to_frame(RelayMessage(EventMessage{"s", event}));
}

}  // namespace

TEST_CASE("a live burst of 1000 versions, frame by frame, costs a verification for each pause") {
  constexpr int kVersions = 1000;
  const SecretKey key = *SecretKey::from_bytes(Bytes(32, 7));
  std::vector<std::string> frames;
  for (int i = 1; i <= kVersions; ++i) frames.push_back(frame_of(key, i));

  auto loop = *net::Loop::start();
  // net thread only
  std::vector<Verdict> verdicts;
  std::promise<void> all_came;
  net::VerifyThreads threads(
      *loop, 1, {},
      [&](std::vector<net::VerifyThreads::Checked> batch) {
        for (const auto& one : batch) verdicts.push_back(one.result.verdict);
        if (verdicts.size() == kVersions) all_came.set_value();
      },
      [] {});
  threads.rules().set(
      "s",
      std::make_shared<NewestRule>(
          [](const Event& event) { return std::optional<uint64_t>(std::stoull(event.content)); },
          std::make_shared<FilterSet>(std::vector<Filter>{{.kinds = {30078}}})));

  const Instant began = std::chrono::steady_clock::now();
  Instant at = began;
  for (std::string& frame : frames) {
    net::VerifyThreads::Job job{1, std::move(frame)};
    bool taken = false;
    std::this_thread::sleep_until(at += std::chrono::microseconds(200));  // as a relay sends them
    while (!taken) loop->run([&] { taken = threads.submit(job); });
  }
  REQUIRE(all_came.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  const auto took =
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - began);

  const auto verified = std::count(verdicts.begin(), verdicts.end(), Verdict::verified);
  const auto skipped = std::count(verdicts.begin(), verdicts.end(), Verdict::skipped);
  INFO(verified << " verified in " << took.count() << " ms");
  CHECK(verified + skipped == kVersions);
  CHECK(verdicts.back() == Verdict::verified);
  CHECK(verified <= 3 + took.count() / 5);
}
