#include "ipnscast/bridge/config/suggestion.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "ipnscast/bridge/config/settings_table.h"

namespace ipnscast::bridge {
namespace {

constexpr size_t kLongestWord = 64;

// Letters that were added, left out, changed or swapped with their neighbour.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> rows(a.size() + 1, std::vector<size_t>(b.size() + 1));
  std::iota(rows[0].begin(), rows[0].end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    rows[i][0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, changed});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows.back().back();
}

}  // namespace

std::string misspelt(std::string_view unknown, const std::vector<std::string>& known) {
  if (unknown.size() > kLongestWord) return {};
  const auto best = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return distance(unknown, a) < distance(unknown, b);
  });
  if (best == known.end()) return {};
  const size_t bound = std::clamp<size_t>(best->size() / 4, 1, 3);
  return distance(unknown, *best) <= bound ? *best : std::string();
}

std::string keys_of_section(std::string_view section) {
  return "\"ipnscast config --explain " + std::string(section) + "\" lists the keys of [" +
         std::string(section) + "]";
}

std::string suggest_key(std::string_view key) {
  std::vector<std::string> whole;
  std::vector<std::string> beside;
  std::string elsewhere;
  for (const Setting& row : settings_table()) {
    whole.push_back(row.is.key);
    if (section_of(row.is.key) == section_of(key)) beside.emplace_back(name_of(row.is.key));
    if (name_of(row.is.key) == name_of(key) && elsewhere.empty()) elsewhere = row.is.key;
  }
  std::string found = misspelt(name_of(key), beside);
  if (!found.empty()) found = std::string(section_of(key)) + "." + found;
  if (found.empty()) found = elsewhere;
  if (found.empty()) found = misspelt(key, whole);
  if (found.empty() && !beside.empty()) return ": " + keys_of_section(section_of(key));
  if (found.empty()) return ": \"ipnscast config\" lists all that there are";
  return ": did you mean " + found + "?";
}

}  // namespace ipnscast::bridge
