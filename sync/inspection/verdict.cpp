#include "sync/inspection/verdict.h"

#include <algorithm>

namespace ipnscast::sync::inspection {
namespace {

using Answer = Finding::Answer;

constexpr int kHundred = 100;
constexpr int kUnfitAtMost = 49;
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
  Verdict out;
  if (report.unreachable) {
    out.reasons.push_back({kHundred, true, "unreachable: " + report.unreachable->message});
    return out;
  }
  const auto says = [&](Feature feature, Answer answer) {
    return report.finding(feature).answer == answer;
  };
  const auto verified = [&](Feature feature) { return report.finding(feature).verified; };
  for (const auto& [feature, finding] : report.findings) {
    if (finding.lied)
      out.reasons.push_back({50, true,
                             std::string(to_string(feature)) +
                                 ": sent what is not what it claims to be: " + finding.words});
  }
  const bool blocks =
      verified(Feature::raw) || verified(Feature::car) || verified(Feature::rpc_block);
  const bool records = verified(Feature::ipns_record) || verified(Feature::routing) ||
                       says(Feature::routing, Answer::yes);
  if (!blocks && !records) {
    out.reasons.push_back({60, true,
                           says(Feature::path, Answer::yes)
                               ? "only plain files: a last resort, never a source of its own"
                               : "nothing came that could be verified"});
  }
  const auto lacks = [&](Feature feature, int points, const char* text) {
    if (says(feature, Answer::no)) out.reasons.push_back({points, false, text});
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
    out.reasons.push_back({took > kSlow ? 10 : 5, false, "slow answers"});
  std::stable_sort(out.reasons.begin(), out.reasons.end(), [](const Reason& a, const Reason& b) {
    return std::pair(a.unfit, a.points) > std::pair(b.unfit, b.points);
  });
  out.fit = std::none_of(out.reasons.begin(), out.reasons.end(),
                         [](const Reason& reason) { return reason.unfit; });
  int score = kHundred;
  for (const Reason& reason : out.reasons) score -= reason.points;
  out.score = std::clamp(score, 0, out.fit ? kHundred : kUnfitAtMost);
  return out;
}

}  // namespace ipnscast::sync::inspection
