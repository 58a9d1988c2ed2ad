#include "ipnscast/tools/reports/short_text.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tools/cli/ipfs_path.h"

namespace ipnscast::tools {
namespace {

std::string ends_of(const std::string& text, size_t head, size_t tail) {
  if (text.size() <= head + 3 + tail) return text;
  return text.substr(0, head) + "..." + text.substr(text.size() - tail);
}

constexpr size_t kNameHead = 3;

// Not inside of a character of UTF-8.
bool begins_character(const std::string& text, size_t at) {
  return at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
}

}  // namespace

ShortNames::ShortNames(const std::vector<sync::IpnsName>& names) {
  const std::set<sync::IpnsName> all(names.begin(), names.end());
  for (;; ++tail_) {
    std::set<std::string> seen;
    bool longer = false;
    names_.clear();
    for (const auto& name : all) {
      const std::string whole = name.to_string();
      const std::string text = ends_of(whole, kNameHead, tail_);
      longer |= text != whole;
      seen.insert(text);
      names_.emplace(name, text);
    }
    if (seen.size() == all.size() || !longer) return;
  }
}

std::string ShortNames::of(const sync::IpnsName& name) const {
  const auto known = names_.find(name);
  return known == names_.end() ? ends_of(name.to_string(), kNameHead, tail_) : known->second;
}

std::string short_cid(const sync::Cid& cid) { return ends_of(cid.to_string(), 4, 6); }

std::string short_key(const nostr::PublicKey& key) {
  return ends_of(nostr::encode_npub(key), 5, 6);
}

std::string short_value(const std::string& value) {
  const auto content = parse_ipfs_path(value);
  if (!content) return shown_text(value);
  return short_cid(content->cid) + (content->path.empty() ? "" : "/" + shown_text(content->path));
}

std::string cut_to(std::string text, size_t most) {
  constexpr size_t kDots = 3;
  if (text.size() <= most) return text;
  if (most <= kDots) return std::string(most, '.');
  size_t head = (most - kDots) / 2;
  size_t tail = text.size() - (most - kDots - head);
  while (!begins_character(text, head)) --head;
  while (!begins_character(text, tail)) ++tail;
  return text.substr(0, head) + "..." + text.substr(tail);
}

std::string time_text(std::chrono::microseconds time) {
  using namespace std::chrono;
  char text[48];
  const auto whole = [&](int64_t count, const char* unit) {
    std::snprintf(text, sizeof text, "%lld %s", static_cast<long long>(count), unit);
  };
  if (time < seconds(1)) {
    std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(time.count()) / 1'000);
  } else if (time < seconds(10)) {
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(time.count()) / 1'000'000);
  } else if (time < minutes(2)) {
    whole(duration_cast<seconds>(time).count(), "s");
  } else if (time < hours(2)) {
    whole(duration_cast<minutes>(time).count(), "min");
  } else if (time < hours(48)) {
    whole(duration_cast<hours>(time).count(), "h");
  } else {
    whole(duration_cast<hours>(time).count() / 24, "days");
  }
  return text;
}

std::string list_text(const std::vector<std::string>& all, size_t most) {
  std::string out;
  for (size_t i = 0; i < std::min(all.size(), most); ++i) out += (i == 0 ? "" : ", ") + all[i];
  if (all.size() > most) out += " and " + std::to_string(all.size() - most) + " more";
  return out;
}

}  // namespace ipnscast::tools
