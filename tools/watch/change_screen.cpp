#include "ipnscast/tools/watch/change_screen.h"

#include <algorithm>
#include <ctime>

#include "ipnscast/nostr/base/text/shown_text.h"

namespace ipnscast::tools {
namespace {

using sync::ChangeKind;

constexpr size_t kColumns = 100;
constexpr size_t kFewest = 60;
// Paths of a mirror below a change: who wants all of them reads the pipe.
constexpr size_t kPaths = 20;
// A change that is older than this is told by its age, not by how long it took.
constexpr Milliseconds kNews{10'000};

Colour colour_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::change:
    case ChangeKind::confirmed:
      return Colour::green;
    case ChangeKind::provisional:
      return Colour::cyan;
    case ChangeKind::stale:
      return Colour::yellow;
    case ChangeKind::refresh:
      return Colour::dim;
    case ChangeKind::conflict:
    case ChangeKind::withdrawn:
    case ChangeKind::lost:
      return Colour::red;
  }
  return Colour::none;
}

std::string time_of_day(UnixMillis at) {
  const std::time_t seconds = at.value / 1'000;
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return {};
  char text[16];
  return {text, std::strftime(text, sizeof text, "%H:%M:%S", &local)};
}

std::string paths_text(const TreeChanges& changes, size_t width) {
  std::string out;
  size_t shown = 0;
  const auto add = [&](const char* what, const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      if (shown++ < kPaths)
        out += std::string("\n  ") + what + cut_to(shown_text(path), width - 12);
    }
  };
  add("added    ", changes.added);
  add("changed  ", changes.changed);
  add("removed  ", changes.removed);
  if (shown > kPaths) out += "\n  and " + std::to_string(shown - kPaths) + " more paths";
  return out;
}

}  // namespace

ChangeScreen::Beginning ChangeScreen::begin(const sync::Change& change) const {
  const ChangeKind kind = change.kind == ChangeKind::confirmed ? ChangeKind::change : change.kind;
  std::string word(to_string(kind));
  word.resize(std::max<size_t>(word.size(), 11), ' ');
  const std::string time = time_of_day(system_now().wall);
  const std::string rest =
      "  " + names_.of(change.name) + "  sequence " + std::to_string(change.sequence.value) + "  ";
  return {screen_.painted(Colour::dim, time) + "  " + screen_.painted(colour_of(kind), word) + rest,
          time.size() + 2 + word.size() + rest.size()};
}

// What this device published, gone; what to do about it stands on a line of its own.
std::string ChangeScreen::lost(const sync::Change& change) const {
  const std::string ours = short_value(change.other_value.value_or("a publish"));
  return begin(change).text + cut_to(short_value(change.value), 24) +
         (change.certain ? " displaced " : " perhaps displaced ") + cut_to(ours, 24) +
         "\n  of this device: ipnscast history " + change.name.to_string() + " --lost";
}

std::string ChangeScreen::lines(const sync::Change& change, const Applied& applied) const {
  if (change.kind == ChangeKind::lost) return lost(change);
  const size_t width = std::clamp(screen_.width, kFewest, kColumns);
  const Milliseconds age(system_now().wall.value - change.seen.value);
  const std::string when = age > kNews ? time_text(age) + " ago" : time_text(applied.took);
  const Beginning beginning = begin(change);
  // The least important last: it is left out where there is no room.
  std::vector<std::string> more = {std::string(to_string(change.source))};
  if (change.unconfirmed_freshness) more.emplace_back("unconfirmed");
  if (change.other_value) more.push_back("over " + cut_to(short_value(*change.other_value), 24));
  if (change.author) more.push_back("by " + short_key(*change.author));
  const std::string whole = short_value(change.value);
  constexpr size_t kValue = 14;  // a CID, cut short
  const size_t taken = beginning.columns + std::min(whole.size(), kValue) + 2 + when.size();
  size_t left = width - std::min(width, taken);
  std::string rest;
  for (const std::string& part : more) {
    if (part.size() + 2 > left) continue;
    rest += "  " + part;
    left -= part.size() + 2;
  }
  std::string out = beginning.text +
                    cut_to(whole, std::max(kValue, std::min(whole.size(), kValue) + left)) + rest +
                    "  " + screen_.painted(Colour::dim, when);
  if (applied.mirror) out += paths_text(*applied.mirror, width);
  return out;
}

}  // namespace ipnscast::tools
