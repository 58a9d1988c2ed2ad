#include "ipnscast/sync/inspection/verdict.h"

#include <algorithm>

namespace ipnscast::sync::inspection {
namespace {

using Answer = Finding::Answer;

constexpr Milliseconds kBrisk{500};
constexpr Milliseconds kSlow{2'000};

Milliseconds slowest_verified(const Report& report) {
  Milliseconds out{0};
  for (const auto& [feature, finding] : report.findings) {
    if (finding.verified && finding.took) out = std::max(out, *finding.took);
  }
  return out;
}

}  // namespace

Verdict judge(const Report& report) {
  if (report.unreachable)
    return nostr::probe::unreachable_verdict("unreachable: " + report.unreachable->message);
  std::vector<Reason> reasons;
  const auto says = [&](Feature feature, Answer answer) {
    return report.finding(feature).answer == answer;
  };
  const auto verified = [&](Feature feature) { return report.finding(feature).verified; };
  for (const auto& [feature, finding] : report.findings) {
    if (finding.lied)
      reasons.push_back({50, true,
                         std::string(to_string(feature)) +
                             ": sent what is not what it claims to be: " + finding.words});
  }
  const bool blocks =
      verified(Feature::raw) || verified(Feature::car) || verified(Feature::rpc_block);
  const bool records = verified(Feature::ipns_record) || verified(Feature::routing) ||
                       says(Feature::routing, Answer::yes);
  if (!blocks && !records) {
    reasons.push_back({60, true,
                       says(Feature::path, Answer::yes)
                           ? "only plain files: a last resort, never a source of its own"
                           : "nothing came that could be verified"});
  }
  if (!blocks && records && says(Feature::raw, Answer::unclear)) {
    reasons.push_back(
        {20, false, "whether it has blocks is not known: name content that it has with --cid"});
  }
  const auto lacks = [&](Feature feature, int points, const char* text) {
    if (says(feature, Answer::no)) reasons.push_back({points, false, text});
  };
  if (blocks) {
    if (!verified(Feature::rpc_block)) lacks(Feature::raw, 15, "no single blocks (format=raw)");
    if (!says(Feature::raw, Answer::no)) {
      lacks(Feature::car, 15, "no streams (format=car)");
      if (says(Feature::car, Answer::yes))
        lacks(Feature::partial_car, 10, "entity-bytes is not heeded: parts cost the whole");
      lacks(Feature::ipns_record, 10, "no signed records (format=ipns-record)");
      lacks(Feature::only_if_cached, 3, "only-if-cached is not heeded");
      lacks(Feature::etag, 2, "blocks are not asked for conditionally (ETag)");
      lacks(Feature::record_etag, 3, "records are not asked for conditionally (ETag)");
    }
  }
  if (report.url.starts_with("https://")) lacks(Feature::http2, 5, "no HTTP/2");
  if (const Milliseconds took = slowest_verified(report); took > kBrisk)
    reasons.push_back({took > kSlow ? 10 : 5, false, "slow answers"});
  return verdict_of(std::move(reasons));
}

}  // namespace ipnscast::sync::inspection
