#include "ipnscast/nostr/probe/score.h"

#include <algorithm>
#include <utility>

namespace ipnscast::nostr::probe {
namespace {

constexpr int kHundred = 100;
constexpr int kUnfitAtMost = 49;

}  // namespace

Verdict verdict_of(std::vector<Reason> reasons) {
  std::stable_sort(reasons.begin(), reasons.end(), [](const Reason& a, const Reason& b) {
    return std::pair(a.unfit, a.points) > std::pair(b.unfit, b.points);
  });
  Verdict out;
  out.fit = std::none_of(reasons.begin(), reasons.end(),
                         [](const Reason& reason) { return reason.unfit; });
  int score = kHundred;
  for (const Reason& reason : reasons) score -= reason.points;
  out.score = std::clamp(score, 0, out.fit ? kHundred : kUnfitAtMost);
  out.reasons = std::move(reasons);
  return out;
}

Verdict unreachable_verdict(std::string text) {
  return {.fit = false, .score = 0, .reasons = {{kHundred, true, std::move(text)}}};
}

}  // namespace ipnscast::nostr::probe
