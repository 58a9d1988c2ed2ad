#include "ipnscast/bridge/node/store/precondition.h"

#include <algorithm>

namespace ipnscast::bridge {
namespace {

constexpr std::string_view kWeak = "W/";

// Takes spaces, and commas between the items of a list, off the front. RFC 9110 section 5.6.1 lets
// a list have empty items.
void skip(std::string_view& text, bool commas) {
  while (!text.empty() &&
         (text.front() == ' ' || text.front() == '\t' || (commas && text.front() == ','))) {
    text.remove_prefix(1);
  }
}

// entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE; etagc is any visible byte but the quote.
std::optional<std::string> take_tag(std::string_view& text) {
  size_t at = text.starts_with(kWeak) ? kWeak.size() : 0;
  if (at >= text.size() || text[at] != '"') return std::nullopt;
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte <= 0x20 || byte == 0x7f) return std::nullopt;
  }
  if (at == text.size()) return std::nullopt;
  std::string out(text.substr(0, at + 1));
  text.remove_prefix(at + 1);
  return out;
}

}  // namespace

Result<Precondition::Tags> Precondition::parse_tags(std::string_view header) {
  const auto malformed = [] {
    return fail(Errc::invalid, "want \"*\" or entity tags in quotes, divided by commas");
  };
  Tags out;
  std::string_view rest = header;
  skip(rest, false);
  if (rest.starts_with('*')) {
    rest.remove_prefix(1);
    skip(rest, false);
    if (!rest.empty()) return malformed();
    out.any = true;
    return out;
  }
  for (skip(rest, true); !rest.empty(); skip(rest, true)) {
    auto tag = take_tag(rest);
    skip(rest, false);
    if (!tag || (!rest.empty() && rest.front() != ',')) return malformed();
    out.tags.push_back(std::move(*tag));
  }
  if (out.tags.empty()) return malformed();
  return out;
}

Result<Precondition> Precondition::parse(std::optional<std::string_view> if_match,
                                         std::optional<std::string_view> if_none_match) {
  Precondition out;
  if (if_match) {
    auto tags = parse_tags(*if_match);
    if (!tags) return fail(tags.error().within("If-Match"));
    out.match_ = std::move(*tags);
  }
  if (if_none_match) {
    auto tags = parse_tags(*if_none_match);
    if (!tags) return fail(tags.error().within("If-None-Match"));
    out.none_match_ = std::move(*tags);
  }
  return out;
}

// If-Match compares strongly: a weak tag equals nothing. If-None-Match compares weakly.
bool Precondition::holds(const std::optional<std::string>& etag) const {
  const auto lists = [&](const Tags& wanted, bool weak) {
    if (!etag) return false;
    if (wanted.any) return true;
    return std::any_of(wanted.tags.begin(), wanted.tags.end(), [&](std::string_view tag) {
      if (weak && tag.starts_with(kWeak)) tag.remove_prefix(kWeak.size());
      return tag == *etag;
    });
  };
  return (!match_ || lists(*match_, false)) && (!none_match_ || !lists(*none_match_, true));
}

}  // namespace ipnscast::bridge
