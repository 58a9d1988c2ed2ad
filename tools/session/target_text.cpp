#include "ipnscast/tools/session/target_text.h"

#include <algorithm>

#include "ipnscast/nostr/base/percent.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"
#include "ipnscast/tools/usage/typed_value.h"

namespace ipnscast::tools {
namespace {

bool starts_with_scheme(std::string_view text, std::string_view scheme) {
  return text.size() >= scheme.size() &&
         std::equal(scheme.begin(), scheme.end(), text.begin(), [](char want, char is) {
           return want == (is >= 'A' && is <= 'Z' ? static_cast<char>(is + ('a' - 'A')) : is);
         });
}

// Takes a prefix away, in either case of letters; false when the text has another one.
bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!starts_with_scheme(text, prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string trimmed_path(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

TargetText split_off_path(std::string_view text, bool is_content) {
  const size_t slash = std::min(text.find('/'), text.size());
  return {std::string(text.substr(0, slash)), trimmed_path(text.substr(slash)), is_content};
}

// A domain in one label of a host. Subdomain gateway spec, "DNSLink names in origins".
std::string label_as_domain(std::string_view label) {
  std::string out;
  for (size_t i = 0; i < label.size(); ++i) {
    if (label[i] != '-') {
      out += label[i];
    } else if (label.substr(i).starts_with("--")) {
      out += '-';
      ++i;
    } else {
      out += '.';
    }
  }
  return out;
}

// NAME.ipns.GATEWAY or CID.ipfs.GATEWAY; false for other hosts.
bool read_subdomain(std::string_view host, std::string_view path, TargetText& out) {
  host = host.substr(0, host.find(':'));
  for (const bool is_content : {false, true}) {
    const size_t at = host.find(is_content ? ".ipfs." : ".ipns.");
    if (at == std::string_view::npos || at == 0) continue;
    const std::string_view label = host.substr(0, at);
    if (label.find('.') != std::string_view::npos) continue;
    const bool known =
        is_content ? sync::Cid::parse(label).has_value() : sync::IpnsName::parse(label).has_value();
    const bool is_domain = !is_content && !known && label.find('-') != std::string_view::npos;
    if (!known && !is_domain) continue;
    out = {is_domain ? label_as_domain(label) : std::string(label), trimmed_path(path), is_content};
    return true;
  }
  return false;
}

// What stands behind http:// or https://; false when it leads to no name and no content.
bool read_gateway_url(std::string_view text, TargetText& out) {
  text = text.substr(0, text.find_first_of("?#"));
  const size_t slash = std::min(text.find('/'), text.size());
  const std::string_view host = text.substr(0, slash);
  std::string_view path = text.substr(slash);
  const std::string plain = percent_decoded(path);
  path = plain;
  if (read_subdomain(host, path, out)) return true;
  const bool is_name = take_prefix(path, "/ipns/");
  if (!is_name && !take_prefix(path, "/ipfs/")) return false;
  out = split_off_path(path, !is_name);
  return true;
}

}  // namespace

TargetText read_target_text(std::string_view typed) {
  std::string_view text = without_blanks_around(typed);
  TargetText out;
  std::string_view rest = text;
  if (take_prefix(rest, "https://") || take_prefix(rest, "http://")) {
    if (read_gateway_url(rest, out)) return out;
    return {std::string(text), {}, false};
  }
  if (take_prefix(rest, "/ipns/") || take_prefix(rest, "ipns://"))
    return split_off_path(rest, false);
  if (take_prefix(rest, "/ipfs/") || take_prefix(rest, "ipfs://"))
    return split_off_path(rest, true);
  const size_t slash = std::min(text.find('/'), text.size());
  if (read_subdomain(text.substr(0, slash), text.substr(slash), out)) return out;
  take_prefix(text, "nostr:");
  return split_off_path(text, false);
}

std::optional<Error> known_mistake(std::string_view typed) {
  const std::string shown = "\"" + std::string(typed) + "\"";
  const TargetText text = read_target_text(typed);
  if (starts_with_scheme(text.head, "nsec1") || starts_with_scheme(text.head, "ncryptsec1"))
    return Error{
        Errc::invalid,
        shown +
            " is a secret key, and now stands in your shell's history: give its npub, which "
            "\"ipnscast key show --secret-file FILE\" prints"};
  if (text.is_content || sync::Cid::parse(text.head))
    return Error{Errc::invalid,
                 shown + " is content, not a name: \"ipnscast get CID --output OUT\" fetches it"};
  if (const auto fault = nip19_fault(text.head))
    return Error{Errc::invalid, shown + " is not a valid " + *fault};
  for (const std::string_view prefix : {"k51", "k2k4", "12D3Koo", "bafzaa", "bafzbei"}) {
    if (text.head.starts_with(prefix))
      return Error{Errc::invalid,
                   shown + " is not a whole IPNS name: it is cut or mistyped; copy it again"};
  }
  return std::nullopt;
}

Error no_target(std::string_view typed) {
  if (auto mistake = known_mistake(typed)) return std::move(*mistake);
  return {Errc::invalid, "\"" + std::string(typed) +
                             "\": want an IPNS name, an npub, an naddr, a domain, self, or the "
                             "label of one of our keys (ipnscast key list)"};
}

}  // namespace ipnscast::tools
