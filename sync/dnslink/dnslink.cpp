#include "ipnscast/sync/dnslink/dnslink.h"

#include <algorithm>

namespace ipnscast::sync::dnslink {
namespace {

constexpr size_t kMaxDomain = 253 - 9;  // with "_dnslink." before it
constexpr size_t kMaxPath = 4096;
constexpr std::string_view kPrefix = "dnslink=";

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 &&
         std::all_of(label.begin(), label.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

bool is_value(std::string_view text) {
  const bool content = text.starts_with("/ipfs/") || text.starts_with("/ipns/");
  return content && text.size() > 6 && text.size() <= kMaxPath &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// What a value's first step names.
std::string_view head_of(std::string_view value) {
  const std::string_view rest = value.substr(6);
  return rest.substr(0, rest.find('/'));
}

bool leads_somewhere(std::string_view value) {
  const std::string_view head = head_of(value);
  if (value.starts_with("/ipfs/")) return Cid::parse(head).has_value();
  return IpnsName::parse(head).has_value() || parse_domain(head).has_value();
}

std::string joined(std::string_view front, const std::string& back) {
  while (front.ends_with('/')) front.remove_suffix(1);
  while (front.starts_with('/')) front.remove_prefix(1);
  if (front.empty()) return back;
  return back.empty() ? std::string(front) : std::string(front) + '/' + back;
}

}  // namespace

Result<std::string> parse_domain(std::string_view text) {
  std::string out(text);
  if (out.ends_with('.')) out.pop_back();
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const bool plain = std::all_of(out.begin(), out.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!plain) return fail(Errc::invalid, "domain: write it in its xn-- form");
  if (out.size() > kMaxDomain) return fail(Errc::invalid, "domain: too long");
  size_t labels = 0;
  for (std::string_view rest = out;; ++labels) {
    const std::string_view label = rest.substr(0, rest.find('.'));
    if (!is_label(label)) return fail(Errc::invalid, "domain: want labels with dots between");
    if (label.size() == rest.size()) break;
    rest.remove_prefix(label.size() + 1);
  }
  if (labels == 0) return fail(Errc::invalid, "domain: want a dot in it");
  return out;
}

// Other software has DNSLink values of its own: those that lead nowhere from here are left out, as
// boxo does. Alone, such a value is still told apart from none.
Result<std::string> dnslink_value(const std::vector<std::string>& texts) {
  std::vector<std::string> good, other;
  for (const std::string& text : texts) {
    if (!text.starts_with(kPrefix)) continue;
    std::string value = text.substr(kPrefix.size());
    std::vector<std::string>& kind = is_value(value) && leads_somewhere(value) ? good : other;
    if (std::find(kind.begin(), kind.end(), value) == kind.end()) kind.push_back(std::move(value));
  }
  if (good.size() > 1) return fail(Errc::conflict, "DNSLink: more than one value");
  if (good.size() == 1) return std::move(good.front());
  if (other.empty()) return fail(Errc::not_found, "no DNSLink");
  const auto path = std::find_if(other.begin(), other.end(), is_value);
  if (path == other.end()) return fail(Errc::parse, "DNSLink: neither /ipfs/... nor /ipns/...");
  return std::move(*path);
}

Seconds Found::ttl() const {
  Seconds least = Seconds::max();
  for (const Step& step : steps) least = std::min(least, step.ttl);
  return least;
}

Result<Found> follow(std::string_view text, const TxtLookup& lookup) {
  auto domain = parse_domain(text);
  if (!domain) return fail(domain.error());
  Found out;
  while (true) {
    const bool circle = std::any_of(out.steps.begin(), out.steps.end(),
                                    [&](const Step& step) { return step.domain == *domain; });
    if (circle) return fail(Errc::refused, *domain + ": domains that lead in a circle");
    if (out.steps.size() == kMaxSteps)
      return fail(Errc::too_large, "domains that lead to domains, more than 16");
    const auto answer = lookup("_dnslink." + *domain);
    if (!answer) return fail(answer.error().within(*domain));
    auto value = dnslink_value(answer->texts);
    if (!value) return fail(value.error().within(*domain));
    out.steps.push_back({*domain, *value, answer->ttl});

    const std::string_view rest = std::string_view(*value).substr(6);
    const std::string_view head = rest.substr(0, rest.find('/'));
    out.path = joined(rest.substr(head.size()), out.path);
    if (out.path.size() > kMaxPath) return fail(Errc::too_large, "DNSLink: a path too long");
    if (value->starts_with("/ipfs/")) {
      auto cid = Cid::parse(head);
      if (!cid) return fail(cid.error().within(*domain + ": DNSLink"));
      out.root = std::move(*cid);
      return out;
    }
    if (auto name = IpnsName::parse(head)) {
      out.name = std::move(*name);
      return out;
    }
    domain = parse_domain(head);
    if (!domain)
      return fail(Errc::unsupported, out.steps.back().domain + ": its DNSLink is no name");
  }
}

}  // namespace ipnscast::sync::dnslink
