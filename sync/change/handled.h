#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/sync/change/change.h"

namespace ipnscast::sync {

// What the application did with a change. A Status converts: none is applied(), an error is a
// retry() after the usual wait.
class Handled {
 public:
  enum class Verdict {
    applied,  // the application has it
    retry,    // it is handed over again, later
    reject,   // it is refused: see reject()
  };

  Handled() = default;
  Handled(const Status& status) {
    if (status) return;
    verdict_ = Verdict::retry;
    why_ = status.error();
  }
  Handled(tl::unexpected<Error> why) : verdict_(Verdict::retry), why_(std::move(why).value()) {}

  static Handled applied() { return {}; }
  // Hand it over again after this time, at least kSoonestRetry and at most kLatestRetry; without
  // one, after 1 s, doubling to 5 min. A newer version does not wait for that and comes instead.
  // After a restart of the program, or a new watch(), it comes at once.
  static Handled retry(std::optional<Milliseconds> after = {},
                       std::string why = "its handler wants it again") {
    Handled out(fail(Errc::busy, std::move(why)));
    out.after_ = after;
    return out;
  }
  // Refuse this version for good. The application keeps the content that it has, which stays the
  // `previous` of the next change. The version counts as known, so that nothing older comes back,
  // but it is never handed over again and nothing is published on it. Newer ones are. A change that
  // brings no value (stale, withdrawn, lost) counts as told.
  static Handled reject(std::string why) {
    Handled out(fail(Errc::refused, std::move(why)));
    out.verdict_ = Verdict::reject;
    return out;
  }

  Verdict verdict() const { return verdict_; }
  bool is_applied() const { return verdict_ == Verdict::applied; }
  bool is_reject() const { return verdict_ == Verdict::reject; }
  const Error& why() const { return why_; }  // of retry and reject
  const std::optional<Milliseconds>& after() const { return after_; }

 private:
  Verdict verdict_ = Verdict::applied;
  std::optional<Milliseconds> after_;
  Error why_;
};

inline constexpr Milliseconds kSoonestRetry{10};
inline constexpr Milliseconds kLatestRetry{24 * 3'600'000};

// A handler of changes: anything that can be called with a Change and returns Handled, a Status, or
// nothing, which counts as applied.
class OnChange {
 public:
  OnChange() = default;
  OnChange(std::nullptr_t) {}
  template <typename Call>
    requires(!std::is_same_v<std::decay_t<Call>, OnChange> &&
             (std::is_convertible_v<std::invoke_result_t<Call&, const Change&>, Handled> ||
              std::is_void_v<std::invoke_result_t<Call&, const Change&>>))
  OnChange(Call call) {
    if constexpr (std::is_void_v<std::invoke_result_t<Call&, const Change&>>) {
      const std::function<void(const Change&)> quiet(std::move(call));
      if (!quiet) return;
      call_ = [quiet](const Change& change) {
        quiet(change);
        return Handled();
      };
    } else {
      call_ = std::move(call);
    }
  }

  explicit operator bool() const { return call_ != nullptr; }
  Handled operator()(const Change& change) const { return call_(change); }

 private:
  std::function<Handled(const Change&)> call_;
};

}  // namespace ipnscast::sync
