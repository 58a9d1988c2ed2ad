#include "ipnscast/tools/bench/ingest.h"

#include <atomic>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/relay/frame_batch.h"
#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/tools/bench/measure.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kSlice = 1000;
constexpr size_t kFurtherRelays = 9;

void verify_bare(const BenchEvents& input, size_t begin, size_t end, std::atomic<size_t>& bad) {
  for (size_t i = begin; i < end; ++i) {
    const nostr::Event& event = input.events[i];
    if (!nostr::verify_schnorr(event.pubkey, event.id.view(), event.sig)) ++bad;
  }
}

tl::unexpected<Error> did_not(size_t count, const char* what) {
  return fail(Errc::internal, "bench: " + std::to_string(count) + " frames " + what);
}

IngestResult rates(const std::vector<double>& figure_seconds,
                   const std::vector<double>& limit_seconds) {
  return {.figure = 1 / median(figure_seconds), .limit = 1 / median(limit_seconds)};
}

}  // namespace

Result<IngestResult> bench_distinct(const BenchEvents& input, size_t workers) {
  nostr::VerifiedSet verified;
  std::vector<nostr::FrameVerifier> verifiers;
  for (size_t i = 0; i < workers; ++i) verifiers.emplace_back(verified);
  std::atomic<size_t> bad = 0;
  std::vector<double> ingest_seconds;
  std::vector<double> bare_seconds;
  for (size_t first = 0; first < input.frames.size(); first += kSlice) {
    const size_t last = std::min(first + kSlice, input.frames.size());
    const auto count = static_cast<double>(last - first);
    bare_seconds.push_back(
        cpu_seconds_of(workers, first, last,
                       [&](size_t begin, size_t end) { verify_bare(input, begin, end, bad); }) /
        count);
    std::atomic<size_t> next = 0;
    ingest_seconds.push_back(cpu_seconds_of(workers, first, last,
                                            [&](size_t begin, size_t end) {
                                              nostr::FrameVerifier& verifier = verifiers[next++];
                                              for (size_t i = begin; i < end; ++i) {
                                                const auto verdict =
                                                    verifier.check(input.frames[i]).verdict;
                                                if (verdict != nostr::Verdict::verified) ++bad;
                                              }
                                            }) /
                             count);
  }
  if (bad != 0) return did_not(bad, "did not verify");
  return rates(ingest_seconds, bare_seconds);
}

Result<IngestResult> bench_duplicates(const BenchEvents& input) {
  nostr::VerifiedSet verified;
  nostr::FrameVerifier verifier(verified);
  std::atomic<size_t> bad = 0;
  std::vector<double> copy_seconds;
  std::vector<double> bare_seconds;
  for (size_t first = 0; first < input.frames.size(); first += kSlice) {
    const size_t last = std::min(first + kSlice, input.frames.size());
    std::vector<std::string> copies;  // each in memory of its own, one event's after the other
    for (size_t i = first; i < last; ++i) {
      if (verifier.check(input.frames[i]).verdict != nostr::Verdict::verified) ++bad;
      for (size_t relay = 0; relay < kFurtherRelays; ++relay) copies.push_back(input.frames[i]);
    }
    const double before = cpu_seconds();
    for (const std::string& copy : copies) {
      if (verifier.check(copy).verdict != nostr::Verdict::duplicate) ++bad;
    }
    const double between = cpu_seconds();
    verify_bare(input, first, last, bad);
    bare_seconds.push_back((cpu_seconds() - between) / static_cast<double>(last - first));
    copy_seconds.push_back((between - before) / static_cast<double>(copies.size()));
  }
  if (bad != 0) return did_not(bad, "were no copies");
  return rates(copy_seconds, bare_seconds);
}

Result<BurstResult> bench_burst() {
  constexpr size_t kVersions = 1000;
  constexpr int kRounds = 15;
  BenchEvents input;
  const nostr::SecretKey key = nostr::SecretKey::generate();
  for (size_t i = 1; i <= kVersions; ++i) {
    input.events.push_back(nostr::sign_event(key, bench_hint("ipns-sync-burst", i)));
    input.frames.push_back(
        nostr::to_frame(nostr::RelayMessage(nostr::EventMessage{"s", input.events.back()})));
  }
  const auto sequence = [](const nostr::Event& event) -> std::optional<uint64_t> {
    const auto claimed = sync::claimed_sequence(event);
    return claimed ? std::optional(claimed->value) : std::nullopt;
  };
  std::atomic<size_t> bad = 0;
  BurstResult out{.rate = {}, .versions = kVersions, .signatures = 0};
  std::vector<double> burst_seconds;
  std::vector<double> bare_seconds;
  for (int round = 0; round < kRounds; ++round) {
    nostr::VerifiedSet verified;
    nostr::NewestRules rules;
    rules.set("s", std::make_shared<nostr::NewestRule>(
                       sequence, std::make_shared<nostr::FilterSet>(
                                     std::vector<nostr::Filter>{{.kinds = {30078}}})));
    nostr::FrameBatch batch(verified, rules);
    std::vector<nostr::RelayFrame> frames;
    for (const std::string& frame : input.frames) frames.push_back({1, frame});
    size_t held = 0;
    const double before = cpu_seconds();
    batch.check(std::move(frames), [&](nostr::CheckedRelayFrame one) {
      if (one.result.verdict == nostr::Verdict::verified) ++held;
    });
    const double between = cpu_seconds();
    verify_bare(input, 0, kVersions, bad);
    burst_seconds.push_back((between - before) / kVersions);
    bare_seconds.push_back((cpu_seconds() - between) / kVersions);
    if (held == 0) ++bad;
    out.signatures = std::max<size_t>(out.signatures, batch.signatures());
  }
  if (bad != 0) return did_not(bad, "did not verify");
  out.rate = rates(burst_seconds, bare_seconds);
  return out;
}

}  // namespace ipnscast::tools
