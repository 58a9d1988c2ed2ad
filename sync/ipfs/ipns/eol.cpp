#include <cstdio>

#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {
namespace {

constexpr int64_t kBillion = 1'000'000'000;
// 9999-12-31T23:59:59Z, the last second that RFC 3339 can write.
constexpr int64_t kLastSecond = 253'402'300'799;

// Exactly `size` decimal digits at `at`; -1 otherwise.
int digits(std::string_view text, size_t at, size_t size) {
  int out = 0;
  for (const char c : text.substr(at, size)) {
    if (c < '0' || c > '9') return -1;
    out = out * 10 + (c - '0');
  }
  return out;
}

}  // namespace

Result<Eol> Eol::parse(std::string_view text) {
  const auto bad = [] {
    return fail(Errc::parse, "time: want RFC 3339 in UTC, as 2030-01-02T03:04:05Z");
  };
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= kShape.size() || text.size() > kShape.size() + 11 || text.back() != 'Z') {
    return bad();
  }
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == 'd' ? !is_digit : text[i] != kShape[i]) return bad();
  }
  Eol out;
  const std::string_view fraction = text.substr(kShape.size(), text.size() - kShape.size() - 1);
  if (!fraction.empty()) {
    const size_t count = fraction.size() - 1;
    const int value = digits(fraction, 1, count);
    if (fraction[0] != '.' || count == 0 || value < 0) return bad();
    out.nanoseconds = value;
    for (size_t i = count; i < 9; ++i) out.nanoseconds *= 10;
  }
  const std::chrono::year_month_day date{
      std::chrono::year(digits(text, 0, 4)),
      std::chrono::month(static_cast<unsigned>(digits(text, 5, 2))),
      std::chrono::day(static_cast<unsigned>(digits(text, 8, 2)))};
  const int64_t hour = digits(text, 11, 2);
  const int64_t minute = digits(text, 14, 2);
  const int64_t second = digits(text, 17, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return bad();
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  out.seconds = days * 86400 + hour * 3600 + minute * 60 + second;
  return out;
}

std::string Eol::to_string() const {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[64];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02d.%09d",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), nanoseconds);
  std::string out(text);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out + 'Z';
}

Eol Eol::after(UnixMillis now, std::chrono::nanoseconds lifetime) {
  const int64_t fraction = now.value % 1000 * 1'000'000 + lifetime.count() % kBillion;
  int64_t seconds = now.value / 1000 + lifetime.count() / kBillion + fraction / kBillion;
  int64_t nanoseconds = fraction % kBillion;
  if (nanoseconds < 0) {
    nanoseconds += kBillion;
    --seconds;
  }
  return {std::clamp<int64_t>(seconds, 0, kLastSecond), static_cast<int32_t>(nanoseconds)};
}

}  // namespace ipnscast::sync
