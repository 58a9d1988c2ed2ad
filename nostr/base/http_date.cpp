#include "ipnscast/nostr/base/http_date.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace ipnscast {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr int64_t kEndOf9999 = 253'402'300'799;
constexpr std::string_view kForm = "Sun, 06 Nov 1994 08:49:37 GMT";

// The digits of `text`; nothing for what is none.
std::optional<unsigned> number(std::string_view text) {
  unsigned out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + static_cast<unsigned>(c - '0');
  }
  return out;
}

template <size_t n>
std::optional<unsigned> index_of(std::string_view word, const std::array<std::string_view, n>& in) {
  const auto found = std::find(in.begin(), in.end(), word);
  if (found == in.end()) return std::nullopt;
  return static_cast<unsigned>(found - in.begin());
}

std::string digits(int64_t value, size_t width) {
  const std::string text = std::to_string(value);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

}  // namespace

std::optional<UnixSeconds> parse_http_date(std::string_view text) {
  if (text.size() != kForm.size()) return std::nullopt;
  for (const size_t at : {3U, 4U, 7U, 11U, 16U, 19U, 22U, 25U, 26U, 27U, 28U}) {
    if (text[at] != kForm[at]) return std::nullopt;
  }
  const auto weekday = index_of(text.substr(0, 3), kDays);
  const auto day = number(text.substr(5, 2));
  const auto month = index_of(text.substr(8, 3), kMonths);
  const auto year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (!weekday || !day || !month || !year || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;  // 60: a leap second
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month + 1), std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  const std::chrono::sys_days days(date);
  if (std::chrono::weekday(days).c_encoding() != *weekday) return std::nullopt;
  const int64_t midnight = int64_t{days.time_since_epoch().count()} * 86'400;
  return UnixSeconds{midnight + *hour * 3'600 + *minute * 60 + *second};
}

std::string http_date(UnixSeconds time) {
  const int64_t seconds = std::clamp<int64_t>(time.value, 0, kEndOf9999);
  const std::chrono::sys_days days{std::chrono::days(seconds / 86'400)};
  const std::chrono::year_month_day date(days);
  const int64_t left = seconds % 86'400;
  return std::string(kDays[std::chrono::weekday(days).c_encoding()]) + ", " +
         digits(static_cast<unsigned>(date.day()), 2) + " " +
         std::string(kMonths[static_cast<unsigned>(date.month()) - 1]) + " " +
         digits(static_cast<int>(date.year()), 4) + " " + digits(left / 3'600, 2) + ":" +
         digits(left / 60 % 60, 2) + ":" + digits(left % 60, 2) + " GMT";
}

}  // namespace ipnscast
