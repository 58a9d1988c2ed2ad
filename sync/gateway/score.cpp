#include "ipnscast/sync/gateway/score.h"

#include <algorithm>
#include <cmath>

namespace ipnscast::sync::gateway {
namespace {

constexpr double kHalfLife = 24.0 * 3600 * 1000;  // ms
constexpr double kLieHalfLife = 7 * kHalfLife;
constexpr double kMostCounted = 1'000'000;
// So many answers every gateway is credited with, so that one early failure does not decide.
constexpr double kCredit = 4;

double decayed(double count, double ms, double half_life) {
  return count * std::exp2(-std::max(ms, 0.0) / half_life);
}

double ms_between(Instant from, Instant to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

double sane(double count) {
  return std::isfinite(count) ? std::clamp(count, 0.0, kMostCounted) : 0;
}

double reliability_of(double answers, double failures) {
  return (answers + kCredit) / (answers + failures + kCredit);
}

}  // namespace

void Score::restore(const GatewayMemory& memory, Milliseconds age, Instant now) {
  const auto ms = static_cast<double>(age.count());
  answers_ = decayed(sane(memory.answers), ms, kHalfLife);
  failures_ = decayed(sane(memory.failures), ms, kHalfLife);
  lies_ = decayed(sane(memory.lies), ms, kLieHalfLife);
  as_of_ = now;
}

void Score::age(Instant now) {
  answers_ = answers(now);
  failures_ = failures(now);
  lies_ = lies(now);
  as_of_ = std::max(as_of_, now);
}

void Score::answered(Instant now) {
  age(now);
  answers_ = sane(answers_ + 1);
}

void Score::failed(Instant now) {
  age(now);
  failures_ = sane(failures_ + 1);
}

void Score::lied(Instant now) {
  age(now);
  lies_ = sane(lies_ + 1);
}

double Score::answers(Instant now) const {
  return decayed(answers_, ms_between(as_of_, now), kHalfLife);
}

double Score::failures(Instant now) const {
  return decayed(failures_, ms_between(as_of_, now), kHalfLife);
}

double Score::lies(Instant now) const {
  return decayed(lies_, ms_between(as_of_, now), kLieHalfLife);
}

double Score::reliability(Instant now) const { return reliability_of(answers(now), failures(now)); }

int points(const GatewayMemory& memory) {
  const double honest = std::exp2(-2 * sane(memory.lies));
  const double fast = 1000.0 / (1000.0 + static_cast<double>(median_latency(memory).count()));
  const double reliable = reliability_of(sane(memory.answers), sane(memory.failures));
  return static_cast<int>(std::lround(100 * honest * fast * reliable));
}

Milliseconds median_latency(const GatewayMemory& memory) {
  if (memory.latencies.empty()) return Milliseconds(0);
  std::vector<Milliseconds> sorted = memory.latencies;
  const auto middle = sorted.begin() + static_cast<ptrdiff_t>((sorted.size() - 1) / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

}  // namespace ipnscast::sync::gateway
