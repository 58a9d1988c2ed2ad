#include "ipnscast/sync/settings/bounds.h"

#include "ipnscast/sync/settings/quantity.h"

namespace ipnscast::sync::settings {

std::string Bounds::text() const { return std::to_string(least) + " to " + std::to_string(most); }

Status Bounds::check(int64_t number) const {
  if (number >= least && number <= most) return {};
  return fail(Errc::invalid, "want " + text() + ", not " + std::to_string(number));
}

std::string SizeBounds::text() const {
  if (least == 0) return "a size";
  return least == 1 ? "a size above 0" : "a size of " + size_text(least) + " or more";
}

Status SizeBounds::check(uint64_t size) const {
  if (size < least) return fail(Errc::invalid, "want " + text() + ", not " + size_text(size));
  if (size > most) return fail(Errc::invalid, "want " + size_text(most) + " at most");
  return {};
}

std::string TimeBounds::text() const {
  if (least.count() == 0) return "a time";
  return least.count() == 1 ? "a time above 0" : "a time of " + duration_text(least) + " or more";
}

Status TimeBounds::check(std::chrono::nanoseconds time) const {
  if (time > kLongest) return fail(Errc::invalid, "want 100 years at most");
  if (time >= least) return {};
  return fail(Errc::invalid, "want " + text() + ", not " + duration_text(time) +
                                 (why.empty() ? "" : ": " + std::string(why)));
}

}  // namespace ipnscast::sync::settings
