#include <cstdio>
#include <optional>

#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync {
namespace {

constexpr int64_t kBillion = 1'000'000'000;
// 9999-12-31T23:59:59Z, the last second that RFC 3339 can write.
constexpr int64_t kLastSecond = 253'402'300'799;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes a number of `least` to `most` decimal digits off the front.
std::optional<int> take_number(std::string_view& rest, size_t least, size_t most) {
  int out = 0;
  size_t size = 0;
  for (; size < most && size < rest.size() && is_digit(rest[size]); ++size)
    out = out * 10 + (rest[size] - '0');
  if (size < least) return std::nullopt;
  rest.remove_prefix(size);
  return out;
}

bool take_one_of(std::string_view& rest, std::string_view characters) {
  if (rest.empty() || characters.find(rest.front()) == characters.npos) return false;
  rest.remove_prefix(1);
  return true;
}

// The nanoseconds of a fraction; 0 when there is none. Digits after the ninth are dropped.
int32_t take_fraction(std::string_view& rest) {
  const bool there = rest.size() > 1 && (rest[0] == '.' || rest[0] == ',') && is_digit(rest[1]);
  if (!there) return 0;
  rest.remove_prefix(1);
  int32_t out = 0;
  for (int i = 0; i < 9; ++i) out = out * 10 + take_number(rest, 1, 1).value_or(0);
  while (take_one_of(rest, "0123456789")) {
  }
  return out;
}

// The seconds by which a local time is ahead of UTC. An hour of 24 and a minute of 60 are taken.
std::optional<int> take_offset(std::string_view& rest) {
  if (take_one_of(rest, "Z")) return 0;
  const bool behind = !rest.empty() && rest.front() == '-';
  if (!take_one_of(rest, "+-")) return std::nullopt;
  const auto hours = take_number(rest, 2, 2);
  if (!hours || *hours > 24 || !take_one_of(rest, ":")) return std::nullopt;
  const auto minutes = take_number(rest, 2, 2);
  if (!minutes || *minutes > 60) return std::nullopt;
  const int seconds = (*hours * 60 + *minutes) * 60;
  return behind ? -seconds : seconds;
}

struct Clock {
  int hour = 0, minute = 0, second = 0;
};

std::optional<std::chrono::year_month_day> take_date(std::string_view& rest) {
  const auto year = take_number(rest, 4, 4);
  if (!year || !take_one_of(rest, "-")) return std::nullopt;
  const auto month = take_number(rest, 2, 2);
  if (!month || !take_one_of(rest, "-")) return std::nullopt;
  const auto day = take_number(rest, 2, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  return date.ok() ? std::optional(date) : std::nullopt;
}

std::optional<Clock> take_clock(std::string_view& rest) {
  const auto hour = take_number(rest, 1, 2);
  if (!hour || *hour > 23 || !take_one_of(rest, ":")) return std::nullopt;
  const auto minute = take_number(rest, 2, 2);
  if (!minute || *minute > 59 || !take_one_of(rest, ":")) return std::nullopt;
  const auto second = take_number(rest, 2, 2);
  if (!second || *second > 59) return std::nullopt;
  return Clock{*hour, *minute, *second};
}

}  // namespace

// Go's time.Parse with RFC3339Nano decides what the network takes for a time, so this takes exactly
// that: an hour of one digit, a comma before the fraction and the wide offsets included.
Result<Eol> Eol::parse(std::string_view text) {
  const auto bad = [] { return fail(Errc::parse, "time: want RFC 3339, as 2030-01-02T03:04:05Z"); };
  const auto date = take_date(text);
  if (!date || !take_one_of(text, "T")) return bad();
  const auto clock = take_clock(text);
  if (!clock) return bad();
  Eol out;
  out.nanoseconds = take_fraction(text);
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return bad();
  const int64_t days = std::chrono::sys_days(*date).time_since_epoch().count();
  out.seconds = days * 86400 + clock->hour * 3600 + clock->minute * 60 + clock->second - *offset;
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
